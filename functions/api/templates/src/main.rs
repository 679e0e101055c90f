fn main() -> Result<(), kit::Error> {
    templates::serve()
}
