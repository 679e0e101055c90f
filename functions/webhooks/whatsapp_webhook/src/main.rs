fn main() -> Result<(), kit::Error> {
    whatsapp_webhook::serve()
}
