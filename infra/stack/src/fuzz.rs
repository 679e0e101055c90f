//! `fuzz`: schemathesis sends valid and invalid input to every operation of the contract and checks that the contract names each
//! answer: no 5xx, no unknown status, header or field.

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::{
    api::{self, Proof, log_in},
    business::{Plan, Town},
    contract::{Contract, Operation, operations},
    place::Place,
    play::Play,
    process::run_logged,
    report::step,
    running::{Options, Running},
    tools,
    up::interrupted,
};

/// Number of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Random requests per operation, in addition to those derived from the schemas' limits.
    pub examples: u32,
    /// Whether to also send sequences of requests that use values of earlier answers.
    pub sequences: bool,
    /// Number of users who take turns.
    pub persons: usize,
}

impl Size {
    /// Takes a minute or two.
    pub const SHORT: Self = Self {
        examples: 6,
        sequences: false,
        persons: 8,
    };
    /// Takes as long as it needs.
    pub const LONG: Self = Self {
        examples: 150,
        sequences: true,
        persons: 40,
    };
}

/// Seed of CI, where every run makes the same requests.
pub const SEED: u64 = 20_261_120;

/// Checks of each answer.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
                      response_schema_conformance";

/// A caller, and the operations that it calls.
#[derive(Clone, Copy)]
struct Part {
    name: &'static str,
    picks: fn(&Operation<'_>) -> bool,
}

const PARTS: [Part; 4] = [
    Part {
        name: "tenant",
        picks: |operation| !["public", "person", "platform"].contains(&operation.permission()),
    },
    Part {
        name: "public",
        picks: |operation| operation.permission() == "public",
    },
    Part {
        name: "person",
        picks: |operation| operation.permission() == "person",
    },
    Part {
        name: "platform",
        picks: |operation| operation.permission() == "platform",
    },
];

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
    let folder = place.data.join("fuzz");
    std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let unlimited = |plan: &mut Plan| {
        plan.file["tenant"]["limits"] = json!({
            "principal_per_minute": 100_000,
            "requests_per_minute": 100_000,
        });
    };
    let tenant = town.open("Fuzzed", unlimited).await?;
    let mut found = Vec::new();
    for part in PARTS {
        let document = folder.join(format!("{}.json", part.name));
        let mut asked = contract.only(part.picks);
        let keeper = match part.name {
            "tenant" => Some(Proof::Key(tenant.api_key.clone())),
            "platform" => Some(Proof::Token(log_in(play, &play.endpoints.platform_admin).await?)),
            _ => None,
        };
        if let Some(keeper) = keeper {
            name_real_ids(play, &contract, &keeper, &mut asked).await?;
        }
        std::fs::write(&document, asked.to_string()).with_context(|| format!("writing {}", document.display()))?;
        let mut command = tools.program("schemathesis");
        arguments(&mut command, play, size, seed);
        command
            .arg(&document)
            .current_dir(&folder)
            .env("SCHEMATHESIS_HOOKS", "fuzz_hooks")
            .env("PYTHONPATH", place.root.join("infra/stack/python"));
        match part.name {
            "tenant" => drop(command.args(["--header", &format!("X-API-Key:{}", tenant.api_key)])),
            "public" => {}
            name => {
                let tokens = folder.join(format!("{name}.tokens"));
                let lines = people(play, town, name == "platform", size.persons).await?;
                std::fs::write(&tokens, lines).with_context(|| format!("writing {}", tokens.display()))?;
                command.env("RINGBACK_TOKENS", &tokens);
            }
        }
        let log = folder.join(format!("{}.log", part.name));
        let what = format!("schemathesis, {} operations", part.name);
        if let Err(error) = step(&what, run_logged(&mut command, &log, &what)).await {
            found.push(format!("{error:#}\nall of it: {}", log.display()));
        }
    }
    if !found.is_empty() {
        bail!("{}", found.join("\n\n"));
    }
    Ok(())
}

/// `cargo stack fuzz`: the long form, on its own stack.
pub async fn alone(options: &Options, seed: u64) -> Result<()> {
    let running = tokio::select! {
        running = Running::start(options) => running?,
        () = interrupted() => bail!("interrupted"),
    };
    let work = async {
        let play = Play::new(running.endpoints.clone()).await?;
        let town = Town::new(&play, &running.aws, &running.place, &running.place.data).await?;
        let tools = running.tools.contract().await?;
        fuzz(&play, &town, &running.place, &tools, Size::LONG, seed).await
    };
    let outcome = tokio::select! {
        outcome = Box::pin(work) => outcome,
        () = interrupted() => Err(anyhow::anyhow!("interrupted")),
    };
    running.stop().await?;
    outcome
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
        let Some(name) = operation.parameters().next() else {
            continue;
        };
        if let Some(id) = api::object_for(play, contract, keeper, &operation, name).await? {
            found.push((
                operation.path.to_owned(),
                operation.method.to_owned(),
                name.to_owned(),
                id,
            ));
        }
    }
    for (path, method, name, id) in found {
        let parameters = document["paths"][&path][&method]["parameters"].as_array_mut();
        for parameter in parameters.into_iter().flatten() {
            if parameter["in"] == "path" && parameter["name"] == name.as_str() {
                parameter["example"] = id.clone().into();
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

/// Checks that every operation belongs to one part.
#[must_use]
pub fn covers(contract: &Contract) -> bool {
    let parts = |operation: &Operation<'_>| PARTS.iter().filter(|part| (part.picks)(operation)).count();
    contract.operations().all(|operation| parts(&operation) == 1)
}
