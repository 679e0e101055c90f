//! Generates clients from the contract, and uses them against the deployed stack.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use anyhow::{Context as _, Result, ensure};
use domain::Timestamp;
use domain::terms::{Channel, Phone};
use futures::future::try_join_all;
use serde::Deserialize;
use serde_json::{Value, json};
use stack::business::Plan;
use stack::tools::Contract;
use stack::{api, mails};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::people::{INVITATIONS, mailed_token};
use crate::stage::{Business, Stage, alone_on_stage, customer, on_stage, size};

#[test]
fn a_python_client_is_generated_and_works() {
    on_stage(async |stage| {
        let mut using = python_client(stage, "python", "use_client.py").await?;
        let said = run(with_key(&mut using, stage, &key(stage).await?), "use_client.py").await?;
        ensure!(said.contains("the Python client works"), "{said}");
        Ok(())
    });
}

/// A program that uses the generated Python client.
async fn python_client(stage: &Stage, folder: &str, program: &str) -> Result<Command> {
    let (tools, folder) = (stage.contract().await?, stage.place.data.join("clients").join(folder));
    tools.generate_python_client(&folder).await?;
    let own = stage.place.root.join("infra/contract/clients/python");
    let mut using = tools.program("python");
    using.arg(own.join(program)).env("PYTHONPATH", &folder);
    Ok(using)
}

/// A client that we did not write: it loses its connection, and goes on from where it was.
#[test]
fn a_python_client_follows_by_a_socket() {
    on_stage(async |stage| {
        let (ours, beside) = (stage.business("Followed").await?, key(stage).await?);
        let mut following = stage.contract().await?.program("python");
        following
            .arg(stage.place.root.join("infra/contract/clients/python/follow.py"))
            .env("RINGBACK_OTHER_KEY", &beside);
        follows(&mut following, &ours).await
    });
}

/// Sockets that shout; as many as this variable says, where it is set: `RINGBACK_TEST_SHOUTING_SOCKETS=200`.
const SHOUTING: usize = 4;

/// An account of `shout.py`.
#[derive(Deserialize)]
struct Shouted {
    tickets: Vec<String>,
    told_seconds: f64,
    most_pongs: usize,
    most_refused: usize,
}

/// They are closed, others are told what they watch, and no line has what opened them. Alone: beside others, so little of it is heard that
/// nobody shouts.
#[test]
fn sockets_that_shout_are_closed() {
    alone_on_stage(async |stage| {
        let loud = stage.changed_business("Loud", Plan::lift_limits).await?;
        let calm = stage.business("Calm").await?;
        let sockets = size("RINGBACK_TEST_SHOUTING_SOCKETS", SHOUTING)?;
        let mut shouting = stage.contract().await?.program("python");
        shouting
            .arg(stage.place.root.join("infra/contract/clients/python/shout.py"))
            .env("RINGBACK_SOCKETS", sockets.to_string())
            .env("RINGBACK_OTHER_KEY", &calm.tenant.api_key)
            .env("RINGBACK_TENANT", calm.id())
            .env("RINGBACK_SIMULATORS", &stage.play.endpoints.simulators);
        let said = run(with_key(&mut shouting, stage, &loud.tenant.api_key), "shout.py").await?;
        let shouted: Shouted = serde_json::from_str(&said).with_context(|| said.clone())?;
        let (pongs, refused) = (shouted.most_pongs, shouted.most_refused);
        eprintln!(
            "told after {:.1} s; at most {pongs} pongs and {refused} refusals",
            shouted.told_seconds
        );
        ensure!(shouted.tickets.len() == sockets);
        // The last one says that there were too many, and the line of each event names who it was.
        let of_loud = |line: &Value| line["function"] == "live_socket" && line["tenant"] == loud.id();
        let too_many = |line: &Value| of_loud(line) && line["refused"] == "too_many";
        stage.wait_for_logs("a refusal of too many", too_many).await?;
        for line in stage.lines(of_loud).await? {
            let actor = line["actor"].as_str().unwrap_or_default();
            ensure!(actor.starts_with("key_") && line["network"] == "127.0.0.0/24", "{line}");
        }
        for event in stage.logs(Timestamp::now().as_millisecond() - 300_000).await? {
            let has_ticket = shouted.tickets.iter().any(|ticket| event.message.contains(ticket));
            ensure!(!has_ticket, "a line has a ticket: {}", event.message);
        }
        Ok(())
    });
}

