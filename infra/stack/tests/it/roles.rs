//! The functions' roles as deployed. What no test uses of them is found at the end of a whole run (`stack::iam`).

mod lambda;
mod partitions;

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use stack::{
    build, chaos,
    iam::{self, Role, Use},
    random::Random,
};

use crate::stage::{Stage, on_stage};

async fn roles(stage: &Stage) -> Result<Vec<Role>> {
    let functions = build::functions(&stage.place.root)?;
    iam::roles(&stage.aws.session()?, &stage.play.endpoints.stack, &functions).await
}

#[test]
fn logs_and_triggers_are_what_lambda_needs() {
    on_stage(async |stage| {
        let bucket = stage.town.outputs.get("RawBucketName").context("an output")?;
        let stack = &stage.play.endpoints.stack;
        let roles = roles(stage).await?;
        let wrong = lambda::triggers_and_logs(&roles, &stage.aws.session()?, stack, bucket).await?;
        ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
        Ok(())
    });
}

#[test]
fn partitions_of_others_are_refused_to_each_role() {
    on_stage(async |stage| {
        let endpoints = &stage.play.endpoints;
        let roles = roles(stage).await?;
        let session = stage.aws.session()?;
        let wrong = partitions::otherwise_enforced(&roles, &session, &endpoints.aws_endpoint, &endpoints.table).await?;
        ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
        Ok(())
    });
}

/// A change of a role that the check finds.
#[derive(Debug, Clone, Copy)]
enum Change {
    /// The last word of a partition or the folder of an object becomes `*`; or the statement gets another action.
    Widen,
    /// A statement of another role.
    Add,
    /// A statement that is used is taken away.
    Remove,
}

const CHANGES: [Change; 7] = [
    Change::Widen,
    Change::Widen,
    Change::Widen,
    Change::Add,
    Change::Add,
    Change::Add,
    Change::Remove,
];

/// `T#*#C#*` becomes `T#*#*`, `T#*#ID#phone:*` becomes `T#*#ID#*`.
fn widened(pattern: &str) -> String {
    let parts: Vec<&str> = pattern.split('#').collect();
    let word = parts.iter().rposition(|part| part.contains(char::is_alphabetic));
    let mut kept = parts[..word.unwrap_or_default()].to_vec();
    kept.push("*");
    kept.join("#")
}

/// The statements of `work`; none if the function uses nothing.
fn statements(role: &mut Role) -> Option<&mut Vec<Value>> {
    role.policies.get_mut("work")?["Statement"].as_array_mut()
}

/// Changes a role by chance; returns its function and the statement's name.
fn change(roles: &mut [Role], change: Change, random: &mut Random) -> (String, String) {
    let others: Vec<Value> = roles.iter_mut().flat_map(Role::work).map(|one| one.clone()).collect();
    let of_table = |one: &Value| !one["Condition"]["ForAllValues:StringLike"].is_null();
    loop {
        let place = random.below(roles.len());
        let function = roles[place].function.clone();
        let Some(own) = statements(&mut roles[place]) else {
            continue;
        };
        let at = random.below(own.len());
        let sid = own[at]["Sid"].as_str().unwrap_or_default().to_owned();
        match change {
            // Of others, the emulator refuses the use.
            Change::Remove if !of_table(&own[at]) => continue,
            Change::Remove => {
                own.remove(at);
            }
            Change::Add => {
                let mut added = random.pick(&others).clone();
                added["Sid"] = "Added".into();
                own.push(added);
                return (function, "Added".to_owned());
            }
            Change::Widen if of_table(&own[at]) && random.below(2) == 0 => {
                let keys = &mut own[at]["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"];
                let patterns = keys.as_array_mut().expect("partitions");
                let one = random.below(patterns.len());
                patterns[one] = widened(patterns[one].as_str().unwrap_or_default()).into();
            }
            Change::Widen if own[at]["Resource"].as_str().is_some_and(|arn| arn.ends_with("/*")) => {
                let arn = own[at]["Resource"].as_str().unwrap_or_default();
                let bucket = arn.split('/').next().unwrap_or_default();
                own[at]["Resource"] = format!("{bucket}/*").into();
            }
            Change::Widen => {
                let mut actions: BTreeSet<String> = match &own[at]["Action"] {
                    Value::String(one) => [one.clone()].into(),
                    many => serde_json::from_value(many.clone()).expect("actions"),
                };
                let service = actions
                    .first()
                    .and_then(|one| one.split(':').next())
                    .unwrap_or_default();
                if !actions.insert(format!("{service}:DeleteItem")) {
                    continue;
                }
                own[at]["Action"] = json!(actions);
            }
        }
        return (function, sid);
    }
}

/// Of the roles as deployed, if each use that they allow had been made.
#[test]
fn changed_roles_are_found_by_what_was_used() {
    on_stage(async |stage| {
        let roles = roles(stage).await?;
        let uses: Vec<Use> = roles.iter().flat_map(Use::all_of).collect();
        let before = iam::findings(&roles, &uses);
        let seed = chaos::new_seed()?;
        let mut random = Random::new(seed);
        for kind in CHANGES {
            let mut changed = roles.clone();
            let (function, sid) = change(&mut changed, kind, &mut random);
            let after = iam::findings(&changed, &uses);
            let found = after.iter().any(|finding| {
                let named = [sid.as_str(), "no statement"].contains(&finding.statement.as_str());
                finding.function == function && named && !before.contains(finding)
            });
            ensure!(found, "seed {seed}: {kind:?} of {function} {sid} is not found");
        }
        // Nothing used a statement.
        let users: Vec<&Role> = roles.iter().filter(|role| !Use::all_of(role).is_empty()).collect();
        let role = random.pick(&users);
        let without: Vec<Use> = uses.iter().filter(|used| used.who != role.function).cloned().collect();
        let found = iam::findings(&roles, &without);
        let idle = found.iter().filter(|one| one.function == role.function).count();
        ensure!(idle > 0, "seed {seed}: {} is used", role.function);
        Ok(())
    });
}
