fn main() -> Result<(), kit::Error> {
    tags::serve()
}
