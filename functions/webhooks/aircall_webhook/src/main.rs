fn main() -> Result<(), kit::Error> {
    aircall_webhook::serve()
}
