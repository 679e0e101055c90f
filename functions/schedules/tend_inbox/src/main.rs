fn main() -> Result<(), kit::Error> {
    tend_inbox::serve()
}
