//! Access to AWS, local or real: `bridge.py` calls boto3, so that no client is compiled for services that no
//! function uses. A call takes about half a second, so it is not for hot paths.

use std::collections::BTreeMap;
use std::process::Stdio;

use anyhow::{Context as _, Result, bail};
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
use aws_types::SdkConfig;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::Mutex;

use crate::build::Function;
use crate::process::run_captured;
use crate::samconfig::Environment;
use crate::tools::Tools;

/// The region of the local stack.
pub const REGION: &str = "us-east-1";

/// Credentials that MiniStack accepts as the account's root.
const LOCAL_CREDENTIALS: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "test"),
    ("AWS_SECRET_ACCESS_KEY", "test"),
    ("AWS_REGION", REGION),
];

/// Configuration of our own clients of the local AWS at this URL.
pub fn local_sdk(endpoint: &str) -> SdkConfig {
    let [(_, id), (_, secret), _] = LOCAL_CREDENTIALS;
    let mut config = sdk(REGION.to_owned(), Credentials::new(id, secret, None, None, "local")).into_builder();
    config.set_endpoint_url(Some(endpoint.to_owned()));
    config.build()
}

fn sdk(region: String, credentials: Credentials) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}

/// Credentials as `bridge.py` prints them.
#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Found {
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
}

/// An output of a stack by its name.
pub fn output<'a>(outputs: &'a BTreeMap<String, String>, name: &str) -> Result<&'a str> {
    let found = outputs.get(name).map(String::as_str);
    found.with_context(|| format!("the stack has no output {name}"))
}

/// An AWS, local or real.
#[derive(Debug, Clone)]
pub struct Aws {
    tools: Tools,
    side: Side,
}

#[derive(Debug, Clone)]
enum Side {
    /// The emulator, at this URL.
    Local(String),
    /// AWS itself, with the caller's own credentials.
    Real { region: String, profile: Option<String> },
}

/// An open session: see [`Aws::session`].
#[derive(Debug)]
pub struct Session(Mutex<Pipes>);

#[derive(Debug)]
struct Pipes {
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl Session {
    /// Calls an operation as [`Aws::call`] does.
    pub async fn call(&self, service: &str, operation: &str, arguments: Value) -> Result<Value> {
        let asked = json!({ "service": service, "operation": operation, "arguments": arguments });
        let answer = self.ask(&asked).await;
        answer.with_context(|| format!("{service} {operation}"))
    }

    async fn ask(&self, asked: &Value) -> Result<Value> {
        let mut pipes = self.0.lock().await;
        let sent = pipes.stdin.write_all(format!("{asked}\n").as_bytes()).await;
        sent.context("writing to bridge.py, whose error stands above")?;
        let told = pipes.lines.next_line().await.context("reading from bridge.py")?;
        drop(pipes);
        let told = told.context("bridge.py has ended; its error stands above")?;
        let mut told: Value = serde_json::from_str(&told).context("parsing the answer of bridge.py")?;
        match told["error"].as_str() {
            Some(error) => bail!("{error}"),
            None => Ok(told["answer"].take()),
        }
    }

    /// The objects of a bucket below a prefix, as S3 lists them.
    pub async fn objects(&self, bucket: &str, prefix: &str) -> Result<Vec<Value>> {
        let mut ask = json!({ "Bucket": bucket, "Prefix": prefix });
        let mut found = Vec::new();
        loop {
            let mut page = self.call("s3", "list_objects_v2", ask.clone()).await?;
            found.extend(page["Contents"].as_array_mut().into_iter().flat_map(std::mem::take));
            let token = page["NextContinuationToken"].take();
            if token.is_null() {
                return Ok(found);
            }
            ask["ContinuationToken"] = token;
        }
    }

    /// Physical ids of a stack's resources by logical id.
    pub async fn resources(&self, stack: &str) -> Result<BTreeMap<String, String>> {
        let asked = json!({ "StackName": stack });
        let answer = self.call("cloudformation", "describe_stack_resources", asked).await?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let all = answer["StackResources"].as_array().context("a stack has resources")?;
        Ok(all
            .iter()
            .map(|one| (text(&one["LogicalResourceId"]), text(&one["PhysicalResourceId"])))
            .collect())
    }
}

/// A line of a function's log.
#[derive(Debug, Clone, serde::Deserialize)]
pub struct LogEvent {
    pub group: String,
    /// The stream, whose name has the function's on AWS.
    #[serde(default)]
    pub stream: String,
    /// Time in milliseconds since 1970.
    pub time: i64,
    pub message: String,
}

impl LogEvent {
    /// Whether a deployed function wrote the line. Lambda's own lines, such as `REPORT`, are told by their stream, ours by their field.
    pub fn is_of(&self, function: &Function, stack: &str) -> bool {
        let deployed = function.deployed_name(stack);
        let by_stream = self.stream.split(['/', '[']).any(|part| part == deployed);
        let named =
            || serde_json::from_str::<Value>(&self.message).is_ok_and(|line| line["function"] == *function.name);
        by_stream || named()
    }
}

impl Aws {
    /// The emulator at `endpoint`.
    pub const fn local(tools: Tools, endpoint: String) -> Self {
        Self {
            tools,
            side: Side::Local(endpoint),
        }
    }

