//! An operator's work on a stack on AWS, with the emulator in its place: the same files, commands and answers.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use stack::build::{self, Builder};
use stack::deploy::STACK;
use stack::place::Place;
use stack::play::{Look, until};
use stack::process::run_captured;
use stack::samconfig::Environment;
use stack::tools::Tools;
use tokio::process::Command;

use crate::stage::{PATIENCE, Stage, customer, on_stage};

/// `cargo stack` as an operator starts it.
fn cargo_stack(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stack"));
    command.args(arguments).stdin(Stdio::null());
    command
}

async fn status(stage: &Stage, stack: &str) -> Result<String> {
    let asked = json!({ "StackName": stack });
    let answer = stage.aws.call("cloudformation", "describe_stacks", asked).await?;
    let status = answer["Stacks"][0]["StackStatus"].as_str();
    status.map(str::to_owned).context("a stack has a status")
}

/// Deploys the environment `dev` of `samconfig.toml` unchanged while the local stack runs: with one confirmation, and without any
/// resource name of the other stack. Then runs `cargo stack … --stage dev`.
#[test]
fn a_second_stage_deploys_beside_the_first() {
    on_stage(async |stage| {
        let tools = Tools::set_up(&stage.place).await?;
        let dev = Environment::read(&stage.place.root, "dev")?.stack_name;
        ensure!(dev != STACK, "stages have names of their own");
        let builder = Builder::new(stage.place.clone(), tools.clone(), stage.play.endpoints.profile);
        let template = builder.build_folder().join("template.yaml");
        {
            let _alone = builder.take_turn().await?;
            let mut deploy = tools.sam("sam");
            deploy
                .args(["deploy", "--config-env", "dev"])
                .arg("--config-file")
                .arg(stage.place.root.join("samconfig.toml"))
                .arg("--template-file")
                .arg(&template);
            // Confirms the changes. Any further question gets no answer.
            run_captured(stage.aws.aim(&mut deploy), b"y\n", "sam deploy").await?;
        }
        let outcome = Box::pin(beside(stage, &dev)).await;
        let delete = json!({ "StackName": dev });
        stage.aws.call("cloudformation", "delete_stack", delete).await?;
        outcome
    });
}

async fn beside(stage: &Stage, dev: &str) -> Result<()> {
    ensure!(status(stage, dev).await? == "CREATE_COMPLETE", "{dev} is not created");
    ensure!(status(stage, STACK).await?.ends_with("_COMPLETE"), "{STACK} suffers");
    let session = stage.aws.session()?;
    let (first, second) = (session.resources(STACK).await?, session.resources(dev).await?);
    let counts = [first.len(), second.len()];
    ensure!(counts.iter().all(|count| *count > 100), "{counts:?} resources");
    // Every API has a stage of such a name. The setting of the account is everybody's, which the emulator calls as the template does.
    let is_own = |id: &&String| !["$default", "live", "LogsOfSockets"].contains(&id.as_str());
    let ids = |all: &BTreeMap<String, String>| -> BTreeSet<String> { all.values().filter(is_own).cloned().collect() };
    let both: Vec<_> = ids(&first).intersection(&ids(&second)).cloned().collect();
    ensure!(both.is_empty(), "both stacks have {both:?}");

    // Its own routes lead to its own functions.
    stage.aws.bridge(&["after-deploy", dev]).await?;
    let outputs = stage.aws.outputs(dev).await?;
    let url = outputs.get("ApiUrl");
    let api = url.and_then(|url| url.split("//").nth(1)?.split('.').next());
    let host = format!("{}.execute-api.localhost", api.context("the stack has an ApiUrl")?);
    let url = format!("{}/api/v1/health?deep=true", stage.play.endpoints.aws_endpoint);
    let client = reqwest::Client::builder().no_proxy().build()?;
    until(PATIENCE, "a healthy second stage", async || {
        let answer = client.get(&url).header("host", &host).send().await?;
        let (status, body) = (answer.status(), answer.text().await?);
        Ok(Look::when(status.is_success(), || format!("{status} {body}")))
    })
    .await?;

    // An operator's commands find the stack by samconfig.toml alone.
    let mut dlq = cargo_stack(&["dlq", "--stage", "dev"]);
    let told = run_captured(stage.aws.aim(&mut dlq), &[], "cargo stack dlq").await?;
    let told = String::from_utf8_lossy(&told).into_owned();
    for line in [
        "Calls            0",
        "Sends            0",
        "Changes          0",
        "Events           0",
    ] {
        ensure!(told.contains(line), "cargo stack dlq says {told}");
    }
    let to = customer().to_string();
    let tenant = &stage.play.endpoints.tenants.first().context("a seeded tenant")?.id;
    // Uses the table's own client, too.
    let mut why = cargo_stack(&["why", "--stage", "dev", "--tenant", tenant, "--to", &to]);
    let output = stage.aws.aim(&mut why).output().await.context("starting cargo stack")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(said.contains("does not know"), "cargo stack why says {said}");
    Ok(())
}

