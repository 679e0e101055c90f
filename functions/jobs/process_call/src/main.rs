fn main() -> Result<(), kit::Error> {
    process_call::serve()
}
