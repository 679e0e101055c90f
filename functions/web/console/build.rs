//! Watches the console's build, and ships no function without one.

use std::env;
use std::path::Path;

fn main() {
    // Files that come or go are no change of a source.
    println!("cargo::rerun-if-changed=dist");
    let ships = env::var_os("PROFILE").is_some_and(|profile| profile == "release");
    if ships && !Path::new("dist/index.html").exists() {
        println!("cargo::error=the console is not built: run `cargo stack console`, then build again");
    }
}
