fn main() -> Result<(), kit::Error> {
    start_template_syncs::serve()
}
