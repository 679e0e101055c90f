fn main() -> Result<(), kit::Error> {
    kit::serve_stream(
        env!("CARGO_PKG_NAME"),
        publish_changes::Context::new,
        publish_changes::handle,
    )
}
