fn main() -> Result<(), kit::Error> {
    woocommerce_webhook::serve()
}
