fn main() -> Result<(), kit::Error> {
    products::serve()
}
