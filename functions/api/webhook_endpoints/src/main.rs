fn main() -> Result<(), kit::Error> {
    webhook_endpoints::serve()
}
