fn main() -> Result<(), kit::Error> {
    audit::serve()
}
