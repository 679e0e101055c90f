fn main() -> Result<(), kit::Error> {
    dispatch_due::serve()
}
