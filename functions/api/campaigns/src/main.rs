fn main() -> Result<(), kit::Error> {
    campaigns::serve()
}
