fn main() -> Result<(), kit::Error> {
    run_campaign::serve()
}
