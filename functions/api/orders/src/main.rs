fn main() -> Result<(), kit::Error> {
    orders::serve()
}
