fn main() -> Result<(), kit::Error> {
    docs::serve()
}
