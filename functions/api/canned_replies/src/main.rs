fn main() -> Result<(), kit::Error> {
    canned_replies::serve()
}