    /// AWS itself, in the region of an environment of `samconfig.toml`, or the caller's.
    pub async fn real(tools: Tools, environment: &Environment) -> Result<Self> {
        let named = |name: &str| std::env::var(name).ok().filter(|region| !region.is_empty());
        let mut region = environment
            .region
            .clone()
            .or_else(|| named("AWS_REGION"))
            .or_else(|| named("AWS_DEFAULT_REGION"));
        let profile = environment.profile.clone();
        if region.is_none() {
            let mut ask = tools.bridge_to_aws();
            ask.arg("region")
                .envs(profile.iter().map(|profile| ("AWS_PROFILE", profile)));
            let told = run_captured(&mut ask, &[], "bridge.py region").await?;
            region = Some(String::from_utf8_lossy(&told).trim().to_owned()).filter(|region| !region.is_empty());
        }
        let region = region.with_context(|| {
            format!(
                "no region is known for the stack {}: set it as `region` in samconfig.toml, in AWS_REGION, or in your AWS \
                 profile (docs/operations/first-deployment.md)",
                environment.stack_name
            )
        })?;
        let side = Side::Real { region, profile };
        Ok(Self { tools, side })
    }

    /// The emulator's URL, if it is one.
    pub fn endpoint(&self) -> Option<&str> {
        match &self.side {
            Side::Local(endpoint) => Some(endpoint),
            Side::Real { .. } => None,
        }
    }

    /// Configures a command for this AWS.
    pub fn aim<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        match &self.side {
            Side::Local(endpoint) => command
                .env("AWS_ENDPOINT_URL", endpoint)
                .env("AWS_DEFAULT_REGION", REGION)
                .env("NO_PROXY", "127.0.0.1,localhost")
                .env_remove("AWS_PROFILE")
                .env_remove("AWS_SESSION_TOKEN")
                .envs(LOCAL_CREDENTIALS),
            // boto3 reads one of the two names, the SDK the other.
            Side::Real { region, profile } => command
                .env("AWS_DEFAULT_REGION", region)
                .env("AWS_REGION", region)
                .envs(profile.iter().map(|profile| ("AWS_PROFILE", profile))),
        }
    }

    /// Configuration of our own clients. boto3 finds the credentials, so that a profile means the same for all that the command does.
    pub async fn sdk(&self) -> Result<SdkConfig> {
        match &self.side {
            Side::Local(endpoint) => Ok(local_sdk(endpoint)),
            Side::Real { region, .. } => {
                let told = self.bridge(&["credentials"]).await?;
                let found: Found = serde_json::from_slice(&told).context("reading the credentials of bridge.py")?;
                let credentials = Credentials::new(
                    found.access_key_id,
                    found.secret_access_key,
                    found.session_token,
                    None,
                    "boto3",
                );
                let mut config = sdk(region.clone(), credentials).into_builder();
                // An emulator in AWS's place, as boto3 takes it.
                let endpoint = std::env::var("AWS_ENDPOINT_URL").ok();
                config.set_endpoint_url(endpoint.filter(|url| !url.is_empty()));
                Ok(config.build())
            }
        }
    }

