fn main() -> Result<(), kit::Error> {
    kit::serve_queue(env!("CARGO_PKG_NAME"), send_message::Context::new, send_message::handle)
}
