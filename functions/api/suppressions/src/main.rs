fn main() -> Result<(), kit::Error> {
    suppressions::serve()
}
