fn main() -> Result<(), kit::Error> {
    platform::serve()
}
