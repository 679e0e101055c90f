fn main() -> Result<(), kit::Error> {
    imports::serve()
}
