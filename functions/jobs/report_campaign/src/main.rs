fn main() -> Result<(), kit::Error> {
    report_campaign::serve()
}
