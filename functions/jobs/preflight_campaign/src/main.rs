fn main() -> Result<(), kit::Error> {
    preflight_campaign::serve()
}
