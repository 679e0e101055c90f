fn main() -> Result<(), kit::Error> {
    console::serve()
}
