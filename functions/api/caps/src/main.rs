fn main() -> Result<(), kit::Error> {
    caps::serve()
}
