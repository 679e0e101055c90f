//! Generates clients from the contract, and uses them against the deployed stack.

use std::{
    path::{Path, PathBuf},
    process::Output,
};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use stack::{mails, tools::Contract};
use tokio::process::Command;

use crate::stage::{Business, PATIENCE, Stage, on_stage};

#[test]
fn a_python_client_is_generated_and_works() {
    on_stage(async |stage| {
        let tools = stage.contract().await?;
        let folder = fresh(stage, "python")?;
        let own = stage.place.root.join("infra/contract/clients/python");
        let package = folder.join("ringback_client");
        let mut generate = tools.program("openapi-python-client");
        generate
            .args([
                "generate",
                "--overwrite",
                "--meta",
                "none",
                "--fail-on-warning",
                "--path",
            ])
            .arg(stage.place.root.join("docs/openapi.json"))
            .arg("--config")
            .arg(own.join("config.yml"))
            .arg("--output-path")
            .arg(&package);
        run(&mut generate, "openapi-python-client").await?;
        let mut using = tools.program("python");
        using.arg(own.join("use_client.py")).env("PYTHONPATH", &folder);
        let said = run(with_key(&mut using, stage, &key(stage).await?), "use_client.py").await?;
        ensure!(said.contains("the Python client works"), "{said}");
        Ok(())
    });
}

/// A client that we did not write: it loses its connection, and goes on from where it was.
#[test]
fn a_python_client_follows_by_a_socket() {
    on_stage(async |stage| {
        let (ours, beside) = (stage.business("Followed").await?, key(stage).await?);
        let tools = stage.contract().await?;
        let mut following = tools.program("python");
        following
            .arg(stage.place.root.join("infra/contract/clients/python/follow.py"))
            .env("RINGBACK_SIMULATORS", &stage.play.endpoints.simulators)
            .env("RINGBACK_TENANT", ours.id())
            .env("RINGBACK_OTHER_KEY", &beside);
        let said = run(with_key(&mut following, stage, &ours.tenant.api_key), "follow.py").await?;
        ensure!(said.contains("the socket tells all"), "{said}");
        Ok(())
    });
}

/// The same by Node.js.
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
        following
            .arg(folder.join("follow.mjs"))
            .env("RINGBACK_SIMULATORS", &stage.play.endpoints.simulators)
            .env("RINGBACK_TENANT", ours.id());
        let said = run(with_key(&mut following, stage, &ours.tenant.api_key), "follow.mjs").await?;
        ensure!(said.contains("the socket tells all"), "{said}");
        Ok(())
    });
}

/// A browser that we did not write: it opens what its push service took for it.
#[test]
fn a_python_receiver_opens_a_notification() {
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
        ensure!(said.contains("the notification is opened"), "{said}");
        Ok(())
    });
}

/// The access token of an agent who joins the business and logs in.
async fn signed_in(business: &Business<'_>) -> Result<String> {
    const INVITATIONS: &str = "/api/v1/users/invitations";
    let play = &business.stage.play;
    let to = mails::new_address()?;
    let post = async |path: &str, key: Option<&str>, body: Value| {
        let headers: Vec<_> = [("content-type", "application/json")]
            .into_iter()
            .chain(key.map(|key| ("x-api-key", key)))
            .collect();
        let answer = play.request("POST", path, &headers, body.to_string()).await?;
        ensure!((200..300).contains(&answer.status), "{path}: {answer:?}");
        serde_json::from_str::<Value>(&answer.body).context("the answer is JSON")
    };
    let invite = json!({"email": to, "role": "agent"});
    post(INVITATIONS, Some(&business.tenant.api_key), invite).await?;
    let mail = mails::arrived(play, &to, PATIENCE).await?;
    let link = mail.links.first().context("the mail has a link")?;
    let (_, token) = link.split_once("token=").context("the link has a token")?;
    let password = "seven quiet lanterns";
    let accept = json!({"token": token, "name": "Sami Nasser", "password": password});
    post(&format!("{INVITATIONS}/accept"), None, accept).await?;
    let session = post("/api/v1/auth/log-in", None, json!({"email": to, "password": password})).await?;
    let access = session["access_token"].as_str().context("an access token")?;
    Ok(access.to_owned())
}

#[test]
fn a_typescript_client_is_generated_checked_and_works() {
    on_stage(async |stage| {
        let tools = stage.contract().await?;
        let folder = fresh(stage, "typescript")?;
        let own = stage.place.root.join("infra/contract/clients/typescript");
        for file in ["use_client.ts", "tsconfig.json"] {
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
        run(&mut check(tools, &folder), "tsc").await?;
        let mut using = tools.program("node");
        using.arg(folder.join("use_client.ts")).current_dir(&folder);
        let said = run(with_key(&mut using, stage, &key(stage).await?), "use_client.ts").await?;
        ensure!(said.contains("the TypeScript client works"), "{said}");
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
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&stdout),
        String::from_utf8_lossy(&stderr)
    );
    ensure!(status.success(), "{what}: {status}\n{said}");
    Ok(said)
}
