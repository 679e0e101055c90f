//! `console`: builds the console, which its function then has in its binary, tests it in a browser, and serves it while it is written.
//!
//! `up`, `demo` and `test` build it before they compile the function. Nothing is done if no source has changed since the last build.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use domain::accounts::Role;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::process::Command;

use crate::aws::Aws;
use crate::build::{function, taking_turns};
use crate::business::{Plan, Town};
use crate::endpoints::{Endpoints, Login};
use crate::place::{Place, write};
use crate::play::Play;
use crate::process::{run_captured, run_logged, run_shown, succeeds};
use crate::report::step;
use crate::running::redeploy;
use crate::test::SKIPPED;
use crate::tools::{Node, Tools, fingerprint, is_stamped, remove, run_once};

/// The crate and folder of the function.
pub const FUNCTION: &str = "console";

/// Files and folders beside the console's sources: those that others or the build write, and the function in Rust.
const OTHERS: [&str; 10] = [
    "node_modules",
    "dist",
    "app/api/contract.d.ts",
    "app/api/permissions.ts",
    "app/api/usual.ts",
    "Cargo.toml",
    "build.rs",
    "src",
    "page",
    "tests/it",
];

/// Businesses of a script: see `logIns` in the console's tests.
const BUSINESSES: usize = 2;

/// The steps of a build: npm's scripts.
const STEPS: [(&str, &str); 3] = [
    ("contract", "generating the console's types from the contract"),
    ("check", "checking the console"),
    ("build", "building the console"),
];

fn folder(place: &Place) -> PathBuf {
    place.root.join("functions/web/console")
}

/// Builds the console if its sources have changed since. After an error there is none, rather than an outdated one.
pub async fn build(place: &Place, tools: &Tools) -> Result<()> {
    let _alone = taking_turns(place, FUNCTION).await?;
    let (folder, stamp) = (folder(place), place.dot.join("build/console.sha256"));
    let (sources, dist) = (fingerprint_of_sources(place)?, folder.join("dist"));
    if is_stamped(&stamp, &sources) && dist.join("index.html").exists() {
        return Ok(());
    }
    // What an interruption leaves has no valid stamp.
    write(&stamp, "")?;
    let built = build_anew(place, &folder, tools).await;
    if built.is_err() {
        remove(&dist)?;
    }
    built?;
    write(&stamp, sources)
}

/// Builds the console for whoever can do without it: if the build fails, its function says how to build it.
pub async fn build_if_possible(place: &Place, tools: &Tools) {
    if let Err(error) = build(place, tools).await {
        eprintln!("· going on without the console: {error:#}");
    }
}

async fn build_anew(place: &Place, folder: &Path, tools: &Tools) -> Result<()> {
    let node = install_packages(place, folder, tools).await?;
    for (script, what) in STEPS {
        let log = place.logs().join(format!("console-{script}.log"));
        let mut run = npm(&node, folder, script);
        step(what, run_logged(&mut run, &log, &format!("npm run {script}"))).await?;
    }
    Ok(())
}

/// Node.js with the console's packages.
async fn install_packages(place: &Place, folder: &Path, tools: &Tools) -> Result<Node> {
    let node = tools.node().await?;
    let pins = ["package.json", "package-lock.json"].map(|file| folder.join(file));
    let pinned = fingerprint(pins.iter().map(PathBuf::as_path))?;
    let stamp = folder.join("node_modules/pins.sha256");
    let log = place.logs().join("console-packages.log");
    let what = "installing the console's packages (once)";
    run_once(&stamp, &pinned, what, node.install(folder, &log)).await?;
    Ok(node)
}

fn npm(node: &Node, folder: &Path, script: &str) -> Command {
    let mut command = node.npm();
    command.current_dir(folder).args(["run", "--silent", script]);
    command
}

/// The hash of everything that the build reads.
fn fingerprint_of_sources(place: &Place) -> Result<String> {
    let folder = folder(place);
    let others = OTHERS.map(|name| folder.join(name));
    // Its tests of the sources look for a sentence for each problem.
    let mut files = Vec::from(["docs/openapi.json", "docs/problems.md"].map(|file| place.root.join(file)));
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).with_context(|| format!("listing {}", folder.display()))? {
            let path = entry.with_context(|| format!("listing {}", folder.display()))?.path();
            if others.contains(&path) {
                continue;
            }
            let list = if path.is_dir() { &mut folders } else { &mut files };
            list.push(path);
        }
    }
    files.sort();
    let mut hash = Sha256::new();
    for file in &files {
        hash.update(file.to_string_lossy().as_bytes());
        hash.update([0]);
    }
    hash.update(fingerprint(files.iter().map(PathBuf::as_path))?);
    Ok(hex::encode(hash.finalize()))
}

