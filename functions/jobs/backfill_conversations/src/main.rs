fn main() -> Result<(), kit::Error> {
    backfill_conversations::serve()
}
