//! `fuzz`: schemathesis sends valid and invalid input to every operation of the contract and checks that the contract names each
//! answer: no 5xx, no unknown status, header or field.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tokio::process::Command;

use crate::api::{self, Proof, log_in};
use crate::business::{Plan, Town};
use crate::contract::{Contract, Operation, operations};
use crate::place::{Place, write};
use crate::play::Play;
use crate::process::run_logged;
use crate::report::step;
use crate::running::{Options, Running};
use crate::tools;
use crate::up::on_own_stack;

/// Number of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Random requests per operation, in addition to those derived from the schemas' limits.
    pub examples: u32,
    /// Share of the requests at the schemas' limits: one in this number is sent, beside the first of each kind.
    pub share: u32,
    /// Whether to also send sequences of requests that use values of earlier answers.
    pub sequences: bool,
    /// Number of users who take turns.
    pub persons: usize,
}

impl Size {
    /// Takes a minute or two.
    pub const SHORT: Self = Self {
        examples: 2,
        share: 40,
        sequences: false,
        persons: 8,
    };
    /// Takes as long as it needs.
    pub const LONG: Self = Self {
        examples: 150,
        share: 1,
        sequences: true,
        persons: 40,
    };
}

/// Seed of CI, where every run makes the same requests.
pub const SEED: u64 = 20_261_120;

const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
                      response_schema_conformance";

/// Operations that one program calls, as one kind of caller.
#[derive(Debug)]
struct Part {
    name: String,
    caller: &'static str,
    operations: BTreeSet<String>,
}

