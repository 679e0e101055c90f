fn main() -> Result<(), kit::Error> {
    conversations::serve()
}
