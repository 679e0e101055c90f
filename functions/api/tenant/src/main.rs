fn main() -> Result<(), kit::Error> {
    tenant::serve()
}
