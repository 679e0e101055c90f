use publish_events::{Context, handle};

fn main() -> Result<(), kit::Error> {
    kit::serve_stream(env!("CARGO_PKG_NAME"), Context::new, handle)
}
