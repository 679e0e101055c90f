fn main() -> Result<(), kit::Error> {
    delete_tenants::serve()
}
