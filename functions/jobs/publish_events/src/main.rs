fn main() -> Result<(), kit::Error> {
    publish_events::serve()
}
