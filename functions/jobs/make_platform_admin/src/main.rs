fn main() -> Result<(), kit::Error> {
    make_platform_admin::serve()
}
