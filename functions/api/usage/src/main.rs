fn main() -> Result<(), kit::Error> {
    usage::serve()
}
