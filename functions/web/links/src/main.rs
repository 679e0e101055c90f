fn main() -> Result<(), kit::Error> {
    links::serve()
}
