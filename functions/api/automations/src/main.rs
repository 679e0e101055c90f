fn main() -> Result<(), kit::Error> {
    automations::serve()
}
