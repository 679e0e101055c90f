fn main() -> Result<(), kit::Error> {
    teams::serve()
}
