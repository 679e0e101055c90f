fn main() -> Result<(), kit::Error> {
    kit::serve_invoke(
        env!("CARGO_PKG_NAME"),
        make_platform_admin::Context::new,
        make_platform_admin::handle,
    )
}
