fn main() -> Result<(), kit::Error> {
    archive_contact::serve()
}
