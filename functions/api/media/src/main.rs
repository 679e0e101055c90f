fn main() -> Result<(), kit::Error> {
    media::serve()
}
