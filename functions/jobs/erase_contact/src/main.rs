fn main() -> Result<(), kit::Error> {
    erase_contact::serve()
}