    fn command(&self) -> Command {
        match &self.side {
            Side::Local(_) => self.tools.bridge(),
            Side::Real { .. } => self.tools.bridge_to_aws(),
        }
    }

    /// Runs a subcommand of `bridge.py` and returns what it prints.
    pub async fn bridge(&self, arguments: &[&str]) -> Result<Vec<u8>> {
        let mut command = self.command();
        self.aim(command.args(arguments));
        run_captured(&mut command, &[], &format!("bridge.py {}", arguments.join(" "))).await
    }

    /// A boto3 call: service and operation as boto3 spells them (`"lambda"`, `"update_event_source_mapping"`).
    pub async fn call(&self, service: &str, operation: &str, arguments: Value) -> Result<Value> {
        self.session()?.call(service, operation, arguments).await
    }

    /// Sets a variable of these deployed functions, whose warm processes are replaced. Functions take an empty one for none.
    pub async fn set_variable(&self, variable: &str, value: &str, functions: &[String]) -> Result<()> {
        let assignment = format!("{variable}={value}");
        let mut arguments = vec!["set-variable", &assignment];
        arguments.extend(functions.iter().map(String::as_str));
        self.bridge(&arguments).await.map(drop)
    }

    /// Disables or enables what a function consumes: the event sources whose ARN ends with `source`. Returns their ids.
    pub async fn set_consuming(&self, function: &str, source: &str, on: bool) -> Result<Vec<String>> {
        let asked = json!({ "FunctionName": function });
        let found = self.call("lambda", "list_event_source_mappings", asked).await?;
        let mappings = found["EventSourceMappings"].as_array().into_iter().flatten();
        let mut ids = Vec::new();
        for mapping in mappings {
            let arn = mapping["EventSourceArn"].as_str();
            if !arn.is_some_and(|arn| arn.ends_with(source)) {
                continue;
            }
            let id = mapping["UUID"].as_str().context("an event source has an id")?;
            let change = json!({ "UUID": id, "Enabled": on });
            self.call("lambda", "update_event_source_mapping", change).await?;
            ids.push(id.to_owned());
        }
        Ok(ids)
    }

    /// A session for many calls in sequence, which saves the half second that each call takes to start.
    pub fn session(&self) -> Result<Session> {
        let mut command = self.command();
        self.aim(command.arg("calls"));
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("starting bridge.py calls")?;
        let stdin = child.stdin.take().context("stdin is piped")?;
        let stdout = child.stdout.take().context("stdout is piped")?;
        Ok(Session(Mutex::new(Pipes {
            stdin,
            lines: BufReader::new(stdout).lines(),
            _child: child,
        })))
    }

    /// All events of these log groups since a time (milliseconds since 1970).
    pub async fn logs(&self, groups: &[String], since: Option<i64>) -> Result<Vec<LogEvent>> {
        let since = since.map_or_else(String::new, |at| at.to_string());
        let mut arguments = vec!["logs", &since];
        arguments.extend(groups.iter().map(String::as_str));
        let output = self.bridge(&arguments).await?;
        let mut events = output
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice::<LogEvent>(line).context("reading a log event"))
            .collect::<Result<Vec<_>>>()?;
        events.sort_by_key(|event| event.time);
        Ok(events)
    }

    /// A stack's outputs by name.
    pub async fn outputs(&self, stack: &str) -> Result<BTreeMap<String, String>> {
        let asked = json!({ "StackName": stack });
        let answer = self.call("cloudformation", "describe_stacks", asked).await?;
        let outputs = answer["Stacks"][0]["Outputs"].as_array().into_iter().flatten();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Ok(outputs
            .filter_map(|output| Some((text(&output["OutputKey"])?, text(&output["OutputValue"])?)))
            .collect())
    }
}
