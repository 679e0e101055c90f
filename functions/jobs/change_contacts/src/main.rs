fn main() -> Result<(), kit::Error> {
    change_contacts::serve()
}
