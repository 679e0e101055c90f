fn main() -> Result<(), kit::Error> {
    assets::serve()
}
