//! The tools in `.stack/`: Python environments and Node.js with pinned versions, set up once. What pip installs must have a hash of its
//! lock, and is no source distribution, whose set-up would run code; `NAME-sources.lock` names the exceptions.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use sha2::{Digest as _, Sha256};
use tokio::process::Command;

use crate::place::{Place, write};
use crate::process::{cargo, run_captured, run_logged};
use crate::report::step;

/// The Python environment of SAM CLI, cargo-lambda, zig, cfn-lint and typos.
const SAM: &str = "sam";

/// The Python environment of MiniStack and boto3.
const MINISTACK: &str = "ministack";

/// The Python environment of the checkers of the API's contract.
const CONTRACT: &str = "contract";

/// The environment of Node.js with npm.
const NODE: &str = "nodejs";

/// The Python environment of pip-audit.
const ADVISORIES: &str = "advisories";

/// Version of cargo-deny, which crates.io has only as sources.
const CARGO_DENY: &str = "0.20.2";

/// The tools, ready to use.
#[derive(Debug, Clone)]
pub struct Tools {
    place: Place,
}

impl Tools {
    /// Sets up missing and outdated environments.
    pub async fn set_up(place: &Place) -> Result<Self> {
        let tools = Self::at(place);
        tokio::try_join!(tools.environment(MINISTACK), tools.environment(SAM))?;
        Ok(tools)
    }

    /// The tools' places, for callers that use them only after [`Tools::set_up`] has finished.
    pub fn at(place: &Place) -> Self {
        Self { place: place.clone() }
    }

    /// The programs of a Python environment.
    fn bin(&self, environment: &str) -> PathBuf {
        self.place.dot.join("tools").join(environment).join("bin")
    }

    async fn environment(&self, name: &str) -> Result<()> {
        let pins = self.place.root.join("infra/stack/python");
        let lock = pins.join(format!("{name}.lock"));
        let sources = Some(pins.join(format!("{name}-sources.lock"))).filter(|sources| sources.exists());
        let folder = self.place.dot.join("tools").join(name);
        let files = [Some(&lock), sources.as_ref()].into_iter().flatten();
        let pinned = fingerprint(files.map(PathBuf::as_path))?;
        let what = format!("setting up {name} in .stack/tools (once)");
        run_once(&folder.join("pins.sha256"), &pinned, &what, async {
            let python = python().await?;
            remove(&folder)?;
            std::fs::create_dir_all(self.place.dot.join("tools")).context("creating .stack/tools")?;
            let log = self.place.logs().join(format!("setup-{name}.log"));
            run_logged(
                Command::new(python).args(["-m", "venv"]).arg(&folder),
                &log,
                "python -m venv (on Debian and Ubuntu, install it with `apt install python3-venv`)",
            )
            .await?;
            let python = folder.join("bin/python");
            let what = "pip install (is there a network connection with a package index?)";
            run_logged(&mut install_wheels(&python, &lock), &log, what).await?;
            if let Some(sources) = sources {
                run_logged(&mut install_sources(&python, &sources), &log, what).await?;
            }
            // A lock that lacks something on this machine is found here, not when a tool is used.
            run_logged(&mut pip(&python, &["check"]), &log, "pip check").await
        })
        .await
    }

    /// A program of the SAM environment, or `cargo`. Files that it would keep in the home directory are kept in `.stack/cache`.
    pub fn sam(&self, program: &str) -> Command {
        let cache = self.place.cache();
        let mut command = program_in(&self.place, program, &[&self.bin(SAM)]);
        command
            .env("SAM_CLI_TELEMETRY", "0")
            .env("__SAM_CLI_APP_DIR", cache.join("sam"))
            .env("ZIG_GLOBAL_CACHE_DIR", cache.join("zig"))
            .env("CARGO_ZIGBUILD_CACHE_DIR", cache.join("cargo-zigbuild"));
        command
    }

    /// `bridge.py` in MiniStack's environment.
    pub fn bridge(&self) -> Command {
        self.bridge_in(MINISTACK)
    }

    /// `bridge.py` in SAM CLI's environment, whose boto3 supports all kinds of profiles (`aws login` needs the AWS CRT).
    pub fn bridge_to_aws(&self) -> Command {
        self.bridge_in(SAM)
    }

    fn bridge_in(&self, environment: &str) -> Command {
        let mut command = Command::new(self.bin(environment).join("python"));
        command.arg(self.place.root.join("infra/stack/bridge.py"));
        command
    }

    /// Tools for the API's contract, set up on first use: only checks and tests need them.
    pub async fn contract(&self) -> Result<Contract> {
        let ((), node) = tokio::try_join!(self.environment(CONTRACT), self.node())?;
        let contract = Contract {
            place: self.place.clone(),
            python: self.bin(CONTRACT),
            node,
            packages: self.place.dot.join("tools/node"),
        };
        contract.packages().await?;
        Ok(contract)
    }

