fn main() -> Result<(), kit::Error> {
    kit::serve_queue(env!("CARGO_PKG_NAME"), process_call::Context::new, process_call::handle)
}
