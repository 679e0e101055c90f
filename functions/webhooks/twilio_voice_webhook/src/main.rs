fn main() -> Result<(), kit::Error> {
    twilio_voice_webhook::serve()
}