/// Runs a program that follows a business by a socket.
async fn follows(program: &mut Command, ours: &Business<'_>) -> Result<()> {
    program
        .env("RINGBACK_SIMULATORS", &ours.stage.play.endpoints.simulators)
        .env("RINGBACK_TENANT", ours.id());
    let said = run(with_key(program, ours.stage, &ours.tenant.api_key), "a follower").await?;
    ensure!(said.contains("the socket tells all"), "{said}");
    Ok(())
}

/// A follower by a socket in Node.js.
#[test]
fn a_node_client_follows_by_a_socket() {
    on_stage(async |stage| {
        let ours = stage.business("Followed").await?;
        let tools = stage.contract().await?;
        let folder = fresh(stage, "node")?;
        let client = stage.place.root.join("infra/contract/clients/typescript/follow.mjs");
        std::fs::copy(client, folder.join("follow.mjs")).context("copying follow.mjs")?;
        std::os::unix::fs::symlink(tools.packages_folder(), folder.join("node_modules"))?;
        let mut following = tools.program("node");
        following.arg(folder.join("follow.mjs"));
        follows(&mut following, &ours).await
    });
}

/// A browser that we did not write: it opens what its push service took for it.
#[test]
fn a_python_receiver_opens_notifications() {
    on_stage(async |stage| {
        let business = stage.business("Notified").await?;
        let access = signed_in(&business).await?;
        let tools = stage.contract().await?;
        let mut receiving = tools.program("python");
        receiving
            .arg(stage.place.root.join("infra/contract/clients/python/receive_pushes.py"))
            .env("RINGBACK_API", &stage.play.endpoints.api)
            .env("RINGBACK_SIMULATORS", &stage.play.endpoints.simulators)
            .env("RINGBACK_TENANT", business.id())
            .env("RINGBACK_ACCESS_TOKEN", access)
            .env("NO_PROXY", "127.0.0.1");
        let said = run(&mut receiving, "receive_pushes.py").await?;
        ensure!(said.contains("the notifications are opened"), "{said}");
        Ok(())
    });
}

/// The access token of a manager who joins the business and logs in.
async fn signed_in(business: &Business<'_>) -> Result<String> {
    let play = &business.stage.play;
    let to = mails::new_address()?;
    let post =
        async |path: &str, body: Value| api::ask_for_json(play, &api::Proof::Nothing, "post", path, Some(body)).await;
    let invite = json!({"email": to, "role": "manager"});
    business.api("post", INVITATIONS, Some(invite)).await?;
    let token = mailed_token(business.stage, &to).await?;
    let password = "seven quiet lanterns";
    let accept = json!({"token": token, "name": "Sami Nasser", "password": password});
    post(&format!("{INVITATIONS}/accept"), accept).await?;
    let session = post("/api/v1/auth/log-in", json!({"email": to, "password": password})).await?;
    let access = session["access_token"].as_str().context("an access token")?;
    Ok(access.to_owned())
}

#[test]
fn a_typescript_client_is_generated_checked_and_works() {
    on_stage(async |stage| {
        let (folder, mut using) = typescript_client(stage, "typescript", "use_client.ts").await?;
        run(&mut check(stage.contract().await?, &folder), "tsc").await?;
        let said = run(with_key(&mut using, stage, &key(stage).await?), "use_client.ts").await?;
        ensure!(said.contains("the TypeScript client works"), "{said}");
        Ok(())
    });
}

