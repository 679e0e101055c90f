//! Builds the functions.

use std::{
    collections::BTreeSet,
    fs::{File, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::{Duration, UNIX_EPOCH},
};

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::process::Command;

use crate::{
    place::{Place, write},
    process::{NICE, cargo, run_logged, run_shown, succeeds_seen},
    tools::Tools,
};

/// How functions are compiled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// As cargo builds them for tests, too, so that nothing is compiled twice.
    #[default]
    #[serde(alias = "everyday", alias = "tested")] // in files of former versions
    Local,
    /// Small and quick to start: the manifest's release profile, used by an operator's `sam build`.
    Shipped,
}

impl Profile {
    /// The profile's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Shipped => "shipped",
        }
    }
}

/// A function crate.
#[derive(Debug, Clone)]
pub struct Function {
    /// The crate and binary: `process_call`.
    pub name: String,
    /// The resource in the template: `ProcessCall`.
    pub logical_id: String,
    /// The folder of its crate: `api`, `jobs`.
    pub room: String,
}

impl Function {
    /// The deployed function's name.
    pub fn deployed(&self, stack: &str) -> String {
        format!("{stack}-{}", self.name.replace('_', "-"))
    }

    /// The log group of its room.
    pub fn log_group(&self, stack: &str) -> String {
        format!("/aws/lambda/{stack}/{}", self.room)
    }
}

/// The log groups of these functions, each once.
pub fn log_groups(functions: &[Function], stack: &str) -> Vec<String> {
    let groups: BTreeSet<String> = functions.iter().map(|function| function.log_group(stack)).collect();
    groups.into_iter().collect()
}