    /// pip-audit, set up on first use.
    pub async fn pip_audit(&self) -> Result<Command> {
        self.environment(ADVISORIES).await?;
        Ok(program_in(&self.place, "pip-audit", &[&self.bin(ADVISORIES)]))
    }

    /// cargo-deny, compiled on first use, which takes some minutes.
    pub async fn cargo_deny(&self) -> Result<Command> {
        let folder = self.place.dot.join("tools/cargo-deny");
        let what = "compiling cargo-deny in .stack/tools (once)";
        run_once(&folder.join("pins.sha256"), CARGO_DENY, what, async {
            remove(&folder)?;
            let mut install = cargo(
                &self.place,
                &["install", "--quiet", "--locked", "--version", CARGO_DENY, "cargo-deny"],
            );
            // Lints are for our own code.
            install.arg("--root").arg(&folder).env_remove("RUSTC_WORKSPACE_WRAPPER");
            let log = self.place.logs().join("setup-cargo-deny.log");
            run_logged(&mut install, &log, "cargo install cargo-deny").await
        })
        .await?;
        Ok(program_in(&self.place, "cargo-deny", &[&folder.join("bin")]))
    }

    /// Node.js, set up on first use: only the console and checks of the contract need it.
    pub async fn node(&self) -> Result<Node> {
        self.environment(NODE).await?;
        Ok(Node {
            place: self.place.clone(),
            bin: self.bin(NODE),
        })
    }
}

/// Installs exactly what a lock names, if it has the hash that the lock names.
const INSTALL: [&str; 4] = ["install", "--quiet", "--require-hashes", "--no-deps"];

/// Installs the wheels of a lock.
pub fn install_wheels(python: &Path, lock: &Path) -> Command {
    let mut install = pip(python, &INSTALL);
    install.args(["--only-binary", ":all:", "--requirement"]).arg(lock);
    install
}

/// Builds and installs what has no wheel, with build tools that were installed before: pip would fetch others, without hashes.
fn install_sources(python: &Path, lock: &Path) -> Command {
    let mut install = pip(python, &INSTALL);
    install
        .args(["--no-build-isolation", "--no-binary", ":all:", "--requirement"])
        .arg(lock);
    install
}

fn pip(python: &Path, arguments: &[&str]) -> Command {
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "--no-input", "--disable-pip-version-check"])
        .args(arguments);
    pip
}

/// Files with the machine's root certificates on Linux distributions.
const SYSTEM_ROOTS: [&str; 2] = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];

#[derive(Debug, Clone)]
pub struct Node {
    place: Place,
    bin: PathBuf,
}

impl Node {
    /// npm. What it runs finds the same Node.js.
    pub fn npm(&self) -> Command {
        self.program("npm", &[])
    }

    /// Installs exactly the packages that the lock file in a folder names, and runs no scripts of theirs.
    pub async fn install(&self, folder: &Path, log: &Path) -> Result<()> {
        let mut install = self.npm();
        install
            .current_dir(folder)
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            // Otherwise, it is a minute before it says that there is no registry.
            .args(["--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000"]);
        let what = "npm ci (is there a network connection with a package registry?)";
        run_logged(&mut install, log, what).await
    }

    /// A program in one of these folders, or of Node.js. It keeps no files in the home directory.
    fn program(&self, program: &str, folders: &[&Path]) -> Command {
        let folders: Vec<&Path> = folders.iter().copied().chain([self.bin.as_path()]).collect();
        let mut command = program_in(&self.place, program, &folders);
        // Node knows only its own root certificates; a company's proxy may need the machine's.
        if std::env::var_os("NODE_EXTRA_CA_CERTS").is_none()
            && let Some(roots) = SYSTEM_ROOTS.iter().find(|file| Path::new(file).exists())
        {
            command.env("NODE_EXTRA_CA_CERTS", roots);
        }
        command
            .env("npm_config_cache", self.place.cache().join("npm"))
            .env("npm_config_update_notifier", "false");
        command
    }
}

/// Tools for the API's contract: linters, generators of clients, the fuzzer.
#[derive(Debug, Clone)]
pub struct Contract {
    place: Place,
    python: PathBuf,
    node: Node,
    packages: PathBuf,
}