/// A program that uses the generated TypeScript client, and its folder.
async fn typescript_client(stage: &Stage, folder: &str, program: &str) -> Result<(PathBuf, Command)> {
    let (tools, folder) = (stage.contract().await?, fresh(stage, folder)?);
    let own = stage.place.root.join("infra/contract/clients/typescript");
    for file in ["use_client.ts", "answer.ts", "tsconfig.json"] {
        std::fs::copy(own.join(file), folder.join(file)).with_context(|| format!("copying {file}"))?;
    }
    std::fs::write(folder.join("package.json"), r#"{"type": "module"}"#)?;
    std::os::unix::fs::symlink(tools.packages_folder(), folder.join("node_modules"))?;
    let mut generate = tools.program("openapi-typescript");
    generate
        .arg(stage.place.root.join("docs/openapi.json"))
        .arg("--output")
        .arg(folder.join("ringback.ts"));
    run(&mut generate, "openapi-typescript").await?;
    let mut using = tools.program("node");
    using.arg(folder.join(program)).current_dir(&folder);
    Ok((folder, using))
}

/// Customers who wait; as many as this variable says, where it is set: `RINGBACK_TEST_WAITING_CUSTOMERS=500`.
const CUSTOMERS: usize = 12;

/// A client's account of its work, at its end.
#[derive(Deserialize)]
struct Answers {
    answered: usize,
    missed: usize,
}

/// Conversations that a client lists at once.
const LISTED: usize = 100;

/// A client at its work.
struct Answering {
    process: Child,
    said: Lines<BufReader<ChildStdout>>,
}

impl Answering {
    fn start(command: &mut Command) -> Result<Self> {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().context("starting a client")?;
        let said = process.stdout.take().context("what it says")?;
        let said = BufReader::new(said).lines();
        Ok(Self { process, said })
    }

    async fn line(&mut self) -> Result<String> {
        self.said.next_line().await?.context("the client ended")
    }

    async fn goes_on(mut self) -> Result<Answers> {
        let mut hears = self.process.stdin.take().context("its input")?;
        hears.write_all(b"\n").await?;
        drop(hears);
        let answers = serde_json::from_str(&self.line().await?)?;
        ensure!(self.process.wait().await?.success());
        Ok(answers)
    }
}

/// Two clients answer whoever waits, each as fast as it can. Nobody gets two answers.
#[test]
fn two_generated_clients_give_one_answer_to_each() {
    on_stage(async |stage| {
        let business = stage.business("Answered").await?;
        let customers = size("RINGBACK_TEST_WAITING_CUSTOMERS", CUSTOMERS)?;
        let customers: Vec<Phone> = (0..customers).map(|_| customer()).collect();
        for some in customers.chunks(10) {
            let write = |from| business.reply(from, Channel::WhatsApp, "Are you open?");
            try_join_all(some.iter().map(write)).await?;
        }
        for from in &customers {
            business.has_written(from).await?;
        }
        let key = json!({"name": "The other client", "role": "agent"});
        let other = business.api("post", "/api/v1/api-keys", Some(key)).await?;
        let other = other["key"].as_str().context("a key")?;
        let mut python = python_client(stage, "answering_python", "answer.py").await?;
        let (_, mut typescript) = typescript_client(stage, "answering_typescript", "answer.ts").await?;
        let python = with_key(&mut python, stage, &business.tenant.api_key).env("RINGBACK_NAME", "Pia");
        let typescript = with_key(&mut typescript, stage, other).env("RINGBACK_NAME", "Tom");
        let (mut pia, mut tom) = (Answering::start(python)?, Answering::start(typescript)?);
        // Each has the list, so all but the first of two answers is refused.
        ensure!(pia.line().await? == "listed" && tom.line().await? == "listed");
        let (pia, tom) = tokio::try_join!(pia.goes_on(), tom.goes_on())?;
        eprintln!(
            "{} and {} answers, refused {} and {} times",
            pia.answered, tom.answered, pia.missed, tom.missed
        );
        ensure!(pia.answered + tom.answered == customers.len());
        ensure!(pia.missed + tom.missed >= customers.len().min(LISTED));
        for customer in &customers {
            business.wait_until_accepted(customer, Channel::WhatsApp).await?;
            business.sent_once(customer).await?;
        }
        Ok(())
    });
}

fn check(tools: &Contract, folder: &Path) -> Command {
    let mut check = tools.program("tsc");
    check.arg("--project").arg(folder.join("tsconfig.json"));
    check
}

/// The API key of a business for this test only.
async fn key(stage: &Stage) -> Result<String> {
    Ok(stage.business("Client").await?.tenant.api_key)
}

fn with_key<'a>(command: &'a mut Command, stage: &Stage, key: &str) -> &'a mut Command {
    command
        .env("RINGBACK_API", &stage.play.endpoints.api)
        .env("RINGBACK_KEY", key)
        .env("NO_PROXY", "127.0.0.1")
}

fn fresh(stage: &Stage, name: &str) -> Result<PathBuf> {
    let folder = stage.place.data.join("clients").join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).with_context(|| format!("emptying {}", folder.display()))?;
    }
    std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    Ok(folder)
}

async fn run(command: &mut Command, what: &str) -> Result<String> {
    let Output { status, stdout, stderr } = command.output().await.with_context(|| format!("starting {what}"))?;
    let said = String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned();
    ensure!(status.success(), "{what}: {status}\n{said}");
    Ok(said)
}
