fn main() -> Result<(), kit::Error> {
    kit::serve_queue(
        env!("CARGO_PKG_NAME"),
        process_provider_event::Context::new,
        process_provider_event::handle,
    )
}
