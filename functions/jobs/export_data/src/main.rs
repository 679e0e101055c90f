fn main() -> Result<(), kit::Error> {
    export_data::serve()
}
