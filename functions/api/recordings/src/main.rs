fn main() -> Result<(), kit::Error> {
    recordings::serve()
}
