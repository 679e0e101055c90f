fn main() -> Result<(), kit::Error> {
    contacts::serve()
}
