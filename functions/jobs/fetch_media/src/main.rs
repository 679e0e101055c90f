fn main() -> Result<(), kit::Error> {
    kit::serve_queue(env!("CARGO_PKG_NAME"), fetch_media::Context::new, fetch_media::handle)
}
