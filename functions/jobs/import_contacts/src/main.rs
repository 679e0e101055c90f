fn main() -> Result<(), kit::Error> {
    import_contacts::serve()
}
