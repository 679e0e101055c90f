fn main() -> Result<(), kit::Error> {
    twilio_message_webhook::serve()
}
