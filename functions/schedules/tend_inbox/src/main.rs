use tend_inbox::{Context, handle};

fn main() -> Result<(), kit::Error> {
    kit::serve_schedule(env!("CARGO_PKG_NAME"), Context::new, handle)
}
