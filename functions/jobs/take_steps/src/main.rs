fn main() -> Result<(), kit::Error> {
    take_steps::serve()
}
