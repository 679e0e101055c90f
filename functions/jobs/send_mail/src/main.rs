fn main() -> Result<(), kit::Error> {
    send_mail::serve()
}
