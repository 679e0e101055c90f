fn main() -> Result<(), kit::Error> {
    roll_up_counters::serve()
}
