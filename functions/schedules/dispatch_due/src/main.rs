fn main() -> Result<(), kit::Error> {
    kit::serve_schedule(env!("CARGO_PKG_NAME"), dispatch_due::Context::new, dispatch_due::handle)
}
