//! Lists the functions of the API, which are dependencies of this crate, for `contract::functions`.

use std::fs;
use std::path::Path;

const MANIFEST: &str = "Cargo.toml";

/// `users = { path = "../../functions/api/users" }`
const FOLDER: &str = "path = \"../../functions/api/";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed={MANIFEST}");
    let manifest = fs::read_to_string(MANIFEST)?;
    let folders = manifest.split(FOLDER).skip(1);
    let names: Vec<&str> = folders.filter_map(|rest| rest.split('"').next()).collect();
    let output = std::env::var_os("OUT_DIR").ok_or("cargo names no OUT_DIR")?;
    fs::write(
        Path::new(&output).join("functions.rs"),
        format!("functions![{}]", names.join(", ")),
    )?;
    Ok(())
}
