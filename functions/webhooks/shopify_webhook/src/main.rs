fn main() -> Result<(), kit::Error> {
    shopify_webhook::serve()
}
