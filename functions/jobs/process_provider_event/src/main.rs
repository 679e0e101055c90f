use process_provider_event::{Context, handle};

fn main() -> Result<(), kit::Error> {
    kit::serve_queue(env!("CARGO_PKG_NAME"), Context::new, handle)
}
