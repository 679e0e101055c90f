fn main() -> Result<(), kit::Error> {
    sync_templates::serve()
}