/// Serves the console of the working copy, with the API of the stack that runs here, until Ctrl-C.
pub async fn dev(place: &Place) -> Result<()> {
    let endpoints = Endpoints::of_running(place)?;
    let (folder, tools) = (folder(place), Tools::set_up(place).await?);
    let node = install_packages(place, &folder, &tools).await?;
    let types = npm(&node, &folder, "contract").status().await;
    ensure!(types.context("starting npm")?.success(), "npm run contract failed");
    let mut serve = npm(&node, &folder, "dev");
    run_shown(serve.env("RINGBACK_URL", endpoints.api), "npm run dev").await
}

/// Deploys the console of the working copy to the stack that runs here, and tests it; true if all tests passed.
pub async fn test(place: &Place) -> Result<bool> {
    let play = Play::new(Endpoints::of_running(place)?).await?;
    let tools = Tools::set_up(place).await?;
    let aws = Aws::local(tools.clone(), play.endpoints.aws_endpoint.clone());
    let function = function(&place.root, FUNCTION)?;
    redeploy(place, &tools, &aws, &function, play.endpoints.profile).await?;
    let town = Town::new(&play, &aws, place, &place.data).await?;
    let mut tests = Box::pin(tests(place, &tools, &play.endpoints, &town)).await?;
    succeeds(&mut tests, "npm test").await
}

/// The tests of the console of this stack.
pub async fn tests(place: &Place, tools: &Tools, endpoints: &Endpoints, town: &Town) -> Result<Command> {
    let mut tests = visitors(place, tools, endpoints, town, "test").await?;
    if std::env::var_os("RINGBACK_TEST_JOURNEYS").is_some() {
        let (contract, client) = (tools.contract().await?, place.data.join("clients/console"));
        contract.generate_python_client(&client).await?;
        tests
            .env("RINGBACK_PYTHON", contract.python())
            .env("PYTHONPATH", client);
    }
    Ok(tests)
}

/// The test of the console that moves the time of this stack, which has to be its own.
pub async fn days(place: &Place, tools: &Tools, endpoints: &Endpoints, town: &Town) -> Result<Command> {
    visitors(place, tools, endpoints, town, "days").await
}

/// A page that a phone in a slow network opens.
#[derive(Debug, Serialize, Deserialize)]
pub struct Visit {
    pub page: String,
    /// The tag of its language.
    pub language: String,
    /// Milliseconds to the largest contentful paint of a first visit.
    pub cold: f64,
    /// Milliseconds to the largest contentful paint of a later visit.
    pub warm: f64,
    /// Bytes of a first visit.
    pub cold_bytes: u64,
    /// Bytes of a later one.
    pub warm_bytes: u64,
}

/// Milliseconds from keys to the paint that shows what they did, on a slow processor.
#[derive(Debug, Serialize, Deserialize)]
pub struct Keys {
    /// The keys, and where they are pressed.
    pub place: String,
    pub keys: usize,
    /// Median of the times.
    pub p50: f64,
    /// 98th percentile of the times to an answer.
    pub p98: f64,
    pub longest: f64,
}

/// A part of the way of messages to the screen, in milliseconds.
#[derive(Debug, Serialize, Deserialize)]
pub struct WayStep {
    /// The end of the part, such as "until the page is told".
    pub what: String,
    /// Median of the times.
    pub p50: f64,
    /// 95th percentile of the times.
    pub p95: f64,
}

/// Milliseconds from customers' messages, at the provider, to whoever waits for them.
#[derive(Debug, Serialize, Deserialize)]
pub struct Shown {
    /// Messages of each measurement.
    pub messages: usize,
    /// Median for a client that asks the API without a pause.
    pub floor_p50: f64,
    /// 95th percentile of the times to that client.
    pub floor_p95: f64,
    /// Median for a person who looks at the conversation.
    pub p50: f64,
    /// 95th percentile of the times until that person sees them.
    pub p95: f64,
    /// Longest time for that person.
    pub longest: f64,
    /// Parts of that person's wait.
    #[serde(default)]
    pub steps: Vec<WayStep>,
}

/// Waits of people for the console.
#[derive(Debug, Serialize, Deserialize)]
pub struct Waits {
    /// Pages that a phone in a slow network opens.
    pub visits: Vec<Visit>,
    /// Keys in the inbox.
    pub keys: Vec<Keys>,
    /// Messages in an open conversation.
    pub shown: Shown,
}

