fn main() -> Result<(), kit::Error> {
    send_message::serve()
}
