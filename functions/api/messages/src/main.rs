fn main() -> Result<(), kit::Error> {
    messages::serve()
}