impl Contract {
    /// A program of its Python environment (`python`, `schemathesis`), of its npm packages (`redocly`, `tsc`) or of Node.js. It keeps no
    /// files in the home directory and sends no telemetry.
    pub fn program(&self, program: &str) -> Command {
        let packages = self.packages_folder().join(".bin");
        let mut command = self.node.program(program, &[&self.python, &packages]);
        command
            .env("RUFF_CACHE_DIR", self.place.cache().join("ruff"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("REDOCLY_TELEMETRY", "off")
            .env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true");
        command
    }

    /// Generates the Python client of the API into an empty folder.
    pub async fn generate_python_client(&self, folder: &Path) -> Result<()> {
        remove(folder)?;
        std::fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
        let mut generate = self.program("openapi-python-client");
        generate
            .args(["generate", "--overwrite", "--meta", "none"])
            .args(["--fail-on-warning", "--path"])
            .arg(self.place.root.join("docs/openapi.json"))
            .arg("--config")
            .arg(self.place.root.join("infra/contract/clients/python/config.yml"))
            .arg("--output-path")
            .arg(folder.join("ringback_client"));
        let log = self.place.logs().join("python-client.log");
        run_logged(&mut generate, &log, "openapi-python-client").await
    }

    /// The Python of its environment.
    pub fn python(&self) -> PathBuf {
        self.python.join("python")
    }

    /// Folder of the npm packages. Code that uses them looks for them from its own folder upwards.
    pub fn packages_folder(&self) -> PathBuf {
        self.packages.join("node_modules")
    }

    async fn packages(&self) -> Result<()> {
        let pins = self.place.root.join("infra/stack/node");
        let files = ["package.json", "package-lock.json"];
        let pinned = fingerprint(files.map(|file| pins.join(file)).iter().map(PathBuf::as_path))?;
        let what = "setting up npm packages in .stack/tools (once)";
        run_once(&self.packages.join("pins.sha256"), &pinned, what, async {
            remove(&self.packages)?;
            std::fs::create_dir_all(&self.packages).context("creating .stack/tools/node")?;
            for file in files {
                std::fs::copy(pins.join(file), self.packages.join(file)).with_context(|| format!("copying {file}"))?;
            }
            let log = self.place.logs().join("setup-node.log");
            self.node.install(&self.packages, &log).await
        })
        .await
    }
}

/// A Python of a supported version; `PYTHON` names another than `python3`.
async fn python() -> Result<String> {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let mut ask = Command::new(&python);
    let print = "import sys; print(sys.version_info >= (3, 10), sys.version.split()[0])";
    ask.args(["-c", print]);
    let version = run_captured(&mut ask, &[], "looking for python3").await;
    let version = version.context("Python 3.10 or newer is required (set PYTHON if it is not `python3`)")?;
    let version = String::from_utf8_lossy(&version);
    ensure!(
        version.starts_with("True "),
        "`{python}` is {}; Python 3.10 or newer is required (set PYTHON to another one)",
        version.trim().trim_start_matches("False ")
    );
    Ok(python)
}

/// A program in the first of these folders that has it, or else wherever `PATH` names it; what it runs is found in the same way. Files
/// that it would keep in the home directory are kept in `.stack/cache`.
fn program_in(place: &Place, program: &str, folders: &[&Path]) -> Command {
    let mut own = folders.iter().map(|folder| folder.join(program));
    let own = own.find(|path| path.exists());
    let mut command = Command::new(own.unwrap_or_else(|| program.into()));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let paths = folders.iter().map(|folder| folder.to_path_buf());
    if let Ok(path) = std::env::join_paths(paths.chain(std::env::split_paths(&path))) {
        command.env("PATH", path);
    }
    command.current_dir(&place.root).env("XDG_CACHE_HOME", place.cache());
    command
}

/// Runs a step unless the stamp says that it was the last time done with this fingerprint, and stamps it.
pub async fn run_once(stamp: &Path, pinned: &str, what: &str, work: impl Future<Output = Result<()>>) -> Result<()> {
    if is_stamped(stamp, pinned) {
        return Ok(());
    }
    step(what, async {
        work.await?;
        write(stamp, pinned)
    })
    .await
}

/// Whether a stamp names this fingerprint.
pub fn is_stamped(stamp: &Path, fingerprint: &str) -> bool {
    std::fs::read_to_string(stamp).is_ok_and(|was| was == fingerprint)
}

/// Deletes a folder, if there is one.
pub fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder).with_context(|| format!("removing {}", folder.display()))?;
    }
    Ok(())
}

/// SHA-256 of files, in hex.
pub fn fingerprint<'a>(files: impl IntoIterator<Item = &'a Path>) -> Result<String> {
    let mut hash = Sha256::new();
    let mut part = vec![0; 1 << 20];
    for path in files {
        let mut file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
        loop {
            let read = file
                .read(&mut part)
                .with_context(|| format!("reading {}", path.display()))?;
            if read == 0 {
                break;
            }
            hash.update(&part[..read]);
        }
        hash.update([0]);
    }
    Ok(hex::encode(hash.finalize()))
}
