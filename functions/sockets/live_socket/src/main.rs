fn main() -> Result<(), kit::Error> {
    live_socket::serve()
}
