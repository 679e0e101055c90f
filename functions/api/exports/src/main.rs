fn main() -> Result<(), kit::Error> {
    exports::serve()
}
