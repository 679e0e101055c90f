fn main() -> Result<(), kit::Error> {
    health::serve()
}
