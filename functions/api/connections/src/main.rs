fn main() -> Result<(), kit::Error> {
    connections::serve()
}