/// Every crate under `functions/`, sorted by name.
pub fn functions(root: &Path) -> Result<Vec<Function>> {
    let mut found = Vec::new();
    for room in folders(&root.join("functions"))? {
        for function in folders(&room)? {
            if !function.join("Cargo.toml").exists() {
                continue;
            }
            let name = plain_name(&function)?;
            let words = name.split('_');
            found.push(Function {
                logical_id: words.map(|word| word[..1].to_ascii_uppercase() + &word[1..]).collect(),
                name,
                room: plain_name(&room)?,
            });
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

fn plain_name(folder: &Path) -> Result<String> {
    let name = folder.file_name().and_then(|name| name.to_str());
    let name = name.with_context(|| format!("{} has no plain name", folder.display()))?;
    Ok(name.to_owned())
}

fn folders(parent: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(parent).with_context(|| format!("listing {}", parent.display()))?;
    Ok(entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect())
}

/// The function of that name; the error lists all names.
pub fn function(root: &Path, name: &str) -> Result<Function> {
    let all = functions(root)?;
    let names: Vec<_> = all.iter().map(|function| function.name.clone()).collect();
    let found = all.into_iter().find(|function| function.name == name.replace('-', "_"));
    found.with_context(|| format!("no function `{name}`; the functions are {}", names.join(", ")))
}

/// Selects functions in a cargo command. Each is also named as a package: cargo enables the features that all selected packages
/// request, and without a package that is the whole workspace with its tools, unlike `sam build`, which builds package by package.
fn selection(functions: &[Function]) -> impl Iterator<Item = &str> {
    functions
        .iter()
        .flat_map(|function| ["--package", &function.name, "--bin", &function.name])
}

/// Selected beside others, this package makes cargo enable the features that the whole workspace requests.
const ALL_FEATURES: [&str; 2] = ["--package", "features"];

/// Cargo, which builds some packages with the features of the whole workspace: what was compiled for one of them, for tests or for the
/// local stack is used by all.
fn cargo_for_all(place: &Place, verb: &str) -> Command {
    let mut command = cargo(place, &[verb]);
    command.args(ALL_FEATURES);
    command
}

/// A program of tests.
#[derive(Debug)]
pub struct TestProgram {
    /// The package: `store`.
    pub package: String,
    /// Cargo's target in it: `it`, or the library's or binary's name for unit tests.
    pub target: String,
    /// The package's folder, in which tests run.
    folder: PathBuf,
    program: PathBuf,
}

impl TestProgram {
    /// Whether its tests need the deployed stack.
    pub fn needs_stage(&self) -> bool {
        self.package == "stack" && self.target == "it"
    }

    /// Runs the program as cargo does; if `nice`, other processes go first.
    pub fn command(&self, nice: bool) -> Command {
        let mut command = Command::new(if nice { Path::new("nice") } else { &self.program });
        if nice {
            command.args(["-n", &NICE.to_string()]).arg(&self.program);
        }
        command
            .current_dir(&self.folder)
            .env("CARGO_MANIFEST_DIR", &self.folder)
            .env("CARGO_PKG_NAME", &self.package);
        command
    }

    /// The program of one of cargo's messages about a build, if it is about one.
    fn of(message: &str) -> Option<Self> {
        let message: Value = serde_json::from_str(message).ok()?;
        if message["reason"] != "compiler-artifact" || message["profile"]["test"] != true {
            return None;
        }
        let text = |value: &Value| value.as_str().map(str::to_owned);
        // `path+file:///checkout/shared/store#0.1.0`, or `…#store@0.1.0` if the folder has another name.
        let (url, version) = message["package_id"].as_str()?.rsplit_once('#')?;
        let folder_name = || url.rsplit('/').next();
        let package = version.split_once('@').map(|(name, _)| name).or_else(folder_name)?;
        Some(Self {
            package: package.to_owned(),
            target: text(&message["target"]["name"])?,
            folder: Path::new(message["manifest_path"].as_str()?).parent()?.to_owned(),
            program: text(&message["executable"])?.into(),
        })
    }
}

/// Builds and lists all programs of tests.
pub async fn test_programs(place: &Place) -> Result<Vec<TestProgram>> {
    listed_programs(cargo(place, &["test", "--workspace"])).await
}

/// The same for some packages.
pub async fn test_programs_of(place: &Place, packages: &BTreeSet<String>) -> Result<Vec<TestProgram>> {
    let mut command = cargo_for_all(place, "test");
    command.args(packages.iter().flat_map(|package| ["--package", package]));
    listed_programs(command).await
}

async fn listed_programs(mut command: Command) -> Result<Vec<TestProgram>> {
    command.args(["--no-run", "--quiet", "--message-format", "json-render-diagnostics"]);
    let mut found = Vec::new();
    let built = succeeds_seen(&mut command, "cargo test --no-run", |line| {
        found.extend(TestProgram::of(line));
    });
    ensure!(built.await?, "cargo test --no-run failed");
    Ok(found)
}

/// Where cargo writes without our help.
fn cargos_target(place: &Place) -> PathBuf {
    let other = std::env::var_os("CARGO_TARGET_DIR");
    place.root.join(other.unwrap_or_else(|| "target".into()))
}

/// Builds functions with one profile.
#[derive(Debug, Clone)]
pub struct Builder {
    place: Place,
    tools: Tools,
    profile: Profile,
}

impl Builder {
    /// A builder for this checkout.
    pub const fn new(place: Place, tools: Tools, profile: Profile) -> Self {
        Self { place, tools, profile }
    }

    /// The target folder of the profile.
    fn target(&self) -> PathBuf {
        match self.profile {
            Profile::Local => cargos_target(&self.place),
            Profile::Shipped => self.place.root.join("target"),
        }
    }

    /// The binary that cargo or `cargo lambda` writes.
    pub fn binary(&self, function: &Function) -> PathBuf {
        match self.profile {
            Profile::Local => self.target().join("debug").join(&function.name),
            Profile::Shipped => self.target().join("lambda").join(&function.name).join("bootstrap"),
        }
    }

    /// The simulators' binary.
    pub fn simulators(&self) -> PathBuf {
        cargos_target(&self.place).join("debug/simulators")
    }

    /// Waits until no other stack of this checkout builds or deploys, and prevents others while the result is held.
    /// All stacks of a checkout deploy from one folder, and cargo-lambda moves cargo's binaries.
    pub async fn alone(&self) -> Result<File> {
        taking_turns(&self.place, self.profile.name()).await
    }

    /// Compiles functions, showing cargo's own progress.
    pub async fn compile(&self, functions: &[Function]) -> Result<()> {
        let mut command = match self.profile {
            Profile::Local => cargo_for_all(&self.place, "build"),
            Profile::Shipped => {
                let mut command = self.tools.sam("cargo");
                command.args(["lambda", "build", "--release"]);
                command.env("CARGO_TARGET_DIR", self.target());
                command
            }
        };
        run_shown(command.args(selection(functions)), "building functions").await
    }

    /// Compiles the simulators.
    pub async fn compile_simulators(&self) -> Result<()> {
        let mut command = cargo_for_all(&self.place, "build");
        command.args(["--quiet", "--package", "simulators", "--bin", "simulators"]);
        run_shown(&mut command, "building simulators").await
    }

    /// The folder that `sam build` writes and `sam deploy` reads.
    pub fn built(&self) -> PathBuf {
        match self.profile {
            Profile::Local => self.place.data.join("functions"),
            Profile::Shipped => self.place.dot.join("build").join(self.profile.name()),
        }
    }

    /// What is deployed as a function's code: the binary, or locally a script that runs it. To zip, upload, store and unzip gigabytes would
    /// take longer than everything else in a deployment. The script names a link to the binary as it is now, which stays when cargo
    /// replaces it, so what runs changes with the next deployment only.
    pub fn code(&self, function: &Function) -> Result<PathBuf> {
        let binary = self.binary(function);
        if self.profile == Profile::Shipped {
            return Ok(binary);
        }
        let what = || format!("preparing the code of {}", function.name);
        let folder = self.built().join(&function.logical_id);
        let links = self.built().join("bin");
        for folder in [&folder, &links] {
            std::fs::create_dir_all(folder).with_context(what)?;
        }
        let linked = binary.metadata().and_then(|file| file.modified()).with_context(what)?;
        let linked = linked.duration_since(UNIX_EPOCH).with_context(what)?;
        let prefix = format!("{}-", function.name);
        let link = links.join(format!("{prefix}{}", linked.as_nanos()));
        if !link.exists() {
            // A folder of data may lie on another file system. What is interrupted leaves no link that is half a binary.
            let draft = link.with_extension("new");
            std::fs::hard_link(&binary, &link)
                .or_else(|_| std::fs::copy(&binary, &draft).and_then(|_| std::fs::rename(&draft, &link)))
                .with_context(what)?;
        }
        let script = folder.join("bootstrap");
        let before = std::fs::read_to_string(&script).unwrap_or_default();
        let text = format!(
            "#!/bin/sh\nexec '{}'\n",
            link.display().to_string().replace('\'', r"'\''")
        );
        if before != text {
            for entry in std::fs::read_dir(&links).with_context(what)? {
                let name = entry.with_context(what)?.file_name().to_string_lossy().into_owned();
                // What is still deployed stays until the deployment after this.
                if name.starts_with(&prefix) && !before.contains(&name) && !text.contains(&name) {
                    std::fs::remove_file(links.join(name)).with_context(what)?;
                }
            }
            std::fs::write(&script, text).with_context(what)?;
            std::fs::set_permissions(&script, Permissions::from_mode(0o755)).with_context(what)?;
        }
        Ok(script)
    }

    /// Writes the input of `sam deploy`, after [`Builder::compile`]; returns its template.
    ///
    /// The shipped profile uses `sam build`, as an operator does. The local one creates the same result itself: the template with every
    /// `CodeUri` pointing at a folder with [its code](Builder::code). `sam build` would process every function again, at least a second each.
    pub async fn package(&self, functions: &[Function], architecture: &str) -> Result<PathBuf> {
        let built = self.built();
        let template = built.join("template.yaml");
        if self.profile == Profile::Shipped {
            let mut command = self.tools.sam("sam");
            command
                .args(["build", "--config-env", "local"])
                .args([Path::new("--build-dir"), &built])
                .args(["--parameter-overrides", &format!("Architecture={architecture}")])
                .env("CARGO_TARGET_DIR", self.target());
            run_logged(&mut command, &self.place.logs().join("sam-build.log"), "sam build").await?;
            return Ok(template);
        }
        let source = self.place.root.join("template.yaml");
        let mut text = std::fs::read_to_string(&source).with_context(|| format!("reading {}", source.display()))?;
        for function in functions {
            self.code(function)?;
            // `CodeUri: functions/<room>/<name>/`
            let end = format!("/{}/", function.name);
            let mut lines = text.lines().filter_map(|line| line.trim().strip_prefix("CodeUri: "));
            let code = lines.find(|code| code.ends_with(&end));
            let code = code
                .with_context(|| format!("template.yaml has no CodeUri for {}", function.name))?
                .to_owned();
            // What answers requests may take nearly as long as API Gateway waits: a busy machine is slow, and the short time-out of workers would
            // answer 502. Workers keep it, by which the tests see what follows a worker that hangs.
            let answers = ["functions/api/", "functions/web/", "functions/sockets/"];
            let answers = answers.iter().any(|room| code.starts_with(room));
            let time_out = if answers { "\n      Timeout: 25" } else { "" };
            text = text.replace(
                &format!("CodeUri: {code}"),
                &format!("CodeUri: {}{time_out}", function.logical_id),
            );
        }
        write(&template, text)?;
        Ok(template)
    }
}

/// Waits until no other command of this checkout builds what has this name, and prevents others while the result is held.
pub async fn taking_turns(place: &Place, name: &str) -> Result<File> {
    let folder = place.dot.join("build");
    std::fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
    let path = folder.join(format!("{name}.lock"));
    let file = File::create(&path).with_context(|| format!("opening {}", path.display()))?;
    if file.try_lock().is_err() {
        eprintln!("· waiting for the build of another stack");
        while file.try_lock().is_err() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
    Ok(file)
}

/// Lambda's name of this machine's architecture.
pub fn architecture() -> &'static str {
    if cfg!(target_arch = "aarch64") {
        "arm64"
    } else {
        "x86_64"
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn test_programs_are_found_in_cargos_messages() {
        let message = |id: &str, test: bool| {
            let message = json!({
                "reason": "compiler-artifact",
                "package_id": id,
                "manifest_path": "/checkout/shared/store/Cargo.toml",
                "target": { "kind": ["test"], "name": "it" },
                "profile": { "test": test },
                "executable": "/checkout/target/debug/deps/it-1",
            });
            TestProgram::of(&message.to_string())
        };
        for id in [
            "path+file:///checkout/shared/store#0.1.0",
            "path+file:///checkout/shared#store@0.1.0",
        ] {
            let program = message(id, true).expect("a program");
            assert_eq!((program.package.as_str(), program.target.as_str()), ("store", "it"));
            assert_eq!(program.folder, Path::new("/checkout/shared/store"));
        }
        assert!(message("path+file:///checkout/shared/store#0.1.0", false).is_none());
        assert!(TestProgram::of(r#"{"reason":"build-finished","success":true}"#).is_none());
        assert!(TestProgram::of("warning: something").is_none());
    }

    #[test]
    fn every_function_is_built_as_a_package() {
        let place = Place::new(None).expect("a checkout");
        let functions = functions(&place.root).expect("functions");
        let chosen: Vec<_> = selection(&functions).collect();
        assert!(functions.len() > 20);
        for Function { name, .. } in &functions {
            for option in ["--package", "--bin"] {
                assert!(
                    chosen.chunks(2).any(|pair| pair == [option, name]),
                    "{option} {name}: otherwise the tools' features are enabled in functions, too"
                );
            }
        }
    }
}
