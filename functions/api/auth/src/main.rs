fn main() -> Result<(), kit::Error> {
    auth::serve()
}
