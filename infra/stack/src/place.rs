//! Paths: the checkout, `.stack/` in it, and the data directory of one stack.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The folders of `cargo stack`.
#[derive(Debug, Clone)]
pub struct Place {
    /// Folder of the checkout.
    pub root: PathBuf,
    /// `.stack`: tools and builds, shared by all stacks of the checkout.
    pub dot: PathBuf,
    /// State, logs and secrets of one stack.
    pub data: PathBuf,
}

impl Place {
    /// The folders of the stack with this data directory (`.stack/data` by default). Creates missing ones.
    pub fn new(data: Option<&Path>) -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .nth(2)
            .context("infra/stack lies two folders below the checkout")?
            .to_path_buf();
        let dot = root.join(".stack");
        let data = match data {
            Some(data) => std::path::absolute(data).context("resolving --data-dir")?,
            None => dot.join("data"),
        };
        let place = Self { root, dot, data };
        for folder in [place.logs(), place.cache(), place.data.join("tmp")] {
            std::fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
        }
        Ok(place)
    }

    /// Files that the tools would otherwise keep in the home directory.
    pub fn cache(&self) -> PathBuf {
        self.dot.join("cache")
    }

    /// Output of tools and child processes.
    pub fn logs(&self) -> PathBuf {
        self.data.join("logs")
    }

    /// The file with a running stack's endpoints: `.stack/endpoints.json` for the default data directory, otherwise in the data
    /// data directory.
    pub fn endpoints(&self) -> PathBuf {
        if self.data == self.dot.join("data") {
            self.dot.join("endpoints.json")
        } else {
            self.data.join("endpoints.json")
        }
    }
}

/// Reads a file of JSON.
pub fn read_json<T: DeserializeOwned>(file: &Path) -> Result<T> {
    let text = std::fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("understanding {}", file.display()))
}

pub fn write(file: &Path, content: impl AsRef<[u8]>) -> Result<()> {
    std::fs::write(file, content).with_context(|| format!("writing {}", file.display()))
}

/// Writes a file of JSON.
pub fn write_json(file: &Path, value: &impl Serialize) -> Result<()> {
    write(file, serde_json::to_vec_pretty(value).context("writing JSON")?)
}
