fn main() -> Result<(), kit::Error> {
    vonage_webhook::serve()
}
