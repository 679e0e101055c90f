fn main() -> Result<(), kit::Error> {
    notify_people::serve()
}
