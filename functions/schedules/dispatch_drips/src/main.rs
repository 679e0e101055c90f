fn main() -> Result<(), kit::Error> {
    dispatch_drips::serve()
}
