//! `samconfig.toml`: the stacks on AWS, as SAM CLI reads it.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;

/// An environment of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Environment {
    pub stack_name: String,
    /// The region; if none is given, the caller's own.
    pub region: Option<String>,
    /// The profile of the AWS configuration; if none is given, the caller's own.
    pub profile: Option<String>,
}

impl Environment {
    /// The environment of this name in the checkout's file.
    pub fn read(root: &Path, name: &str) -> Result<Self> {
        let file = root.join("samconfig.toml");
        let text = std::fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
        Self::parse(&text, name).with_context(|| format!("reading {name} in {}", file.display()))
    }

    fn parse(text: &str, name: &str) -> Result<Self> {
        let file: toml::Table = toml::from_str(text).context("parsing it")?;
        let environment = file.get(name).context("it has no such environment")?;
        // Parameters of one command take precedence over global ones.
        let mut merged = toml::Table::new();
        for command in ["global", "deploy"] {
            let parameters = environment.get(command).and_then(|command| command.get("parameters"));
            merged.extend(parameters.and_then(toml::Value::as_table).cloned().unwrap_or_default());
        }
        toml::Value::Table(merged).try_into().context("parsing its parameters")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
        version = 0.1
        [prod.global.parameters]
        stack_name = "ringback"
        region = "eu-west-1"
        [prod.deploy.parameters]
        region = "eu-central-1"
        profile = "ops"
        parameter_overrides = ["Stage=prod"]
        [dev.global.parameters]
        stack_name = "ringback-dev"
    "#;

    #[test]
    fn environments_are_read_as_by_sam() {
        let prod = Environment::parse(FILE, "prod").unwrap();
        assert_eq!(prod.stack_name, "ringback");
        assert_eq!(prod.region.as_deref(), Some("eu-central-1"));
        assert_eq!(prod.profile.as_deref(), Some("ops"));
        let dev = Environment::parse(FILE, "dev").unwrap();
        assert_eq!((dev.region, dev.profile), (None, None));
        assert!(Environment::parse(FILE, "staging").is_err());
    }
}
