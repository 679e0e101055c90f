use make_platform_admin::{Context, handle};

fn main() -> Result<(), kit::Error> {
    kit::serve_invoke(env!("CARGO_PKG_NAME"), Context::new, handle)
}
