//! `check`: the checks that need no stack. Formatting, lints, spelling, the template, the contract.

use std::path::Path;

use anyhow::Result;
use tokio::process::Command;

use crate::place::Place;
use crate::process::{cargo, run_captured, run_logged, run_shown};
use crate::report::step;
use crate::template;
use crate::tools::{Contract, Tools};

/// Runs all checks. The first failure ends the run. What compiles, and what downloads and runs Python, take turns at waiting, so they
/// run side by side.
/// `linted`: the build has found no lints.
pub async fn check(place: &Place, linted: bool) -> Result<()> {
    let mut format = cargo(place, &["fmt", "--all", "--check"]);
    step("cargo fmt --check", run_shown(&mut format, "cargo fmt")).await?;
    let (tools, ()) = tokio::try_join!(documents(place), lints(place, linted))?;
    arm64(place, &tools).await
}

/// Checks of what is not Rust. Installing tools and checking the template are Python on one core each.
async fn documents(place: &Place) -> Result<Tools> {
    let tools = Tools::set_up(place).await?;
    let of_template = async {
        step("typos", run_shown(&mut tools.sam("typos"), "typos")).await?;
        let what = "templates: sam validate, cfn-lint, also expanded";
        step(what, check_template(place, &tools)).await
    };
    let of_contract = async {
        let contract = tools.contract().await?;
        step("contract: openapi-spec-validator, redocly", lint(place, &contract)).await?;
        let mut tables = contract.program("python");
        tables.args([NUMBERING, "--check"]);
        step("tables of telephone numbers", run_shown(&mut tables, NUMBERING)).await
    };
    tokio::try_join!(of_template, of_contract)?;
    Ok(tools)
}

/// Writes the tables of telephone numbers.
pub(crate) const NUMBERING: &str = "shared/domain/src/terms/numbering.py";

/// Lints of the code, unless the build has found none.
async fn lints(place: &Place, linted: bool) -> Result<()> {
    if linted {
        return Ok(());
    }
    let mut clippy = cargo(place, &["clippy", "--quiet", "--workspace", "--all-targets"]);
    clippy.args(["--", "-D", "warnings"]);
    step("cargo clippy", run_shown(&mut clippy, "cargo clippy")).await
}

/// The target that operators need to build for arm64, the template's default.
const ARM64: &str = "aarch64-unknown-linux-gnu";

/// Functions that together link every library that any function links.
const LINKS_ALL: [&str; 2] = ["connections", "dispatch_due"];

/// Builds for arm64 if the target is installed, because C code and assembler of dependencies may not support it.
async fn arm64(place: &Place, tools: &Tools) -> Result<()> {
    let mut ask = Command::new("rustc");
    ask.current_dir(&place.root)
        .args(["--print", "target-libdir", "--target", ARM64]);
    let libraries = run_captured(&mut ask, &[], "asking for the libraries of arm64").await;
    let installed = libraries.is_ok_and(|path| Path::new(String::from_utf8_lossy(&path).trim()).exists());
    if !installed {
        println!("· skipped the build for arm64; to enable it: rustup target add {ARM64}");
        return Ok(());
    }
    let mut build = tools.sam("cargo");
    build
        .args(["lambda", "build", "--quiet", "--arm64"])
        .args(LINKS_ALL.iter().flat_map(|function| ["--bin", function]))
        .env("CARGO_TARGET_DIR", place.root.join("target/arm64"));
    let built = run_shown(&mut build, "cargo lambda build");
    step("cargo lambda build --arm64", built).await
}

/// `contract`: writes `docs/openapi.json` and the pages beside it from the code, and lints the document.
pub async fn contract(place: &Place) -> Result<()> {
    let mut write = cargo(place, &["run", "--quiet", "--package", "contract"]);
    run_shown(&mut write, "cargo run --package contract").await?;
    let tools = Tools::set_up(place).await?.contract().await?;
    step("openapi-spec-validator, redocly", lint(place, &tools)).await
}

async fn lint(place: &Place, tools: &Contract) -> Result<()> {
    let log = place.logs().join("contract.log");
    let document = "docs/openapi.json";
    let mut validate = tools.program("openapi-spec-validator");
    run_logged(validate.arg(document), &log, "openapi-spec-validator").await?;
    let mut lint = tools.program("redocly");
    lint.args(["lint", "--config", "infra/contract/redocly.yaml", document]);
    run_logged(&mut lint, &log, "redocly lint").await
}

/// Template of the stack in front of the API.
const EDGE: &str = "infra/edge/template.yaml";

async fn check_template(place: &Place, tools: &Tools) -> Result<()> {
    let mut command = tools.sam("sam");
    // Validation gives the SAM translator a region; no credentials are needed. Its `--lint` is cfn-lint, which follows.
    command.args(["validate", "--region", "us-east-1"]);
    run_logged(&mut command, &place.logs().join("sam-validate.log"), "sam validate").await?;
    run_shown(tools.sam("cfn-lint").args(["template.yaml", EDGE]), "cfn-lint").await?;
    let expanded = template::expand_template(place, tools).await?;
    let sizes = template::Sizes::of(&expanded)?;
    println!("· {sizes}");
    sizes.check()?;
    let file = place.data.join("expanded.json");
    std::fs::write(&file, expanded)?;
    run_shown(tools.sam("cfn-lint").arg(&file), "cfn-lint on the expanded template").await
}
