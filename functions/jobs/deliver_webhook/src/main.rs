fn main() -> Result<(), kit::Error> {
    deliver_webhook::serve()
}
