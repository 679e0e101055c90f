fn main() -> Result<(), kit::Error> {
    publish_changes::serve()
}
