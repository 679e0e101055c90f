fn main() -> Result<(), kit::Error> {
    process_provider_event::serve()
}
