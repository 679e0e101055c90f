fn main() -> Result<(), kit::Error> {
    kit::serve_queue(env!("CARGO_PKG_NAME"), send_push::Context::new, send_push::handle)
}
