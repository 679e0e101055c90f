fn main() -> Result<(), kit::Error> {
    kit::serve_queue(env!("CARGO_PKG_NAME"), send_mail::Context::new, send_mail::handle)
}
