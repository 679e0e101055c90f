fn main() -> Result<(), kit::Error> {
    preferences::serve()
}
