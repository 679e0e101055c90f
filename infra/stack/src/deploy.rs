//! Deploys the template and the functions, but only what changed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::aws::Aws;
use crate::build::{Builder, Function};
use crate::place::{Place, read_json, write_json};
use crate::process::run_logged;
use crate::report::step;
use crate::tools::{Tools, fingerprint};

/// The stack's name in the emulator, as in samconfig.toml.
pub const STACK: &str = "ringback-local";

/// The shared Meta app's secret in the emulator's Secrets Manager.
pub const META_APP_SECRET: &str = "ringback-local/meta-app";

const ARTIFACTS: &str = "ringback-local-artifacts";

/// The timers of production, shortened, in the same order: provider < function < claim < first due < visibility.
pub const LOCAL_TIMERS: [(&str, u32); 9] = [
    ("ProviderTimeout", 2),
    ("FunctionTimeout", 6),
    ("ClaimSeconds", 8),
    ("FirstDueSeconds", 10),
    ("QueueVisibility", 12),
    ("UnknownDeadlineSeconds", 15),
    ("DecideCallSeconds", 5),
    ("RecheckSeconds", 5),
    ("TenantGraceSeconds", 3600),
];

/// Record of what is deployed in a data directory, beside MiniStack's own state.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Deployed {
    /// The stack's `deployment` tag: shows whether the emulator's state is the expected one.
    id: String,
    /// The template and its parameters.
    source: String,
    /// The hash of each function's code.
    binaries: BTreeMap<String, String>,
    /// Whether the emulator was stopped normally, so that its state is as new as this record.
    pub clean: bool,
}

impl Deployed {
    fn file(place: &Place) -> PathBuf {
        place.data.join("deployed.json")
    }

    /// Reads the record; empty if the file is unreadable.
    pub fn read(place: &Place) -> Self {
        read_json(&Self::file(place)).unwrap_or_default()
    }

    pub fn write(&self, place: &Place) -> Result<()> {
        write_json(&Self::file(place), self)
    }
}

/// Deploys to the emulator. `parameters` are added to the timers; empty values are the template's defaults.
pub async fn deploy(
    place: &Place,
    tools: &Tools,
    aws: &Aws,
    builder: &Builder,
    functions: &[Function],
    parameters: &[(&str, String)],
) -> Result<()> {
    let architecture = crate::build::architecture();
    let given = parameters.iter().filter(|(_, value)| !value.is_empty());
    let mut parameters: Vec<String> = given.map(|(key, value)| format!("{key}={value}")).collect();
    parameters.extend(LOCAL_TIMERS.iter().map(|(key, value)| format!("{key}={value}")));
    parameters.push(format!("Architecture={architecture}"));

    let mut was = Deployed::read(place);
    let template = place.root.join("template.yaml");
    let bridge = place.root.join("infra/stack/bridge.py");
    let files = fingerprint([template.as_path(), bridge.as_path()])?;
    let source = format!("{files} {}", parameters.join(" "));
    let mut binaries = BTreeMap::new();
    let before = builder.write_scripts(functions)?;
    for function in functions {
        let code = builder.code(function);
        binaries.insert(function.name.clone(), fingerprint([code.as_path()])?);
    }

    if was.source == source && !was.id.is_empty() && deployment(aws).await.as_deref() == Some(&was.id) {
        let changed: Vec<_> = functions
            .iter()
            .filter(|function| !was.clean || was.binaries.get(&function.name) != binaries.get(&function.name))
            .collect();
        if !changed.is_empty() {
            let what = format!("updating {} functions", changed.len());
            step(&what, update_code(aws, builder, &changed)).await?;
        }
    } else {
        let template = step("packaging functions", builder.package(functions, architecture)).await?;
        let id = crate::secrets::random_hex(8)?;
        step("sam deploy", sam_deploy(place, tools, aws, &template, &parameters, &id)).await?;
        // Bridges for features that the emulator's CloudFormation lacks; see bridge.py.
        step("routes, CORS and TTL", async {
            aws.bridge(&["after-deploy", STACK]).await.map(drop)
        })
        .await?;
        was.id = id;
    }
    builder.delete_links(&before)?;
    Deployed {
        id: was.id,
        source,
        binaries,
        clean: false,
    }
    .write(place)
}

async fn sam_deploy(
    place: &Place,
    tools: &Tools,
    aws: &Aws,
    template: &Path,
    parameters: &[String],
    id: &str,
) -> Result<()> {
    let made = aws.call("s3", "create_bucket", json!({ "Bucket": ARTIFACTS })).await;
    // It already exists after an interrupted deployment.
    if let Err(error) = made
        && !format!("{error:#}").contains("BucketAlreadyOwnedByYou")
    {
        return Err(error.context("creating the artifact bucket"));
    }
    let mut command = tools.sam("sam");
    command
        .args(["deploy", "--config-env", "local", "--no-progressbar"])
        .args([Path::new("--config-file"), &place.root.join("samconfig.toml")])
        .args([Path::new("--template-file"), template])
        .args(["--tags", &format!("deployment={id}"), "--parameter-overrides"])
        .args(parameters);
    let log = place.logs().join("sam-deploy.log");
    let deployed = run_logged(aws.aim(&mut command), &log, "sam deploy").await;
    deployed.context("deploying to the emulator (`cargo stack up --fresh` deletes its state first)")
}

/// The `deployment` tag of the stack in the emulator, if one is completely deployed.
async fn deployment(aws: &Aws) -> Option<String> {
    let asked = json!({ "StackName": STACK });
    let answer = aws.call("cloudformation", "describe_stacks", asked).await.ok()?;
    let stack = &answer["Stacks"][0];
    if !matches!(stack["StackStatus"].as_str()?, "CREATE_COMPLETE" | "UPDATE_COMPLETE") {
        return None;
    }
    let mut tags = stack["Tags"].as_array()?.iter();
    let tag = tags.find(|tag| tag["Key"] == "deployment")?;
    tag["Value"].as_str().map(str::to_owned)
}

/// The fast path: one zip and UpdateFunctionCode per function.
pub async fn update_code(aws: &Aws, builder: &Builder, functions: &[&Function]) -> Result<()> {
    let mut pairs = Vec::new();
    for function in functions {
        let code = builder.code(function);
        pairs.push(format!("{}={}", function.deployed_name(STACK), code.display()));
    }
    let mut arguments = vec!["update-code"];
    arguments.extend(pairs.iter().map(String::as_str));
    aws.bridge(&arguments).await.map(drop)
}

/// Records that a function was deployed by hand to the running stack, so that the next `up` does not repeat it.
pub fn note_updated(place: &Place, builder: &Builder, function: &Function) -> Result<()> {
    let code = builder.code(function);
    let mut deployed = Deployed::read(place);
    let hash = fingerprint([code.as_path()])?;
    deployed.binaries.insert(function.name.clone(), hash);
    deployed.write(place)
}
