//! Packages that somebody exchanged are not installed, and old ones are found.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use sha2::{Digest as _, Sha256};
use stack::advisories::questions;
use stack::place::Place;
use stack::tools::{Tools, install_wheels, remove};
use tokio::process::Command;

/// An empty folder of one test.
fn new_folder(name: &str) -> Result<PathBuf> {
    let folder = std::env::temp_dir().join(format!("ringback-{name}-{}", std::process::id()));
    remove(&folder)?;
    std::fs::create_dir_all(&folder).context("creating a folder")?;
    Ok(folder)
}

fn write(root: &Path, file: &str, text: &str) -> Result<()> {
    let file = root.join(file);
    let parent = file.parent().context("a file is in a folder")?;
    std::fs::create_dir_all(parent)?;
    std::fs::write(&file, text).with_context(|| format!("writing {}", file.display()))
}

/// Nothing is downloaded: the wheel is made here, by the Python that the stack set up.
#[tokio::test]
async fn pip_refuses_a_lock_with_one_digit_changed() -> Result<()> {
    const MAKE: &str = "
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as wheel:
    wheel.writestr('planted.py', '')
    info = 'planted-1.0.dist-info/'
    wheel.writestr(info + 'METADATA', 'Metadata-Version: 2.1\\nName: planted\\nVersion: 1.0\\n')
    wheel.writestr(info + 'WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    wheel.writestr(info + 'RECORD', '')
";
    let place = Place::new(None)?;
    Tools::set_up(&place).await?;
    let python = place.dot.join("tools/ministack/bin/python");
    let folder = new_folder("wheel")?;
    let wheel = folder.join("planted-1.0-py3-none-any.whl");
    let made = Command::new(&python).args(["-c", MAKE]).arg(&wheel).status().await?;
    ensure!(made.success(), "the wheel is not made");
    let hash = hex::encode(Sha256::digest(std::fs::read(&wheel)?));
    let digit = if hash.ends_with('0') { '1' } else { '0' };
    let changed = format!("{}{digit}", &hash[..hash.len() - 1]);
    for (hash, expected) in [(&changed, false), (&hash, true)] {
        let lock = folder.join("planted.lock");
        std::fs::write(&lock, format!("planted==1.0 --hash=sha256:{hash}\n"))?;
        let mut install = install_wheels(&python, &lock);
        install.env("PIP_NO_INDEX", "1").env("PIP_FIND_LINKS", &folder);
        install.arg("--target").arg(folder.join("installed"));
        let output = install.output().await?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success() == expected, "with {hash}: {said}");
        ensure!(
            expected || said.contains("THESE PACKAGES DO NOT MATCH THE HASHES"),
            "{said}"
        );
    }
    remove(&folder)
}

/// A checkout that depends on an old crate, an old npm package and an old Python package, with the advisory of each. Asks databases on the
/// internet, so only if `RINGBACK_TEST_ADVISORIES` is set.
#[tokio::test]
async fn planted_packages_are_found() -> Result<()> {
    if std::env::var_os("RINGBACK_TEST_ADVISORIES").is_none() {
        return Ok(());
    }
    const MANIFEST: &str =
        "[package]\nname = \"planted\"\nversion = \"0.1.0\"\n[dependencies]\ntime = \"=0.1.42\"\n[workspace]\n";
    const NPM: &str = r#"{"name": "planted", "version": "1.0.0", "lockfileVersion": 3, "requires": true, "packages": {
        "": {"name": "planted", "version": "1.0.0", "dependencies": {"minimist": "0.0.8"}},
        "node_modules/minimist": {"version": "0.0.8"}
    }}"#;
    let folder = new_folder("planted")?;
    let root = folder.as_path();
    write(root, "Cargo.toml", MANIFEST)?;
    write(root, "src/lib.rs", "")?;
    for npm in ["functions/web/console", "infra/stack/node"] {
        let package = r#"{"name": "planted", "version": "1.0.0", "dependencies": {"minimist": "0.0.8"}}"#;
        write(root, &format!("{npm}/package.json"), package)?;
        write(root, &format!("{npm}/package-lock.json"), NPM)?;
    }
    let pin = format!("jinja2==2.4.1 --hash=sha256:{}\n", "0".repeat(64));
    for file in [
        "infra/stack/python/planted.lock",
        "infra/simulators/tests/clients/requirements.txt",
    ] {
        write(root, file, &pin)?;
    }
    let questions = questions(root, &Tools::at(&Place::new(None)?)).await?;
    ensure!(questions.len() == 5, "one is not asked");
    for mut question in questions {
        let output = question.command.output().await?;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).to_lowercase();
        let found = ["rustsec-2020-0071", "ghsa-vh95-rmgr-6w4m", "jinja2 2.4.1"]
            .iter()
            .any(|known| said.contains(known));
        ensure!(found && !output.status.success(), "{}: {said}", question.what);
    }
    remove(&folder)
}
