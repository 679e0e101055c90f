fn main() -> Result<(), kit::Error> {
    apply_retention::serve()
}
