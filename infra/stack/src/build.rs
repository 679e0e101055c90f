//! Builds functions, simulators and tests.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::process::Command;

use crate::console;
use crate::place::{Place, write};
use crate::process::{NICE, cargo, run_captured, run_logged, run_shown, succeeds_seen};
use crate::tools::{Tools, fingerprint};

/// The package and binary that is all functions as one program.
const PROGRAM: &str = "local";

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
    pub const fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Shipped => "shipped",
        }
    }
}

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
    pub fn deployed_name(&self, stack: &str) -> String {
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

fn entries(parent: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(parent).with_context(|| format!("listing {}", parent.display()))?;
    Ok(entries.filter_map(Result::ok).map(|entry| entry.path()).collect())
}

fn folders(parent: &Path) -> Result<Vec<PathBuf>> {
    Ok(entries(parent)?.into_iter().filter(|path| path.is_dir()).collect())
}

/// The function of that name; the error lists all names.
pub fn function(root: &Path, name: &str) -> Result<Function> {
    let all = functions(root)?;
    let names: Vec<_> = all.iter().map(|function| function.name.clone()).collect();
    let found = all.into_iter().find(|function| function.name == name.replace('-', "_"));
    found.with_context(|| format!("no function `{name}`; the functions are {}", names.join(", ")))
}

/// Selects a function's own binary in a cargo command. It is also named as a package: cargo enables the features that all selected packages
/// request, and without a package that is the whole workspace with its tools, unlike `sam build`, which builds package by package.
fn cargo_selection(function: &Function) -> [&str; 4] {
    ["--package", &function.name, "--bin", &function.name]
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
    /// Name of the package, such as `store`.
    pub package: String,
    /// Cargo's target in it: `it`, or the library's or binary's name for unit tests.
    pub target: String,
    /// The package's folder, where tests run.
    folder: PathBuf,
    program: PathBuf,
    /// Names of the tests to run, if the program also holds those of other packages.
    tests: Option<Vec<String>>,
}

/// End of the name of a folder's package, which holds the tests of all functions of the folder: `api_functions`.
pub const ROOM: &str = "_functions";

impl TestProgram {
    /// Whether its tests need the deployed stack.
    pub fn needs_stage(&self) -> bool {
        self.package == "stack" && self.target == "it"
    }

    /// Runs the program with these arguments, as cargo does; if `nice`, other processes go first.
    pub fn command(&self, nice: bool, arguments: &[String]) -> Command {
        let mut command = Command::new(if nice { Path::new("nice") } else { &self.program });
        if nice {
            command.args(["-n", &NICE.to_string()]).arg(&self.program);
        }
        command
            .current_dir(&self.folder)
            .env("CARGO_MANIFEST_DIR", &self.folder)
            .env("CARGO_PKG_NAME", &self.package)
            .args(arguments);
        if let Some(tests) = &self.tests {
            let exact = "--exact".to_owned();
            command.args([&exact].into_iter().filter(|exact| !arguments.contains(exact)));
            command.args(tests);
        }
        command
    }

    /// The programs that run: this one, or if it holds the tests of functions, each function's programs of tests where
    /// these arguments select tests.
    async fn parts(self, arguments: &[String]) -> Result<Vec<Self>> {
        if !self.package.ends_with(ROOM) {
            return Ok(vec![self]);
        }
        let mut list = self.command(false, arguments);
        let listed = run_captured(list.args(["--list", "--format", "terse"]), &[], "listing tests").await?;
        let listed = String::from_utf8(listed).context("reading a list of tests")?;
        Ok(self.parts_of(&listed))
    }

    /// Reads a list of tests: `contacts::it::merging::by_hand: test` is one of the program `it` of `contacts`.
    fn parts_of(&self, listed: &str) -> Vec<Self> {
        let mut found: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
        for test in listed.lines().filter_map(|line| line.strip_suffix(": test")) {
            let mut names = test.split("::");
            if let (Some(function), Some(target)) = (names.next(), names.next()) {
                found.entry((function, target)).or_default().push(test.to_owned());
            }
        }
        let part = |((function, target), tests): ((&str, &str), _)| Self {
            package: function.to_owned(),
            target: target.to_owned(),
            folder: self.folder.join(function),
            program: self.program.clone(),
            tests: Some(tests),
        };
        found.into_iter().map(part).collect()
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
            tests: None,
        })
    }
}

