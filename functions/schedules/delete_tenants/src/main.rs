fn main() -> Result<(), kit::Error> {
    kit::serve_schedule(
        env!("CARGO_PKG_NAME"),
        delete_tenants::Context::new,
        delete_tenants::handle,
    )
}
