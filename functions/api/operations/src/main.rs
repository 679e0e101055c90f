fn main() -> Result<(), kit::Error> {
    operations::serve()
}
