//! `test --package`, `test --changed`: the tests of some packages, without a deployed stack. The emulator of `up` is used if it runs, since
//! each test creates its own table.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tokio::process::Command;

use super::{run_all, without_stage};
use crate::build::{self, ROOM};
use crate::endpoints::Endpoints;
use crate::ministack;
use crate::place::Place;
use crate::process::{cargo, run_captured};
use crate::tools::Tools;
use crate::up::unless_interrupted;

/// Files that all packages depend on.
const OF_ALL: [&str; 3] = ["Cargo.toml", "Cargo.lock", ".cargo/config.toml"];

#[derive(Debug)]
struct Package {
    /// Its folder in the checkout, `shared/store`.
    folder: String,
    /// The packages of the workspace that it depends on, also for its tests.
    uses: BTreeSet<String>,
}

/// Runs the tests of these packages, or of those that differ; true if all passed.
pub async fn test(place: &Place, packages: &[String], changed: bool, arguments: &[String]) -> Result<bool> {
    unless_interrupted(Box::pin(build_and_run(place, packages, changed, arguments))).await
}

async fn build_and_run(place: &Place, packages: &[String], changed: bool, arguments: &[String]) -> Result<bool> {
    let all = workspace(place).await?;
    let mut wanted = BTreeSet::new();
    for package in packages.iter().cloned() {
        let known = || all.keys().cloned().collect::<Vec<_>>().join(", ");
        ensure!(
            all.contains_key(&package),
            "no package `{package}`; the packages are {}",
            known()
        );
        if package.ends_with(ROOM) {
            wanted.extend(functions_of(&all, &package).cloned());
        }
        wanted.insert(package);
    }
    if changed {
        wanted.extend(find_affected_packages(&all, &differing(place).await?));
    }
    if wanted.is_empty() {
        println!("nothing differs from the last commit on main");
        return Ok(true);
    }
    println!("testing {}", wanted.iter().cloned().collect::<Vec<_>>().join(", "));
    let tools = Tools::set_up(place).await?;
    let (rooms, few) = by_folders(&all, &wanted, packages);
    let others = wanted.iter().filter(|name| !name.ends_with(ROOM));
    let packages = others.cloned().chain(rooms).collect();
    let mut programs = build::test_programs_of(place, &packages, &few, arguments).await?;
    // A folder's program has the tests of others, too.
    programs.retain(|program| wanted.contains(&program.package));
    // They need the deployed stack.
    let (of_stack, programs): (Vec<_>, Vec<_>) = programs.into_iter().partition(build::TestProgram::needs_stage);
    let count = match running(place).await {
        Some(url) => {
            run_all(&programs, arguments, false, |command| {
                command.env("RINGBACK_TEST_AWS", &url);
            })
            .await?
        }
        None => Box::pin(without_stage(place, &tools, &programs, arguments, None)).await?,
    };
    print!("{}", count.show());
    if !of_stack.is_empty() {
        println!("not run: the tests of the deployed stack, which `cargo stack test` runs, all or one by its name");
    }
    Ok(count.all_passed())
}

/// The emulator of `up`, if it runs.
async fn running(place: &Place) -> Option<String> {
    let endpoints = Endpoints::of_running(place).ok()?;
    let port = endpoints.aws_endpoint.rsplit(':').next()?.parse().ok()?;
    ministack::ready(port).await.then_some(endpoints.aws_endpoint)
}

/// The packages of the workspace by name.
async fn workspace(place: &Place) -> Result<BTreeMap<String, Package>> {
    let mut command = cargo(place, &["metadata", "--offline", "--no-deps", "--format-version=1"]);
    let metadata = run_captured(&mut command, &[], "listing packages").await?;
    let metadata: Value = serde_json::from_slice(&metadata).context("reading cargo's metadata")?;
    let root = metadata["workspace_root"].as_str().context("a workspace has a root")?;
    let packages = metadata["packages"].as_array().context("a workspace has packages")?;
    let packages = packages.iter().filter_map(|package| {
        let folder = package["manifest_path"].as_str()?.strip_prefix(root)?;
        let folder = folder.trim_start_matches('/').strip_suffix("/Cargo.toml")?;
        let uses = package["dependencies"].as_array()?.iter();
        let own = uses.filter(|dependency| dependency["path"].is_string());
        let name = |value: &Value| Some(value["name"].as_str()?.to_owned());
        let (folder, uses) = (folder.to_owned(), own.filter_map(name).collect());
        Some((name(package)?, Package { folder, uses }))
    });
    Ok(packages.collect())
}

/// The files that differ from the last commit on `main`, also new ones.
async fn differing(place: &Place) -> Result<Vec<String>> {
    let mut files = Vec::new();
    for arguments in [
        &["diff", "--name-only", "main"][..],
        &["ls-files", "--others", "--exclude-standard"],
    ] {
        let mut command = Command::new("git");
        command.current_dir(&place.root).args(arguments);
        let output = run_captured(&mut command, &[], "asking git what differs from main").await?;
        files.extend(String::from_utf8_lossy(&output).lines().map(str::to_owned));
    }
    Ok(files)
}

