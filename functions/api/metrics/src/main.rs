fn main() -> Result<(), kit::Error> {
    metrics::serve()
}
