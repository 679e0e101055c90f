//! `fuzz`: schemathesis asks every operation of the contract, with right and wrong input, and looks whether each answer is one
//! that the contract names: no 5xx, no status, header or field that it does not know.

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

/// How much is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Random requests per operation, besides those that the schemas' limits suggest.
    pub examples: u32,
    /// Whether also in sequences, with what earlier answers named.
    pub sequences: bool,
    /// Persons who take turns.
    pub persons: usize,
}

impl Size {
    /// A minute or two.
    pub const SHORT: Self = Self {
        examples: 6,
        sequences: false,
        persons: 8,
    };
    /// As long as it takes.
    pub const LONG: Self = Self {
        examples: 150,
        sequences: true,
        persons: 40,
    };
}

/// Makes the same requests in every run of CI.
pub const SEED: u64 = 20_261_120;

/// What an answer is held against.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
                      response_schema_conformance";

/// Who asks which operations.
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

/// Asks everything; an error shows what was found, with requests to repeat it.
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

/// `cargo stack fuzz`: the long form, on a stack of its own.
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
        // One worker: the same requests in the same order; and two of them meet in a race within the tool.
        .args(["run", "--no-color", "--continue-on-failure", "--workers", "1"])
        .args(["--url", &play.endpoints.api])
        .args(["--checks", CHECKS, "--phases", phases])
        .args(["--max-examples", &size.examples.to_string()])
        .args(["--seed", &seed.to_string(), "--generation-database", "none"])
        // What it says of data it could not think of is no finding about the API.
        .args(["--suppress-health-check", "all", "--warnings", "off"])
        .args(["--request-timeout", "60"]);
}

/// Lets each operation's path begin with what is there, made for this operation alone: what one deletes, no other asks for.
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

/// Tokens of persons made for this, one per line.
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

/// Whether every operation belongs to one part.
#[must_use]
pub fn covers(contract: &Contract) -> bool {
    let parts = |operation: &Operation<'_>| PARTS.iter().filter(|part| (part.picks)(operation)).count();
    contract.operations().all(|operation| parts(&operation) == 1)
}
