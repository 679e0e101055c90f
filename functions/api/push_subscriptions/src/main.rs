fn main() -> Result<(), kit::Error> {
    push_subscriptions::serve()
}
