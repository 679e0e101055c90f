fn main() -> Result<(), kit::Error> {
    event_messages::serve()
}
