fn main() -> Result<(), kit::Error> {
    plivo_webhook::serve()
}
