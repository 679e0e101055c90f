fn main() -> Result<(), kit::Error> {
    kit::serve_http(env!("CARGO_PKG_NAME"), push_subscriptions::routes)
}