/// The packages of these files, and those that depend on them. The guards in `testkit` read the whole checkout.
fn find_affected_packages(all: &BTreeMap<String, Package>, files: &[String]) -> BTreeSet<String> {
    if files.iter().any(|file| OF_ALL.contains(&file.as_str())) {
        return all.keys().cloned().collect();
    }
    let is_in = |file: &String, package: &Package| {
        let inside = file.strip_prefix(&package.folder);
        inside.is_some_and(|rest| rest.starts_with('/'))
    };
    let own = all
        .iter()
        .filter(|(_, package)| files.iter().any(|file| is_in(file, package)));
    let mut found: BTreeSet<String> = own.map(|(name, _)| name.clone()).collect();
    if !files.is_empty() {
        found.insert("testkit".to_owned());
    }
    // What depends on the guards' crate does so for its helpers, which have not changed.
    let mut new: Vec<String> = found
        .iter()
        .filter(|name| *name != "testkit" || differs(all, files))
        .cloned()
        .collect();
    while let Some(changed) = new.pop() {
        for (name, package) in all {
            if package.uses.contains(&changed) && found.insert(name.clone()) {
                new.push(name.clone());
            }
        }
    }
    found
}

/// The program of the API's folder takes as long as those of nine functions.
const FEW: usize = 8;

/// The packages of folders that are named, or that have so many tested functions that one program is sooner built than theirs; and the
/// functions of the other folders.
fn by_folders(
    all: &BTreeMap<String, Package>,
    wanted: &BTreeSet<String>,
    named: &[String],
) -> (Vec<String>, BTreeSet<String>) {
    let (mut rooms, mut few) = (Vec::new(), BTreeSet::new());
    for room in all.keys().filter(|name| name.ends_with(ROOM)) {
        let functions: Vec<_> = functions_of(all, room).filter(|name| wanted.contains(*name)).collect();
        // Whose manifest or list alone differs is built, too.
        let is_alone = functions.is_empty() && wanted.contains(room);
        if functions.len() > FEW || named.contains(room) || is_alone {
            rooms.push(room.clone());
        } else {
            few.extend(functions.into_iter().cloned());
        }
    }
    (rooms, few)
}

/// The functions whose tests a folder's package holds.
fn functions_of<'a>(all: &'a BTreeMap<String, Package>, room: &str) -> impl Iterator<Item = &'a String> {
    let Package { folder, uses } = &all[room];
    let is_inside = move |name: &&String| {
        all[*name]
            .folder
            .strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/'))
    };
    uses.iter().filter(is_inside)
}

/// Whether the helpers of tests differ, not only their guards.
fn differs(all: &BTreeMap<String, Package>, files: &[String]) -> bool {
    let folder = all.get("testkit").map(|testkit| format!("{}/src/", testkit.folder));
    folder.is_some_and(|folder| files.iter().any(|file| file.starts_with(&folder)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_depends_on_a_change_is_tested_with_it() {
        let package = |folder: &str, uses: &[&str]| Package {
            folder: folder.to_owned(),
            uses: uses.iter().map(|name| (*name).to_owned()).collect(),
        };
        let all = BTreeMap::from([
            ("domain".to_owned(), package("shared/domain", &[])),
            ("store".to_owned(), package("shared/store", &["domain", "testkit"])),
            ("sheet".to_owned(), package("shared/sheet", &[])),
            (
                "calls".to_owned(),
                package("functions/api/calls", &["store", "testkit"]),
            ),
            ("calls_more".to_owned(), package("functions/api/calls_more", &["sheet"])),
            ("testkit".to_owned(), package("shared/testkit", &["domain"])),
        ]);
        for (file, wanted) in [
            ("functions/api/calls/src/lib.rs", &["calls", "testkit"][..]),
            ("shared/sheet/README.md", &["calls_more", "sheet", "testkit"]),
            ("shared/store/tests/it/main.rs", &["calls", "store", "testkit"]),
            ("shared/testkit/tests/it/roles.rs", &["testkit"]),
            ("shared/testkit/src/lib.rs", &["calls", "store", "testkit"]),
            ("shared/domain/src/lib.rs", &["calls", "domain", "store", "testkit"]),
            ("template.yaml", &["testkit"]),
            (
                "Cargo.lock",
                &["calls", "calls_more", "domain", "sheet", "store", "testkit"],
            ),
        ] {
            let found = find_affected_packages(&all, &[file.to_owned()]);
            assert!(found.iter().eq(wanted), "{file}: {found:?}");
        }
        assert!(find_affected_packages(&all, &[]).is_empty());
    }

    #[test]
    fn few_functions_are_tested_by_their_own_programs() {
        let package = |folder: String, uses: &[String]| Package {
            folder,
            uses: uses.iter().cloned().collect(),
        };
        let names: Vec<String> = (0..=FEW).map(|number| format!("f{number}")).collect();
        let uses: Vec<String> = names.iter().cloned().chain(["kit".to_owned()]).collect();
        let room = format!("api{ROOM}");
        let mut all = BTreeMap::from([
            ("kit".to_owned(), package("shared/kit".to_owned(), &[])),
            (room.clone(), package("functions/api".to_owned(), &uses)),
        ]);
        all.extend(
            names
                .iter()
                .map(|name| (name.clone(), package(format!("functions/api/{name}"), &[]))),
        );
        let of = |count: usize, also: &[String], named: &[String]| {
            let wanted: BTreeSet<String> = names[..count].iter().chain(also).cloned().collect();
            let (rooms, few) = by_folders(&all, &wanted, named);
            (rooms.len(), few.len())
        };
        let room = [room];
        assert_eq!((of(1, &[], &[]), of(1, &room, &[])), ((0, 1), (0, 1)));
        assert_eq!((of(FEW, &[], &[]), of(FEW + 1, &[], &[])), ((0, FEW), (1, 0)));
        assert_eq!((of(1, &room, &room), of(0, &room, &[])), ((1, 0), (1, 0)));
    }
}
