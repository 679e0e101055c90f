fn main() -> Result<(), kit::Error> {
    exotel_webhook::serve()
}
