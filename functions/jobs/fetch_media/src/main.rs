fn main() -> Result<(), kit::Error> {
    fetch_media::serve()
}
