fn main() -> Result<(), kit::Error> {
    lines::serve()
}
