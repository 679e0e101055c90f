//! Writes the generated files. See the library.

fn main() -> anyhow::Result<()> {
    for (file, text) in contract::files()? {
        let path = contract::root().join(file);
        std::fs::write(&path, text).map_err(|error| anyhow::anyhow!("writing {}: {error}", path.display()))?;
        println!("{}", path.display());
    }
    Ok(())
}
