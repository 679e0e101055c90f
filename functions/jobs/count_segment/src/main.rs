fn main() -> Result<(), kit::Error> {
    count_segment::serve()
}
