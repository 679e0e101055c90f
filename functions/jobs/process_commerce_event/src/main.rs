fn main() -> Result<(), kit::Error> {
    process_commerce_event::serve()
}