/// Builds and lists all programs of tests; of a folder's, the parts where these arguments select tests.
pub async fn test_programs(place: &Place, arguments: &[String]) -> Result<Vec<TestProgram>> {
    listed_programs(cargo(place, &["test", "--workspace"]), arguments).await
}

/// Builds and lists the programs of tests of some packages, and the small ones of some functions, whose tests their folder's program holds, too.
pub async fn test_programs_of(
    place: &Place,
    packages: &BTreeSet<String>,
    functions: &BTreeSet<String>,
    arguments: &[String],
) -> Result<Vec<TestProgram>> {
    let of = |packages: &BTreeSet<String>| {
        let mut command = cargo_for_all(place, "test");
        command.args(packages.iter().flat_map(|package| ["--package", package]));
        command
    };
    let mut found = listed_programs(of(packages), arguments).await?;
    if !functions.is_empty() {
        let mut command = of(functions);
        // A name selects what is left out otherwise.
        command.args(["--test", "*"]);
        found.extend(listed_programs(command, arguments).await?);
    }
    Ok(found)
}

async fn listed_programs(mut command: Command, arguments: &[String]) -> Result<Vec<TestProgram>> {
    command.args(["--no-run", "--quiet", "--message-format", "json-render-diagnostics"]);
    let (mut built, mut found) = (Vec::new(), Vec::new());
    let building = succeeds_seen(&mut command, "cargo test --no-run", |line| {
        built.extend(TestProgram::of(line));
    });
    ensure!(building.await?, "cargo test --no-run failed");
    for program in built {
        found.extend(program.parts(arguments).await?);
    }
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
    separate: bool,
}

impl Builder {
    /// A builder for this checkout.
    pub const fn new(place: Place, tools: Tools, profile: Profile) -> Self {
        Self {
            place,
            tools,
            profile,
            separate: false,
        }
    }

    /// Gives each function a binary of its own, also in the local profile.
    #[must_use]
    pub fn separate(self) -> Self {
        Self { separate: true, ..self }
    }

    /// The target folder of the profile.
    fn target(&self) -> PathBuf {
        match self.profile {
            Profile::Local => cargos_target(&self.place),
            Profile::Shipped => self.place.root.join("target"),
        }
    }

    /// Whether the program of all functions runs it. The console waits for npm, so nothing else may wait for the console.
    fn is_shared(&self, function: &Function) -> bool {
        self.profile == Profile::Local && !self.separate && function.name != console::FUNCTION
    }

