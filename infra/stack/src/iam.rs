//! `iam`: checks that every function's role allows what the function uses, and nothing else.
//!
//! A whole `cargo stack test` records what each role was used for: the emulator notes every permission that it grants (`bridge.py`,
//! `recorded_uses`), the tests of each function note what it asks of the table (testkit, `role.rs`), and the functions' log lines name
//! what they call of services that the simulators stand in for. At the end, and whenever `cargo stack iam` is run, [`check`] compares
//! these uses with the roles' `work` policies: what nothing used fails the run. A permission that is missing fails a test instead.
//!
//! The policies `logs` and `trigger`, which Lambda itself uses and the emulator does not check, are compared with the event sources in the
//! template by testkit (`tests/it/roles.rs`). Tests of the deployed stack (`tests/it/roles.rs`) request what roles forbid.

mod check;
mod proof;
mod uses;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use self::check::{Finding, findings};
pub use self::uses::Use;
use self::uses::in_words_of_template;
use crate::aws::{Aws, Session};
use crate::build::Function;
use crate::place::{Place, read_json, write, write_json};
use crate::report::step;
use crate::running::Running;
use crate::tools::remove;

/// Services that the simulators stand in for. They evaluate no policies, so what is called of them is read from log lines.
const SIMULATED: [&str; 1] = ["ses:"];

/// A function's deployed role.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Role {
    /// Name of the function's crate.
    pub function: String,
    pub log_group: String,
    pub name: String,
    /// Policy documents by name.
    pub policies: BTreeMap<String, Value>,
}

/// The roles of these functions, as deployed.
pub async fn roles(aws: &Session, stack: &str, functions: &[Function]) -> Result<Vec<Role>> {
    let names = aws.resources(stack).await?;
    let mut found = Vec::new();
    for function in functions {
        let logical = format!("{}Role", function.logical_id);
        let name = names.get(&logical);
        let name = name.with_context(|| format!("the stack has a {logical}"))?;
        let mut policies = BTreeMap::new();
        let asked = json!({ "RoleName": name });
        let listed = aws.call("iam", "list_role_policies", asked).await?;
        for policy in listed["PolicyNames"].as_array().into_iter().flatten() {
            let policy = policy.as_str().context("a policy has a name")?;
            let asked = json!({ "RoleName": name, "PolicyName": policy });
            let answer = aws.call("iam", "get_role_policy", asked).await?;
            policies.insert(policy.to_owned(), answer["PolicyDocument"].clone());
        }
        found.push(Role {
            function: function.name.clone(),
            log_group: function.log_group(stack),
            name: name.clone(),
            policies,
        });
    }
    Ok(found)
}

impl Role {
    /// The statements of a policy; none if there is no such policy.
    pub fn statements(&self, policy: &str) -> impl Iterator<Item = &Value> {
        let document = self.policies.get(policy).unwrap_or(&Value::Null);
        document["Statement"].as_array().into_iter().flatten()
    }

    /// The statements of `work`, to change them.
    fn work(&mut self) -> impl Iterator<Item = &mut Value> {
        let document = self.policies.get_mut("work");
        let statements = document.and_then(|document| document["Statement"].as_array_mut());
        statements.into_iter().flatten()
    }
}

/// The text, or the texts of a list.
pub fn texts(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::String(text) => [text.clone()].into(),
        _ => BTreeSet::new(),
    }
}

/// The name of a statement.
fn sid(statement: &Value) -> &str {
    statement["Sid"].as_str().unwrap_or("?")
}

/// The partitions that a statement on the table names; none without such a condition.
pub fn partitions_of(statement: &Value) -> Option<BTreeSet<String>> {
    let keys = &statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"];
    (!keys.is_null()).then(|| texts(keys))
}

/// Matches as IAM does: `*` is any text, `?` one character.
pub fn like(pattern: &str, text: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => text.is_empty(),
        Some('*') => {
            let mut ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            ends.any(|at| like(rest.as_str(), &text[at..]))
        }
        Some(wanted) => {
            let mut others = text.chars();
            others.next().is_some_and(|found| wanted == '?' || wanted == found) && like(rest.as_str(), others.as_str())
        }
    }
}

/// Records of the last whole run of the tests: a folder with roles, and files with one use per line.
#[derive(Debug)]
pub struct Record {
    folder: PathBuf,
}

impl Record {
    /// The record of this checkout.
    pub fn of(place: &Place) -> Self {
        let folder = place.dot.join("uses");
        Self { folder }
    }

