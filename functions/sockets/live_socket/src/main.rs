use live_socket::{Context, handle};

fn main() -> Result<(), kit::Error> {
    kit::serve_socket(env!("CARGO_PKG_NAME"), Context::new, handle)
}
