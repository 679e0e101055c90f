fn main() -> Result<(), kit::Error> {
    telephony_webhook::serve()
}
