fn main() -> Result<(), kit::Error> {
    stages::serve()
}
