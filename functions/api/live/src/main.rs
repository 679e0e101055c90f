fn main() -> Result<(), kit::Error> {
    live::serve()
}
