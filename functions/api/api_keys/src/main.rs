fn main() -> Result<(), kit::Error> {
    api_keys::serve()
}