/// Measures how long people wait for the console of this stack.
pub async fn waits(place: &Place, tools: &Tools, endpoints: &Endpoints, town: &Town) -> Result<Waits> {
    let mut measure = visitors(place, tools, endpoints, town, "bench").await?;
    let said = run_captured(&mut measure, &[], "npm run bench").await?;
    serde_json::from_slice(&said).context("reading what npm run bench measured")
}

/// A script that visits the console of this stack, in two businesses of its own with a log-in of each role.
async fn visitors(place: &Place, tools: &Tools, endpoints: &Endpoints, town: &Town, script: &str) -> Result<Command> {
    let folder = folder(place);
    let node = install_packages(place, &folder, tools).await?;
    let mut logins = Vec::new();
    for _ in 0..BUSINESSES {
        // Nobody clicks as fast as a test.
        let tenant = town.open("Console", Plan::lift_limits).await?;
        logins.push(Role::ALL.map(|role| {
            let Login { email, password, .. } = tenant.users.of(role);
            json!({ "role": role, "email": email, "password": password, "tenant": tenant.id })
        }));
    }
    let operator = town.registry().appoint_another().await?;
    let mut command = npm(&node, &folder, script);
    command
        .env("RINGBACK_URL", &endpoints.api)
        .env("RINGBACK_PHONES", &endpoints.simulators)
        .env("RINGBACK_LOGINS", json!(logins).to_string())
        .env("RINGBACK_OPERATOR", json!(operator).to_string())
        .env("NO_PROXY", "127.0.0.1")
        // A browser that npm brings unpacks itself there.
        .env("TMPDIR", place.data.join("tmp"));
    Ok(command)
}

/// A line that tells `cargo stack test` how many tests were skipped, and why; `None` if none was.
pub fn skipped_tests_line(said: &str) -> Result<Option<String>> {
    let mut numbers = said.lines().filter_map(|line| line.strip_prefix("ℹ skipped "));
    let number = numbers.next_back().and_then(|number| number.parse::<u64>().ok());
    let number = number.with_context(|| format!("npm test ends without its numbers:\n{said}"))?;
    if number == 0 {
        return Ok(None);
    }
    let mut tests = said.lines().filter(|line| line.trim_start().starts_with('﹣'));
    let why = tests.find_map(|line| Some(line.split_once(" # ")?.1));
    let why = why.with_context(|| format!("npm test does not say why it skipped tests:\n{said}"))?;
    Ok(Some(format!("{SKIPPED}{number}: {why}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skipped_tests_are_counted_with_their_reason() {
        let of = |tests: &str, number: u32| {
            skipped_tests_line(&format!("{tests}\nℹ tests 2\nℹ pass 1\nℹ skipped {number}\nℹ todo 0"))
        };
        assert_eq!(of("✔ one (0.5ms)", 0).expect("numbers"), None);
        let why = of("✔ one (0.5ms)\n﹣ two (0.2ms) # no browser: install Chromium", 1);
        let expected = Some("skipped 1: no browser: install Chromium".to_owned());
        assert_eq!(why.expect("numbers"), expected);
        assert!(of("✔ one (0.5ms)\n﹣ two (0.2ms)", 1).is_err());
        assert!(skipped_tests_line("npm ERR! missing script: test").is_err());
    }

    /// Otherwise the output of a build would call for the next one.
    #[test]
    fn only_sources_call_for_a_build() {
        let data = std::env::temp_dir().join(format!("console-sources-{}", std::process::id()));
        let mut place = Place::new(Some(&data)).expect("a place");
        place.root = data.join("checkout");
        let write = |name: &str, text: &str| {
            let file = place.root.join(name);
            std::fs::create_dir_all(file.parent().expect("a folder")).expect("folders");
            std::fs::write(file, text).expect("a file");
        };
        write("docs/openapi.json", "{}");
        write("docs/problems.md", "");
        write("functions/web/console/app/main.ts", "1");
        let of = || fingerprint_of_sources(&place).expect("sources");
        let first = of();
        for written in [
            "node_modules/a/index.js",
            "dist/index.html",
            "app/api/contract.d.ts",
            "src/lib.rs",
        ] {
            write(&format!("functions/web/console/{written}"), "2");
            assert_eq!(of(), first, "{written}");
        }
        let mut seen = vec![first];
        for (changed, text) in [
            ("docs/openapi.json", "{} "),
            ("docs/problems.md", "| 404 |"),
            ("functions/web/console/app/main.ts", "3"),
            ("functions/web/console/app/other.ts", ""),
        ] {
            write(changed, text);
            assert!(!seen.contains(&of()), "{changed}");
            seen.push(of());
        }
        std::fs::remove_dir_all(&data).expect("it is ours");
    }
}