    /// Empties it; returns the folder where test programs write what functions use.
    pub fn begin(&self) -> Result<&PathBuf> {
        let folder = &self.folder;
        remove(folder)?;
        std::fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
        Ok(folder)
    }

    /// Adds what only a running stack knows: its roles, what they were allowed, and what their functions logged.
    pub async fn complete(&self, running: &Running) -> Result<()> {
        let session = running.aws.session()?;
        let stack = &running.endpoints.stack;
        let mut roles = step("reading roles", roles(&session, stack, &running.functions)).await?;
        let mut uses = uses::read(&running.place.data, &roles)?;
        let names = session.resources(stack).await?;
        for used in &mut uses {
            used.resource = used.resource.take().map(|arn| in_words_of_template(&arn, &names));
        }
        uses.extend(logged_uses(&running.aws, &roles).await?);
        let lines = uses.iter().map(|used| Ok(serde_json::to_string(used)? + "\n"));
        write(&self.folder.join("stack.jsonl"), lines.collect::<Result<String>>()?)?;
        for statement in roles.iter_mut().flat_map(Role::work) {
            let resources = texts(&statement["Resource"]);
            let told = resources.iter().map(|arn| in_words_of_template(arn, &names));
            statement["Resource"] = told.collect();
        }
        // Last, because a record without roles is not complete.
        write_json(&self.folder.join("roles.json"), &roles)
    }

    fn read(&self) -> Result<(Vec<Role>, Vec<Use>)> {
        let file = self.folder.join("roles.json");
        ensure!(
            file.exists(),
            "nothing is recorded about roles: run the whole `cargo stack test` first, without a test's name"
        );
        let roles: Vec<Role> = read_json(&file)?;
        let uses = uses::read(&self.folder, &roles)?;
        Ok((roles, uses))
    }
}

/// Uses of simulated services, by the functions that may use one.
async fn logged_uses(aws: &Aws, roles: &[Role]) -> Result<Vec<Use>> {
    let is_simulated = |action: &String| SIMULATED.iter().any(|service| action.starts_with(service));
    let mut found = BTreeSet::new();
    for role in roles {
        let mut statements = role.statements("work");
        if !statements.any(|statement| texts(&statement["Action"]).iter().any(is_simulated)) {
            continue;
        }
        for event in aws.logs(std::slice::from_ref(&role.log_group), None).await? {
            let line: Value = serde_json::from_str(&event.message).unwrap_or_default();
            // The group is that of its room.
            if line["function"] != *role.function {
                continue;
            }
            let called = line["aws"].as_object().into_iter().flatten().map(|(action, _)| action);
            found.extend(called.filter(|action| is_simulated(action)).map(|action| Use {
                who: role.function.clone(),
                action: action.clone(),
                resource: None,
                key: None,
            }));
        }
    }
    Ok(found.into_iter().collect())
}

/// Compares the roles of the last whole run with what it used, prints the findings, and returns whether there are none. With a seed, changes
/// roles at random before, which must be found.
pub fn check(place: &Place, seed: Option<u64>) -> Result<bool> {
    let (roles, uses) = Record::of(place).read()?;
    let mut all_found = true;
    for (what, found) in seed.into_iter().flat_map(|seed| proof::proof(&roles, &uses, seed)) {
        all_found &= found;
        println!("{}: {what}", if found { "found" } else { "NOT FOUND" });
    }
    let found = check::report(&findings(&roles, &uses));
    for line in &found {
        println!("role: {line}");
    }
    let (compared, kinds, findings) = (roles.len(), uses.len(), found.len());
    println!("roles: {compared} with {kinds} kinds of uses compared, {findings} findings");
    Ok(found.is_empty() && all_found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_iam() {
        let own = format!("T#{}", "?".repeat(26));
        let tenant = format!("T#{}", "x".repeat(26));
        for (pattern, text, same) in [
            ("*", "", true),
            ("T#*", "T#a", true),
            ("T#*", "USER#a", false),
            ("T#*#C#*", "T#a#C#b", true),
            ("T#*#C#*", "T#a#ID#b", false),
            ("PLATFORM", "PLATFORM#LOG#a", false),
            ("PLATFORM*", "PLATFORM", true),
            (own.as_str(), tenant.as_str(), true),
            (own.as_str(), "T#short", false),
        ] {
            assert_eq!(like(pattern, text), same, "{pattern} {text}");
        }
        assert!(!like(&own, &format!("{tenant}#C#a")));
    }
}
