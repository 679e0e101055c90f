//! Uses of roles.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Role, like, partitions_of, texts};

/// A kind of use, as recorded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Use {
    /// The function. The emulator records the role's name.
    pub who: String,
    /// The action, such as `s3:GetObject`.
    pub action: String,
    /// The resource in the template's words, with `x` for an object's ids. None: not known.
    pub resource: Option<String>,
    /// The kind of key in the table, with `x` for ids.
    pub key: Option<String>,
}

impl fmt::Display for Use {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.action)?;
        let mut of = [&self.resource, &self.key].into_iter().flatten();
        of.try_for_each(|of| write!(f, " of {of}"))
    }
}

impl Use {
    /// Whether the use is of this resource.
    pub(super) fn is_of(&self, resource: &str) -> bool {
        self.resource.as_deref().is_none_or(|used| like(resource, used))
    }

    /// Whether a statement allows it.
    pub(super) fn is_allowed(&self, statement: &Value) -> bool {
        let partitions = partitions_of(statement);
        let of_partition = |named: BTreeSet<String>| {
            let key = self.key.as_ref();
            key.is_some_and(|key| named.iter().any(|pattern| like(pattern, key)))
        };
        let resources = texts(&statement["Resource"]);
        texts(&statement["Action"]).contains(&self.action)
            && resources.iter().any(|resource| self.is_of(resource))
            && partitions.is_none_or(of_partition)
    }
}

/// An ARN as in the template, because tests of functions have tables, queues and buckets of their own. `names` are the physical ids of the
/// stack's resources by logical id.
pub(super) fn in_words_of_template(arn: &str, names: &BTreeMap<String, String>) -> String {
    let told = |(id, physical): (&String, &String)| {
        // The physical id of a queue is its URL.
        let queue = physical.rsplit('/').next().filter(|_| physical.starts_with("http"));
        let name = queue.unwrap_or(physical);
        if name.is_empty() {
            return None;
        }
        let (start, rest) = arn.split_once(name)?;
        let whole = start.starts_with("arn:") && start.ends_with([':', '/']);
        match rest {
            "" if whole => Some(format!("{id}.Arn")),
            // Secrets Manager adds a word to a secret's name, which may contain `/`.
            _ if start.ends_with(":secret:") => {
                let added = rest.strip_prefix('-')?;
                (!added.contains('-')).then(|| format!("{id}.Id"))
            }
            _ if whole && rest.starts_with('/') => Some(format!("${{{id}.Arn}}{rest}")),
            _ => None,
        }
    };
    names.iter().find_map(told).unwrap_or_else(|| arn.to_owned())
}

/// All uses in the files of a folder, without those of others than these roles.
pub(super) fn read(folder: &Path, roles: &[Role]) -> Result<Vec<Use>> {
    let mut uses = BTreeSet::new();
    let files = std::fs::read_dir(folder).with_context(|| format!("listing {}", folder.display()))?;
    for file in files {
        let path = file.with_context(|| format!("listing {}", folder.display()))?.path();
        if path.extension().is_none_or(|extension| extension != "jsonl") {
            continue;
        }
        let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        for line in text.lines() {
            let mut used: Use = serde_json::from_str(line).with_context(|| format!("parsing {}", path.display()))?;
            let is_its = |role: &&Role| [&role.name, &role.function].contains(&&used.who);
            if let Some(role) = roles.iter().find(is_its) {
                used.who.clone_from(&role.function);
                uses.insert(used);
            }
        }
    }
    Ok(uses.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_are_told_in_the_words_of_the_template() {
        let names = [
            ("SendsQueue", "http://127.0.0.1:1/000000000000/ringback-SendsQueue-1"),
            ("Table", "ringback-Table-1"),
            ("RawBucket", "raw-1"),
            ("MailSecret", "ringback-MailSecret-1"),
            ("Dashboard", "ringback"),
        ];
        let names = names.map(|(id, name)| (id.to_owned(), name.to_owned())).into();
        for (arn, told) in [
            (
                "arn:aws:sqs:us-east-1:000000000000:ringback-SendsQueue-1",
                "SendsQueue.Arn",
            ),
            (
                "arn:aws:dynamodb:us-east-1:000000000000:table/ringback-Table-1",
                "Table.Arn",
            ),
            (
                "arn:aws:dynamodb:us-east-1:000000000000:table/ringback-Table-1/index/due",
                "${Table.Arn}/index/due",
            ),
            (
                "arn:aws:secretsmanager:us-east-1:000000000000:secret:ringback-MailSecret-1-5aec52",
                "MailSecret.Id",
            ),
            (
                "arn:aws:secretsmanager:1:0:secret:ringback/a",
                "arn:aws:secretsmanager:1:0:secret:ringback/a",
            ),
            ("arn:aws:s3:::raw-1/raw/*", "${RawBucket.Arn}/raw/*"),
            ("arn:aws:s3:::raw-12/raw/*", "arn:aws:s3:::raw-12/raw/*"),
            ("*", "*"),
        ] {
            assert_eq!(in_words_of_template(arn, &names), told);
        }
    }
}
