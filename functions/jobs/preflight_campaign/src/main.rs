use preflight_campaign::{Context, handle};

fn main() -> Result<(), kit::Error> {
    kit::serve_operation(env!("CARGO_PKG_NAME"), Context::new, handle)
}
