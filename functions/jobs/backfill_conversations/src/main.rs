use backfill_conversations::{Context, handle};

fn main() -> Result<(), kit::Error> {
    kit::serve_operation(env!("CARGO_PKG_NAME"), Context::new, handle)
}
