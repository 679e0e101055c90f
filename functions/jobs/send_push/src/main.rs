fn main() -> Result<(), kit::Error> {
    send_push::serve()
}
