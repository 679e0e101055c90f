//! Secrets of the seeded tenants, generated once per data directory.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use rustix::rand::{GetRandomFlags, getrandom};

/// Random bytes in hex.
pub fn random_hex(bytes: usize) -> Result<String> {
    let mut random = vec![0; bytes];
    getrandom(&mut random, GetRandomFlags::empty()).context("asking the system for random bytes")?;
    Ok(hex::encode(random))
}

/// A number of as many random bytes, at most 16.
pub fn random(bytes: usize) -> Result<u128> {
    u128::from_str_radix(&random_hex(bytes)?, 16).context("reading random digits")
}

/// Named secrets in a file that only its owner can read.
#[derive(Debug)]
pub struct Vault {
    file: std::path::PathBuf,
    secrets: BTreeMap<String, String>,
}

impl Vault {
    /// The secrets of a data directory.
    pub fn open(data: &Path) -> Result<Self> {
        let file = data.join("secrets.json");
        let secrets = match std::fs::read(&file) {
            Ok(text) => serde_json::from_slice(&text).with_context(|| format!("reading {}", file.display()))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(error).with_context(|| format!("reading {}", file.display())),
        };
        Ok(Self { file, secrets })
    }

    /// The secret of that name, generated if it is new: 16 random bytes in hex.
    pub fn secret(&mut self, name: &str) -> Result<String> {
        if let Some(secret) = self.secrets.get(name) {
            return Ok(secret.clone());
        }
        let secret = random_hex(16)?;
        self.secrets.insert(name.to_owned(), secret.clone());
        self.save()?;
        Ok(secret)
    }

    fn save(&self) -> Result<()> {
        use std::io::Write as _;
        use std::os::unix::fs::OpenOptionsExt as _;

        let text = serde_json::to_vec_pretty(&self.secrets).context("writing secrets")?;
        std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&self.file)
            .and_then(|mut file| file.write_all(&text))
            .with_context(|| format!("writing {}", self.file.display()))
    }
}