/// Kind of callers of an operation: that of its permission.
fn caller(operation: &Operation<'_>) -> &'static str {
    match operation.permission() {
        "public" => "public",
        "person" => "person",
        "platform" => "platform",
        _ => "tenant",
    }
}

/// Changes something of all tenants that other tests of the same stack rely on. The long form has a stack of its own.
const OF_EVERYBODY: &str = "replace_platform_prices";

/// All operations, by caller. Those of tenants, which are most, are also divided by group, since groups do not depend on each
/// other; but not for sequences, which may use what another group created.
fn parts(contract: &Contract, size: Size) -> Vec<Part> {
    let mut groups: BTreeMap<(&'static str, &str), BTreeSet<String>> = BTreeMap::new();
    let all = contract.operations();
    for operation in all.filter(|operation| size.sequences || operation.id() != OF_EVERYBODY) {
        let caller = caller(&operation);
        let group = operation.value["tags"][0].as_str();
        let group = group.filter(|_| caller == "tenant" && !size.sequences);
        let own = groups.entry((caller, group.unwrap_or_default())).or_default();
        own.insert(operation.id().to_owned());
    }
    let part = |((caller, group), operations): ((&'static str, &str), _)| Part {
        name: format!("{caller} {group}").trim().replace(' ', "-"),
        caller,
        operations,
    };
    let mut parts: Vec<Part> = groups.into_iter().map(part).collect();
    // The longest first, so that no program is left to run alone.
    parts.sort_by_key(|part| Reverse(part.operations.len()));
    parts
}

/// Data that every part needs.
#[derive(Clone, Copy)]
struct Fuzzer<'a> {
    play: &'a Play,
    town: &'a Town,
    place: &'a Place,
    tools: &'a tools::Contract,
    contract: &'a Contract,
    size: Size,
    seed: u64,
}

/// Sends all requests. The error lists the findings, with requests to reproduce them.
pub async fn fuzz(
    play: &Play,
    town: &Town,
    place: &Place,
    tools: &tools::Contract,
    size: Size,
    seed: u64,
) -> Result<()> {
    let contract = Contract::read(place)?;
    let fuzzer = Fuzzer {
        play,
        town,
        place,
        tools,
        contract: &contract,
        size,
        seed,
    };
    let waiting = RefCell::new(parts(&contract, size).into_iter());
    let found = RefCell::new(Vec::new());
    let worker = async || -> Result<()> {
        loop {
            let next = waiting.borrow_mut().next();
            let Some(part) = next else {
                return Ok(());
            };
            let outcome = Box::pin(fuzzer.run(&part)).await?;
            found.borrow_mut().extend(outcome);
        }
    };
    // A program waits for answers most of the time, so three use two cores.
    tokio::try_join!(worker(), worker(), worker())?;
    let found = found.into_inner();
    ensure!(found.is_empty(), "{}", found.join("\n\n"));
    Ok(())
}

impl Fuzzer<'_> {
    /// Calls a part's operations; returns the finding, if there is one.
    async fn run(&self, part: &Part) -> Result<Option<String>> {
        let Self { play, town, .. } = *self;
        // The tools keep files of their own where they run.
        let folder = self.place.data.join("fuzz").join(&part.name);
        std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        let document = folder.join("openapi.json");
        let mut asked = self
            .contract
            .document_with_only(|operation| part.operations.contains(operation.id()));
        let mut command = self.tools.program("schemathesis");
        arguments(&mut command, play, self.size, self.seed);
        command
            .arg(&document)
            .current_dir(&folder)
            .env("SCHEMATHESIS_HOOKS", "fuzz_hooks")
            .env("RINGBACK_SHARE", self.size.share.to_string())
            .env("PYTHONPATH", self.place.root.join("infra/stack/python"));
        let keeper = match part.caller {
            "tenant" => {
                let key = town.open("Fuzzed", Plan::lift_limits).await?.api_key;
                command.args(["--header", &format!("X-API-Key:{key}")]);
                Some(Proof::Key(key))
            }
            "platform" => Some(Proof::Token(log_in(play, &play.endpoints.platform_admin).await?)),
            _ => None,
        };
        if let "person" | "platform" = part.caller {
            let tokens = folder.join("tokens");
            let lines = people(play, town, part.caller == "platform", self.size.persons).await?;
            write(&tokens, lines)?;
            command.env("RINGBACK_TOKENS", &tokens);
        }
        if let Some(keeper) = keeper {
            name_real_ids(play, self.contract, &keeper, &mut asked).await?;
        }
        write(&document, asked.to_string())?;
        let log = folder.join("log");
        let what = format!("schemathesis, {} operations of {}", part.operations.len(), part.name);
        let outcome = step(&what, run_logged(&mut command, &log, &what)).await;
        Ok(outcome
            .err()
            .map(|error| format!("{error:#}\nall of it: {}", log.display())))
    }
}

/// `cargo stack fuzz`: the long form, on its own stack.
pub async fn run_on_own_stack(options: &Options, seed: u64) -> Result<()> {
    let work = async |running: &Running| {
        let play = Play::new(running.endpoints.clone()).await?;
        let town = Town::new(&play, &running.aws, &running.place, &running.place.data).await?;
        let tools = running.tools.contract().await?;
        fuzz(&play, &town, &running.place, &tools, Size::LONG, seed).await
    };
    on_own_stack(options, work).await
}

fn arguments(command: &mut Command, play: &Play, size: Size, seed: u64) {
    let phases = if size.sequences {
        "examples,coverage,fuzzing,stateful"
    } else {
        "examples,coverage,fuzzing"
    };
    command
        // One worker: the requests have the same order, and two workers race within the tool.
        .args(["run", "--no-color", "--continue-on-failure", "--workers", "1"])
        .args(["--url", &play.endpoints.api])
        .args(["--checks", CHECKS, "--phases", phases])
        .args(["--max-examples", &size.examples.to_string()])
        .args(["--seed", &seed.to_string(), "--generation-database", "none"])
        // Its remarks about data that it could not generate are no findings about the API.
        .args(["--suppress-health-check", "all", "--warnings", "off"])
        .args(["--request-timeout", "60"]);
}

/// Begins each operation's path with ids of objects created for this operation alone, so that a deletion does not affect others.
async fn name_real_ids(play: &Play, contract: &Contract, keeper: &Proof, document: &mut Value) -> Result<()> {
    let mut found = Vec::new();
    for operation in operations(document) {
        let mut known = Vec::new();
        for name in operation.parameters() {
            let object = api::object_for(play, contract, keeper, &operation, name, &known);
            let Some(id) = object.await? else {
                break;
            };
            let parameter = [operation.path, operation.method, name].map(str::to_owned);
            found.push((parameter, id.clone()));
            known.push((name, id));
        }
    }
    for ([path, method, name], id) in found {
        let parameters = document["paths"][&path][&method]["parameters"].as_array_mut();
        for parameter in parameters.into_iter().flatten() {
            if parameter["in"] == "path" && parameter["name"] == name.as_str() {
                parameter["example"] = match id.parse::<u64>() {
                    Ok(number) if parameter["schema"]["type"] == "integer" => number.into(),
                    _ => id.clone().into(),
                };
            }
        }
    }
    Ok(())
}

/// Tokens of users created for this run, one per line.
async fn people(play: &Play, town: &Town, platform: bool, count: usize) -> Result<String> {
    let mut lines = String::new();
    for _ in 0..count {
        let login = if platform {
            town.registry().appoint_another().await?
        } else {
            let tenant = town.open("Fuzzed person", |_| {}).await?;
            tenant.users.admin
        };
        lines += &log_in(play, &login).await?;
        lines.push('\n');
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_fuzzed_in_one_part() {
        let contract = Contract::read(&Place::new(None).expect("a checkout")).expect("the contract");
        let all: BTreeSet<String> = contract
            .operations()
            .map(|operation| operation.id().to_owned())
            .collect();
        let shared = all.iter().filter(|id| *id != OF_EVERYBODY).cloned().collect();
        for (size, all) in [(Size::SHORT, shared), (Size::LONG, all)] {
            let parts = parts(&contract, size);
            let count: usize = parts.iter().map(|part| part.operations.len()).sum();
            let fuzzed: BTreeSet<String> = parts.into_iter().flat_map(|part| part.operations).collect();
            assert_eq!((&fuzzed, count), (&all, all.len()));
        }
        assert!(parts(&contract, Size::LONG).len() < parts(&contract, Size::SHORT).len());
    }
}
