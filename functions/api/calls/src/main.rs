fn main() -> Result<(), kit::Error> {
    calls::serve()
}
