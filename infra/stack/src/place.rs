//! Where things are: the checkout, `.stack/` beside it, and the data directory of one stack.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// The folders that `cargo stack` works in.
#[derive(Debug, Clone)]
pub struct Place {
    /// The checkout.
    pub root: PathBuf,
    /// `.stack`: tools and builds, shared by all stacks of the checkout.
    pub dot: PathBuf,
    /// State, logs and secrets of one stack.
    pub data: PathBuf,
}

impl Place {
    /// The folders of the stack whose data is in `data` (`.stack/data` unless given); makes what is missing.
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

    /// What the tools would otherwise keep in the home directory.
    pub fn cache(&self) -> PathBuf {
        self.dot.join("cache")
    }

    /// Output of tools and children.
    pub fn logs(&self) -> PathBuf {
        self.data.join("logs")
    }

    /// Where a running stack says how to reach it: `.stack/endpoints.json` for the default data directory, else in the
    /// data directory.
    pub fn endpoints(&self) -> PathBuf {
        if self.data == self.dot.join("data") {
            self.dot.join("endpoints.json")
        } else {
            self.data.join("endpoints.json")
        }
    }
}
