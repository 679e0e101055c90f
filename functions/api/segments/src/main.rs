fn main() -> Result<(), kit::Error> {
    segments::serve()
}
