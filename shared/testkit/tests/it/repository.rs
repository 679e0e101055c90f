//! Access to the repository's files and crates.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

pub(crate) fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.ancestors().nth(2).expect("testkit is shared/testkit").to_owned()
}

/// A file's text; the path is relative to the root.
pub(crate) fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn run(command: &mut Command) -> String {
    let output = command.current_dir(root()).output();
    let output = output.expect("the command can be started");
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {complained}");
    String::from_utf8(output.stdout).expect("its output is UTF-8")
}

/// All files that are tracked or about to be, relative to the root.
pub(crate) fn files() -> &'static [String] {
    static FILES: OnceLock<Vec<String>> = OnceLock::new();
    FILES.get_or_init(|| {
        let listed = run(Command::new("git").args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]));
        let mut files: Vec<String> = listed.split_terminator('\0').map(str::to_owned).collect();
        files.retain(|file| root().join(file).is_file());
        files.sort();
        files.dedup();
        assert!(files.len() > 100, "git lists too few files");
        files
    })
}

/// The tracked Rust files.
pub(crate) fn rust_files() -> impl Iterator<Item = &'static str> {
    files().iter().map(String::as_str).filter(|file| file.ends_with(".rs"))
}

/// A crate of ours.
#[derive(Debug, Clone)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// Relative to the root, such as `shared/kit`.
    pub(crate) folder: String,
    pub(crate) binaries: Vec<String>,
    /// Names of its libraries and binaries with tests of their own.
    pub(crate) tested: Vec<String>,
    /// Its programs of tests by name, each with its file relative to the root, and whether cargo builds it unasked.
    pub(crate) programs: Vec<(String, String, bool)>,
    /// Names of its libraries whose examples are tests.
    pub(crate) doc_tests: Vec<String>,
    /// Names of our crates that it depends on.
    pub(crate) dependencies: Vec<String>,
    /// Names of our crates that only its tests depend on.
    pub(crate) test_dependencies: Vec<String>,
    /// Names of others' crates that it depends on.
    pub(crate) others: Vec<String>,
    /// Names of others' crates that it takes any version of.
    pub(crate) of_any_version: Vec<String>,
    /// Its requests of each crate, by the crate's name: packages that ask the same are built with the same.
    pub(crate) asks: BTreeSet<(String, String)>,
}

impl Package {
    pub(crate) fn is_function(&self) -> bool {
        self.folder.starts_with("functions/") && !self.is_room()
    }

    /// Whether it is all functions of its folder.
    pub(crate) fn is_room(&self) -> bool {
        self.name.ends_with("_functions")
    }

    pub(crate) fn is_tool(&self) -> bool {
        self.folder.starts_with("infra/")
    }

    /// Its code, without tests in separate files.
    pub(crate) fn sources(&self) -> String {
        let folder = format!("{}/src/", self.folder);
        let own = rust_files().filter(|file| file.starts_with(&folder));
        own.map(read).collect()
    }
}

/// All crates of ours.
pub(crate) fn packages() -> &'static [Package] {
    static PACKAGES: OnceLock<Vec<Package>> = OnceLock::new();
    PACKAGES.get_or_init(|| {
        let metadata =
            run(Command::new(env!("CARGO")).args(["metadata", "--offline", "--no-deps", "--format-version=1"]));
        let metadata: Value = serde_json::from_str(&metadata).expect("cargo metadata is JSON");
        let members = metadata["packages"].as_array().expect("it lists packages");
        let packages: Vec<Package> = members.iter().map(package).collect();
        assert!(packages.len() > 10, "cargo lists too few crates");
        packages
    })
}

fn package(metadata: &Value) -> Package {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let list = |value: &Value| value.as_array().expect("a list").clone();
    let manifest = PathBuf::from(text(&metadata["manifest_path"]));
    let folder = manifest.parent().and_then(|folder| folder.strip_prefix(root()).ok());
    let folder = folder.expect("a member lies below the root").display().to_string();
    let crates = |ours: bool, tests: bool| {
        let of_kind = |dependency: &&Value| (dependency["kind"] == "dev") == tests;
        let own = list(&metadata["dependencies"]);
        own.iter()
            .filter(|dependency| dependency.get("path").is_some_and(Value::is_string) == ours)
            .filter(of_kind)
            .map(|dependency| text(&dependency["name"]))
            .collect()
    };
    let targets = |which: &dyn Fn(&Value) -> bool| {
        let all = list(&metadata["targets"]);
        all.iter()
            .filter(|target| which(target))
            .map(|target| text(&target["name"]))
            .collect()
    };
    let programs = list(&metadata["targets"]).into_iter();
    let programs = programs.filter(|target| target["kind"][0] == "test").map(|target| {
        let file = PathBuf::from(text(&target["src_path"]));
        let file = file.strip_prefix(root()).expect("a file of ours").display().to_string();
        (text(&target["name"]), file, target["test"] == true)
    });
    let of_any_version = list(&metadata["dependencies"]).into_iter();
    let of_any_version = of_any_version.filter(|one| one["req"] == "*" && !one["path"].is_string());
    Package {
        of_any_version: of_any_version.map(|one| text(&one["name"])).collect(),
        name: text(&metadata["name"]),
        folder,
        binaries: targets(&|target| target["kind"][0] == "bin"),
        tested: targets(&|target| target["kind"][0] != "test" && target["test"] == true),
        programs: programs.collect(),
        doc_tests: targets(&|target| target["doctest"] == true),
        dependencies: crates(true, false),
        test_dependencies: crates(true, true),
        others: crates(false, false),
        asks: list(&metadata["dependencies"])
            .into_iter()
            .map(|one| {
                let parts = ["kind", "features", "uses_default_features", "optional", "target"];
                (text(&one["name"]), format!("{:?}", parts.map(|part| one[part].clone())))
            })
            .collect(),
    }
}