#[tokio::test]
async fn a_stage_without_a_region_says_where_to_name_one() {
    let mut command = cargo_stack(&["logs", "health", "--stage", "prod"]);
    for name in ["AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_DEFAULT_PROFILE"] {
        command.env_remove(name);
    }
    command
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    let output = command.output().await.expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "it went on: {said}");
    let unknown = "no region is known for the stack ringback";
    for word in [unknown, "samconfig.toml", "AWS_REGION"] {
        assert!(said.contains(word), "it says {said}");
    }
}

/// Our own clients use what boto3 finds. Nothing is sent, because nobody has logged in.
#[tokio::test]
async fn every_kind_of_profile_has_credentials() {
    let place = Place::new(None).expect("a checkout");
    let tools = Tools::set_up(&place).await.expect("tools");
    let home = std::env::temp_dir().join(format!("ringback-profiles-{}", std::process::id()));
    let credentials = async |profile: &str| {
        std::fs::create_dir_all(&home).expect("a folder");
        let config = home.join("config");
        std::fs::write(&config, format!("[profile operator]\n{profile}")).expect("a file");
        let mut command = tools.bridge_to_aws();
        command
            .arg("credentials")
            .env("HOME", &home)
            .env("AWS_CONFIG_FILE", &config);
        command
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
            .env("AWS_PROFILE", "operator");
        for name in [
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
            "AWS_DEFAULT_PROFILE",
        ] {
            command.env_remove(name);
        }
        let output = command.output().await.expect("it starts");
        String::from_utf8_lossy(if output.status.success() {
            &output.stdout
        } else {
            &output.stderr
        })
        .into_owned()
    };
    let program = r#"credential_process = echo '{"Version":1,"AccessKeyId":"by-program","SecretAccessKey":"s"}'"#;
    let found: serde_json::Value = serde_json::from_str(&credentials(program).await).expect("credentials as JSON");
    assert_eq!(found["AccessKeyId"], "by-program");
    let keys = "aws_access_key_id = mine\naws_secret_access_key = s\naws_session_token = t";
    let found: serde_json::Value = serde_json::from_str(&credentials(keys).await).expect("credentials as JSON");
    assert_eq!(
        (&found["AccessKeyId"], &found["SessionToken"]),
        (&json!("mine"), &json!("t"))
    );
    let identity_center = "sso_session = none\nsso_account_id = 123456789012\nsso_role_name = operator\n\
                           [sso-session none]\nsso_region = us-east-1\nsso_start_url = https://nobody.example/start";
    let login = "region = us-east-1\nlogin_session = arn:aws:iam::123456789012:user/nobody";
    for (profile, why) in [(identity_center, "SSO Token"), (login, "aws login")] {
        let said = credentials(profile).await;
        assert!(
            said.starts_with("AWS credentials: ") && said.contains(why),
            "it says {said}"
        );
    }
    std::fs::remove_dir_all(&home).expect("a folder");
}

/// The words after `cargo stack` on a page, up to the end of the line or code.
fn commands_on_page(page: &str) -> impl Iterator<Item = Vec<&str>> {
    let end = |rest: &str| rest.find(['`', '\n', '#', ';', '&', '(']).unwrap_or(rest.len());
    let lines = page.split("cargo stack ").skip(1).map(move |rest| &rest[..end(rest)]);
    lines.map(|line| line.split_whitespace().collect())
}

#[tokio::test]
async fn commands_on_pages_are_taken_as_they_stand() {
    let root = Place::new(None).expect("a checkout").root;
    let mut checked = 0;
    for page in [
        "README.md",
        "docs/operations/first-deployment.md",
        "docs/operations/logs-and-dead-letters.md",
        "docs/operations/tenants.md",
        "docs/operations/incidents.md",
        "docs/first-quarter-of-an-hour.md",
        "CONTRIBUTING.md",
    ] {
        let text = std::fs::read_to_string(root.join(page)).expect("the page is there");
        for words in commands_on_page(&text) {
            let is_command = |word: &&&str| word.chars().all(|c| c.is_ascii_lowercase());
            let command: Vec<&str> = match words.first() {
                Some(&"tenant") => words.iter().take(2).take_while(is_command).copied().collect(),
                first => first.iter().copied().filter(|word| is_command(word)).copied().collect(),
            };
            if command.is_empty() {
                continue;
            }
            if let ["logs" | "deploy", function, ..] = words[..]
                && function.chars().all(|c| c.is_ascii_lowercase() || c == '_')
            {
                let known = build::function(&root, function).is_ok();
                assert!(known, "{page}: there is no function {function}");
            }
            let options: Vec<&str> = words.iter().copied().filter(|word| word.starts_with("--")).collect();
            let help = cargo_stack(&command).arg("--help").output().await.expect("it starts");
            let help = String::from_utf8_lossy(&help.stdout).into_owned();
            for option in options {
                checked += 1;
                let takes = help.split_whitespace().any(|word| word == option);
                assert!(takes, "{page}: cargo stack {} takes no {option}", command.join(" "));
            }
        }
    }
    assert!(checked > 10, "only {checked} options are shown");
}
