//! Proof that the check finds what it should: roles are changed at random, each change by itself, and the findings must grow.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Role, Use, check, findings, partitions_of, sid, texts};
use crate::random::Random;

/// Changes of each kind.
const WIDENED: usize = 3;
const ADDED: usize = 3;
const REMOVED: usize = 1;

/// Attempts to make one: not every statement can be changed in every way.
const MAX_TRIES: usize = 1_000;

/// Actions on the table that a widened statement gets.
const FURTHER: [&str; 3] = ["dynamodb:DeleteItem", "dynamodb:Scan", "dynamodb:UpdateItem"];

/// Makes a change of its kind, unless it cannot be made of what was chosen.
type Change = fn(&[Role], &[Use], &mut Random) -> Option<Changed>;

/// A change of a role.
struct Changed {
    what: String,
    /// The role's function, which the finding must name.
    function: String,
    roles: Vec<Role>,
}

/// Changes the roles at random; returns what was changed, and whether the check finds it.
pub(super) fn proof(roles: &[Role], uses: &[Use], seed: u64) -> Vec<(String, bool)> {
    let mut random = Random::new(seed);
    let before = open(roles, uses);
    let kinds: [(usize, Change); 3] = [
        (WIDENED, widen_statement),
        (ADDED, add_statement),
        (REMOVED, remove_statement),
    ];
    let mut shown = Vec::new();
    for (count, change) in kinds {
        for _ in 0..count {
            let made = (0..MAX_TRIES).find_map(|_| change(roles, uses, &mut random));
            let Some(Changed { what, function, roles }) = made else {
                shown.push(("a change that cannot be made".to_owned(), false));
                continue;
            };
            let of_role = format!("{function}: ");
            let after = open(&roles, uses);
            let found = after.difference(&before).any(|finding| finding.starts_with(&of_role));
            shown.push((what, found));
        }
    }
    shown
}

fn open(roles: &[Role], uses: &[Use]) -> BTreeSet<String> {
    check::report(&findings(roles, uses)).into_iter().collect()
}

fn of_table(statement: &Value) -> bool {
    let actions = texts(&statement["Action"]);
    actions.iter().all(|action| action.starts_with("dynamodb:"))
}

/// A statement of a role on the table, by their places.
fn pick_table_statement(roles: &[Role], random: &mut Random) -> Option<(usize, usize)> {
    let role = random.below(roles.len());
    let at = random.below(roles[role].statements("work").count().max(1));
    let statement = roles[role].statements("work").nth(at)?;
    (of_table(statement) && partitions_of(statement).is_some()).then_some((role, at))
}

/// The roles with a changed statement of one of them.
fn with(roles: &[Role], role: usize, at: usize, change: impl FnOnce(&mut Value)) -> Vec<Role> {
    let mut roles = roles.to_vec();
    if let Some(statement) = roles[role].work().nth(at) {
        change(statement);
    }
    roles
}

/// A statement allows all partitions of tenants, or another action.
fn widen_statement(roles: &[Role], uses: &[Use], random: &mut Random) -> Option<Changed> {
    if random.below(3) == 0 {
        return allow_everything(roles, uses, random);
    }
    let (place, at) = pick_table_statement(roles, random)?;
    let role = &roles[place];
    let statement = role.statements("work").nth(at)?;
    let name = format!("{} of {}", sid(statement), role.function);
    if random.below(2) == 0 {
        let partitions: Vec<String> = partitions_of(statement)?.into_iter().collect();
        let pattern = random.choose(&partitions)?.clone();
        if !pattern.starts_with("T#*#") {
            return None;
        }
        let rest = partitions.iter().filter(|known| **known != pattern);
        let wide: Value = rest.map(String::as_str).chain(["T#*"]).collect();
        let roles = with(roles, place, at, |statement| {
            statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"] = wide;
        });
        return Some(Changed {
            what: format!("{name} allows T#* instead of {pattern}"),
            function: role.function.clone(),
            roles,
        });
    }
    let action = *random.choose(&FURTHER)?;
    let mut actions = texts(&statement["Action"]);
    let partitions = partitions_of(statement)?;
    let is_used = |used: &Use| {
        let key = used.key.as_deref();
        let named = key.is_some_and(|key| partitions.iter().any(|pattern| super::like(pattern, key)));
        used.who == role.function && used.action == action && named
    };
    if !actions.insert(action.to_owned()) || uses.iter().any(is_used) {
        return None;
    }
    let roles = with(roles, place, at, |statement| statement["Action"] = json!(actions));
    Some(Changed {
        what: format!("{name} allows {action}, too"),
        function: role.function.clone(),
        roles,
    })
}

/// A statement that is used, and not about the table, allows its actions on everything.
fn allow_everything(roles: &[Role], uses: &[Use], random: &mut Random) -> Option<Changed> {
    let role = random.below(roles.len());
    let at = random.below(roles[role].statements("work").count().max(1));
    let statement = roles[role].statements("work").nth(at)?;
    let actions = texts(&statement["Action"]);
    let is_simulated = |action: &String| super::SIMULATED.iter().any(|service| action.starts_with(service));
    if of_table(statement) || actions.iter().any(is_simulated) || texts(&statement["Resource"]).contains("*") {
        return None;
    }
    let function = roles[role].function.clone();
    // What is not used at all is a finding or an exception as it is.
    let mut own = uses.iter().filter(|used| used.who == function);
    if !own.any(|used| used.is_allowed(statement)) {
        return None;
    }
    Some(Changed {
        what: format!("{} of {function} allows *", sid(statement)),
        function,
        roles: with(roles, role, at, |statement| statement["Resource"] = json!("*")),
    })
}

/// A role gets a statement of another one, under a name of its own.
fn add_statement(roles: &[Role], _: &[Use], random: &mut Random) -> Option<Changed> {
    let (to, (from, at)) = (random.below(roles.len()), pick_table_statement(roles, random)?);
    let mut statement = roles[from].statements("work").nth(at)?.clone();
    let function = roles[to].function.clone();
    let what = format!("{function} gets {} of {}", sid(&statement), roles[from].function);
    statement["Sid"] = json!("Added");
    let mut roles = roles.to_vec();
    let document = roles[to].policies.get_mut("work")?;
    document["Statement"].as_array_mut()?.push(statement);
    Some(Changed { what, function, roles })
}

/// A role loses a statement that something uses.
fn remove_statement(roles: &[Role], uses: &[Use], random: &mut Random) -> Option<Changed> {
    let (role, at) = pick_table_statement(roles, random)?;
    let statement = roles[role].statements("work").nth(at)?.clone();
    let others = roles[role].statements("work").filter(|other| **other != statement);
    let others: Vec<&Value> = others.collect();
    let function = roles[role].function.clone();
    let own = uses.iter().filter(|used| used.who == function && used.key.is_some());
    let mut needed = own.filter(|used| used.is_allowed(&statement));
    if !needed.any(|used| !others.iter().any(|other| used.is_allowed(other))) {
        return None;
    }
    let what = format!("{function} loses {}", sid(&statement));
    let mut roles = roles.to_vec();
    let document = roles[role].policies.get_mut("work")?;
    document["Statement"].as_array_mut()?.remove(at);
    Some(Changed { what, function, roles })
}