    /// The binary that cargo or `cargo lambda` writes, and its argument, if several functions have this binary.
    pub fn binary<'a>(&self, function: &'a Function) -> (PathBuf, Option<&'a str>) {
        let name = &function.name;
        let debug = self.target().join("debug");
        match self.profile {
            Profile::Local if self.is_shared(function) => (debug.join(PROGRAM), Some(name)),
            Profile::Local => (debug.join(name), None),
            Profile::Shipped => (self.target().join("lambda").join(name).join("bootstrap"), None),
        }
    }

    /// Path of the simulators' binary.
    pub fn simulators(&self) -> PathBuf {
        cargos_target(&self.place).join("debug/simulators")
    }

    /// Waits until no other stack of this checkout builds or deploys, and prevents others while the result is held.
    /// All stacks of a checkout deploy from one folder, and cargo-lambda moves cargo's binaries.
    pub async fn take_turn(&self) -> Result<File> {
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
        if functions.iter().any(|function| self.is_shared(function)) {
            command.args(["--package", PROGRAM, "--bin", PROGRAM]);
        }
        let own = functions.iter().filter(|function| !self.is_shared(function));
        run_shown(command.args(own.flat_map(cargo_selection)), "building functions").await
    }

    pub async fn compile_simulators(&self) -> Result<()> {
        let mut command = cargo_for_all(&self.place, "build");
        command.args(["--quiet", "--package", "simulators", "--bin", "simulators"]);
        run_shown(&mut command, "building simulators").await
    }

    /// The folder that `sam build` writes and `sam deploy` reads.
    pub fn build_folder(&self) -> PathBuf {
        match self.profile {
            Profile::Local => self.place.data.join("functions"),
            Profile::Shipped => self.place.dot.join("build").join(self.profile.name()),
        }
    }

    /// The file that is deployed as a function's code: the binary, or locally the script that [`Builder::write_scripts`] writes.
    pub fn code(&self, function: &Function) -> PathBuf {
        match self.profile {
            Profile::Local => self.script(&function.logical_id),
            Profile::Shipped => self.binary(function).0,
        }
    }

    fn script(&self, logical_id: &str) -> PathBuf {
        self.build_folder().join(logical_id).join("bootstrap")
    }

    /// Writes what is deployed locally: for each of these functions a script that runs its program. To zip, upload, store and unzip gigabytes
    /// would take longer than everything else in a deployment. A script names a link to the program as it is now, which stays when cargo
    /// replaces it, so what runs changes with the next deployment only. Returns the scripts of before.
    pub fn write_scripts(&self, functions: &[Function]) -> Result<Vec<String>> {
        if self.profile == Profile::Shipped {
            return Ok(Vec::new());
        }
        let links = self.build_folder().join("bin");
        std::fs::create_dir_all(&links).with_context(|| format!("creating {}", links.display()))?;
        let before = self.scripts()?;
        for function in functions {
            let what = || format!("preparing the code of {}", function.name);
            let (program, argument) = self.binary(function);
            let link = link(&links, &program).with_context(what)?;
            let quoted = link.display().to_string().replace('\'', r"'\''");
            let argument = argument.map(|name| format!(" {name}")).unwrap_or_default();
            let text = format!("#!/bin/sh\nexec '{quoted}'{argument}\n");
            let script = self.script(&function.logical_id);
            if std::fs::read_to_string(&script).is_ok_and(|known| known == text) {
                continue;
            }
            std::fs::create_dir_all(self.build_folder().join(&function.logical_id)).with_context(what)?;
            write(&script, text)?;
            std::fs::set_permissions(&script, Permissions::from_mode(0o755)).with_context(what)?;
        }
        Ok(before)
    }

    /// Deletes links that neither the scripts name, which are deployed now, nor those of before, which may just start functions.
    pub fn delete_links(&self, before: &[String]) -> Result<()> {
        let links = self.build_folder().join("bin");
        // The shipped profile has none.
        if !links.exists() {
            return Ok(());
        }
        let now = self.scripts()?;
        if now == before {
            return Ok(());
        }
        for path in entries(&links)? {
            let name = format!("/{}'", plain_name(&path)?);
            if !now.iter().chain(before).any(|script| script.contains(&name)) {
                std::fs::remove_file(&path).with_context(|| format!("deleting {}", path.display()))?;
            }
        }
        Ok(())
    }

    /// The texts of all scripts.
    fn scripts(&self) -> Result<Vec<String>> {
        let folders = folders(&self.build_folder())?.into_iter();
        let texts = folders.map(|folder| std::fs::read_to_string(folder.join("bootstrap")));
        let mut texts: Vec<String> = texts.filter_map(Result::ok).collect();
        texts.sort();
        Ok(texts)
    }

    /// Writes the input of `sam deploy`, after [`Builder::compile`]; returns its template.
    ///
    /// The shipped profile uses `sam build`, as an operator does. The local one creates the same result itself: the template with every
    /// `CodeUri` pointing at a folder with [its script](Builder::write_scripts). `sam build` would process every function again, at least a second each.
    pub async fn package(&self, functions: &[Function], architecture: &str) -> Result<PathBuf> {
        let built = self.build_folder();
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

/// The link to a program as it is now, named by its content.
fn link(links: &Path, program: &Path) -> Result<PathBuf> {
    let (name, file) = (plain_name(program)?, program.metadata()?);
    let written = file.modified()?;
    let is_same = |link: &PathBuf| {
        let is_of = plain_name(link).is_ok_and(|link| link.split('-').next() == Some(&name));
        let meta = link.metadata().ok().filter(|_| is_of);
        meta.is_some_and(|meta| meta.len() == file.len() && meta.modified().is_ok_and(|at| at == written))
    };
    if let Some(known) = entries(links)?.into_iter().find(is_same) {
        return Ok(known);
    }
    let link = links.join(format!("{name}-{}", &fingerprint([program])?[..16]));
    // What is interrupted leaves no link that is half a program.
    let draft = link.with_extension("new");
    let _ = std::fs::remove_file(&draft);
    if std::fs::hard_link(program, &draft).is_err() {
        // A folder of data may lie on another file system.
        std::fs::copy(program, &draft)?;
        File::options().append(true).open(&draft)?.set_modified(written)?;
    }
    std::fs::rename(&draft, &link)?;
    Ok(link)
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
    fn a_folders_program_runs_once_for_each_program_of_a_function() {
        let room = TestProgram {
            package: format!("api{ROOM}"),
            target: "api_functions".to_owned(),
            folder: "/checkout/functions/api".into(),
            program: "/checkout/target/debug/deps/api_functions-1".into(),
            tests: None,
        };
        let listed =
            "tags::it::a: test\ntags::it::tags::it::b: test\ntenant::it::a: test\ntenant::round_trips::c: test\n";
        let parts = room.parts_of(listed);
        let parts = parts.iter().map(|part| {
            let command = part.command(false, &["a".to_owned(), "--exact".to_owned()]);
            let arguments: Vec<_> = command.as_std().get_args().filter_map(|one| one.to_str()).collect();
            let folder = part.folder.display().to_string();
            format!("{} {} in {folder}: {}", part.package, part.target, arguments.join(" "))
        });
        let wanted = [
            "tags it in /checkout/functions/api/tags: a --exact tags::it::a tags::it::tags::it::b",
            "tenant it in /checkout/functions/api/tenant: a --exact tenant::it::a",
            "tenant round_trips in /checkout/functions/api/tenant: a --exact tenant::round_trips::c",
        ];
        assert!(parts.eq(wanted));
    }

    #[test]
    fn programs_are_kept_until_the_deployment_after_the_next() {
        let folder = std::env::temp_dir().join(format!("ringback-programs-{}", std::process::id()));
        let place = Place {
            root: folder.clone(),
            dot: folder.join(".stack"),
            data: folder.join("data"),
        };
        let builder = Builder::new(place.clone(), Tools::at(&place), Profile::Local);
        let named = |name: &str| Function {
            name: name.to_owned(),
            logical_id: name.to_uppercase(),
            room: "jobs".to_owned(),
        };
        let functions = ["send", "call", console::FUNCTION].map(named);
        let write_program = |name: &str, content: &str| {
            let path = builder.target().join("debug").join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            // As a linker does: a new file, while the former one may be running.
            let _ = std::fs::remove_file(&path);
            write(&path, content).expect("a program");
        };
        let shipped = Builder {
            profile: Profile::Shipped,
            ..builder.clone()
        };
        shipped.delete_links(&[]).expect("it has no links");
        let deploy = |builder: &Builder, functions: &[Function]| {
            let before = builder.write_scripts(functions).expect("scripts");
            builder.delete_links(&before).expect("links");
        };
        let script = |of: usize| std::fs::read_to_string(builder.code(&functions[of])).expect("a script");
        let kept = || entries(&builder.build_folder().join("bin")).expect("links").len();
        for name in [PROGRAM, console::FUNCTION, "send"] {
            write_program(name, &format!("{name} 1"));
        }
        deploy(&builder, &functions);
        let first = [0, 1, 2].map(script);
        assert!(first[0].ends_with("' send\n") && first[1].ends_with("' call\n"));
        assert!(first[2].contains("/console-") && first[2].ends_with("'\n"), "{first:?}");
        // Linked again, the same.
        write_program(PROGRAM, "local 1");
        deploy(&builder, &functions);
        assert_eq!((first, kept()), ([0, 1, 2].map(script), 2));
        write_program(PROGRAM, "local 2");
        deploy(&builder, &functions);
        assert_eq!(kept(), 3, "that of before still runs");
        // One function alone.
        let of_all = script(1);
        deploy(&builder.clone().separate(), &functions[..1]);
        assert!(script(0).contains("/send-") && script(0).ends_with("'\n"));
        assert_eq!((script(1), kept()), (of_all, 3), "two and the console's");
        write_program(PROGRAM, "local 3");
        deploy(&builder, &functions);
        assert_eq!(kept(), 4);
        // A deployment that fails leaves what is deployed.
        for content in ["local 4", "local 5"] {
            write_program(PROGRAM, content);
            builder.write_scripts(&functions).expect("scripts");
        }
        assert_eq!(kept(), 6);
        std::fs::remove_dir_all(&folder).expect("a folder of ours");
    }
}
