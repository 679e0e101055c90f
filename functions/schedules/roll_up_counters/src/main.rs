use roll_up_counters::{Context, handle};

fn main() -> Result<(), kit::Error> {
    kit::serve_schedule(env!("CARGO_PKG_NAME"), Context::new, handle)
}
