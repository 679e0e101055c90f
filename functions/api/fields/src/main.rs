fn main() -> Result<(), kit::Error> {
    fields::serve()
}
