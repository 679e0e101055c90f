fn main() -> Result<(), kit::Error> {
    users::serve()
}
