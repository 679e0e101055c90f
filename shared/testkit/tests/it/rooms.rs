//! Dependencies between crates, and between the files of each shared crate.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;

use crate::repository::{Package, packages, read, rust_files};

const FUNCTION_KINDS: [&str; 6] = ["webhooks", "api", "web", "sockets", "jobs", "schedules"];

/// Allowed dependencies of a crate of `shared/`.
fn allowed_dependencies(shared: &str) -> &'static [&'static str] {
    match shared {
        "domain" => &[],
        "jobs" | "sheet" => &["domain"],
        // Shops have telephone numbers as people write them.
        "providers" => &["domain", "sheet"],
        // What was written says which jobs follow.
        "store" => &["domain", "jobs"],
        "access" => &["store", "domain", "jobs"],
        "kit" => &["access", "store", "domain", "jobs"],
        "flows" => &["kit", "store", "domain"],
        "api" => &["kit", "access", "store", "domain", "jobs"],
        // Only for tests.
        "testkit" => &["kit", "access", "store", "domain", "jobs", "providers"],
        other => panic!("shared/{other} has no place in the direction of dependencies yet"),
    }
}

/// Dependencies that every function may have. Functions of the API may use `api`, too.
const FOR_FUNCTIONS: [&str; 8] = [
    "flows",
    "kit",
    "access",
    "store",
    "domain",
    "jobs",
    "providers",
    "sheet",
];
/// Tests never ship, so they may use what they need, but no function and no tool except the simulators.
const FOR_TESTS: [&str; 2] = ["testkit", "simulators"];

#[test]
fn dependencies_point_one_way() {
    for package in packages()
        .iter()
        .filter(|package| !package.is_tool() && !package.is_room())
    {
        let name = &package.name;
        let allowed: &[&str] = if package.is_function() {
            &FOR_FUNCTIONS
        } else {
            allowed_dependencies(name)
        };
        let of_api = package.folder.starts_with("functions/api/");
        for used in &package.dependencies {
            let fine = allowed.contains(&used.as_str()) || (of_api && used == "api");
            assert!(fine, "{name} must not depend on {used}");
        }
        for used in &package.test_dependencies {
            let used = used.as_str();
            let fine = FOR_FUNCTIONS.contains(&used) || FOR_TESTS.contains(&used);
            assert!(fine, "the tests of {name} must not depend on {used}");
        }
    }
}

/// The paths of a tree of imports: `a::{b, c::D}` is `a::b` and `a::c::D`.
fn paths(tree: &str) -> Vec<String> {
    let Some((prefix, inner)) = tree.trim().split_once('{') else {
        return vec![tree.trim().to_owned()];
    };
    let mut depth = 0;
    let parts = inner.trim_end().trim_end_matches('}').split(|letter| {
        depth += i32::from(letter == '{') - i32::from(letter == '}');
        letter == ',' && depth == 0
    });
    let parts = parts.filter(|part| !part.trim().is_empty());
    parts.flat_map(paths).map(|path| format!("{prefix}{path}")).collect()
}

static COMMENT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"//[^\n]*").expect("a pattern"));
static IMPORT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?s)\buse crate::(.*?);").expect("a pattern"));
static DIRECT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\bcrate::(\w+(?:::\w+)*)").expect("a pattern"));

/// The paths in its crate that a file uses, without its tests, such as `messages::check::Verdict`.
fn used_paths(text: &str) -> Vec<String> {
    let code = text.split("\n#[cfg(test)]\nmod ").next().unwrap_or_default();
    let code = COMMENT.replace_all(code, "");
    let imported = IMPORT.captures_iter(&code).flat_map(|found| paths(&found[1]));
    let named = DIRECT.captures_iter(&code).map(|found| found[1].to_owned());
    imported.chain(named).collect()
}

/// Names that the page of a crate or a room exports, each with the module that defines it.
fn exports(page: &str) -> BTreeMap<String, String> {
    let export = Regex::new(r"(?s)\buse ((?:\w+::)*\w+)::(\{.*?\}|\w+);").expect("a pattern");
    let name = Regex::new(r"\w+").expect("a pattern");
    let mut exports = BTreeMap::new();
    for found in export.captures_iter(page) {
        let names = name.find_iter(found.get(2).map_or("", |names| names.as_str()));
        exports.extend(names.map(|name| (name.as_str().to_owned(), found[1].to_owned())));
    }
    exports
}

/// Folders of a crate that are rooms, whose page only explains them, names their files and exports their items, with what they export.
/// Any other folder is parts of one file.
fn rooms(sources: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    let line = Regex::new(r"^(//.*|#.*|(pub(\([a-z]+\))? )?mod \w+;)?$").expect("a pattern");
    let export = Regex::new(r"(?m)^(?:pub(?:\([a-z]+\))? )?use [^;]*;").expect("a pattern");
    let pages = rust_files().filter_map(|file| {
        let room = file.strip_prefix(sources)?.strip_suffix("/mod.rs")?;
        let page = read(file);
        let rest = export.replace_all(&page, "");
        let is_room = rest.lines().all(|text| line.is_match(text));
        is_room.then(|| (room.to_owned(), exports(&page)))
    });
    pages.collect()
}

/// The modules of a crate, each with the others that it uses: `room/file` in a room, otherwise `file`.
fn modules(sources: &str) -> BTreeMap<String, BTreeSet<String>> {
    let exports = exports(&read(format!("{sources}lib.rs")));
    let rooms = rooms(sources);
    let module = |path: &str| {
        let first = path.split("::").next().unwrap_or_default();
        let path = path.replacen(first, exports.get(first).map_or(first, String::as_str), 1);
        let mut parts = path.split("::");
        let first = parts.next().unwrap_or_default();
        match parts.next() {
            Some(second) if rooms.contains_key(first) => {
                let file = rooms[first].get(second).map_or(second, String::as_str);
                format!("{first}/{}", file.split("::").next().unwrap_or_default())
            }
            _ => first.to_owned(),
        }
    };
    let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let files = rust_files().filter(|file| file.starts_with(sources) && !file.ends_with("/tests.rs"));
    for file in files {
        let name = module(&file[sources.len()..].trim_end_matches(".rs").replace('/', "::"));
        if !matches!(name.as_str(), "lib" | "samples") {
            let used = used_paths(&read(file)).into_iter();
            uses.entry(name).or_default().extend(used.map(|path| module(&path)));
        }
    }
    let all: BTreeSet<String> = uses.keys().cloned().collect();
    for (module, used) in &mut uses {
        used.retain(|other| other != module && all.contains(other));
    }
    uses
}

#[test]
fn files_of_a_shared_crate_form_no_circle() {
    assert!(modules("shared/domain/src/")["messages/compose"].contains("messages/material"));
    let kit = modules("shared/kit/src/");
    assert!(kit["spill"].contains("queue_name"), "the crate's root exports it");
    for package in shared_crates() {
        let mut uses = modules(&format!("{}/src/", package.folder));
        // What uses nothing that is left is in no circle.
        loop {
            let left = uses.len();
            uses.retain(|_, used| !used.is_empty());
            let all: BTreeSet<String> = uses.keys().cloned().collect();
            uses.values_mut()
                .for_each(|used| used.retain(|other| all.contains(other)));
            if uses.len() == left {
                break;
            }
        }
        let name = &package.name;
        assert!(uses.is_empty(), "{name}: these use each other, or what does: {uses:?}");
    }
}

/// The rooms of the domain, each of which uses only those before it, except for [`AGAINST_THE_ORDER`].
const ORDER: [&str; 18] = [
    "terms",
    "destinations",
    "media",
    "money",
    "telephony",
    "tenants",
    "people",
    "templates",
    "accounts",
    "messages",
    "calls",
    "inbox",
    "reports",
    "campaigns",
    "automations",
    "notices",
    "live",
    "webhooks",
];

/// Rooms that use a later one, with the reason. Each makes a pair of rooms that use each other.
const AGAINST_THE_ORDER: [(&str, &str, &str); 4] = [
    (
        "people",
        "messages",
        "a contact counts its open messages, and hears of what it wrote",
    ),
    ("people", "inbox", "a merge of contacts joins their conversations"),
    (
        "messages",
        "calls",
        "a message answers what a customer wrote, whose record is kept beside that of calls",
    ),
    (
        "messages",
        "campaigns",
        "a message is checked by the state of its campaign, and may begin one",
    ),
];

#[test]
fn rooms_of_the_domain_use_those_before_them() {
    let mut found = BTreeSet::new();
    let room = |module: &str| ORDER.iter().position(|known| module.split('/').next() == Some(*known));
    for (module, used) in modules("shared/domain/src/") {
        let own = room(&module).unwrap_or_else(|| panic!("{module} has no place in the order of rooms"));
        for other in used {
            let other = room(&other).unwrap_or_else(|| panic!("{other} has no place in the order of rooms"));
            if own < other {
                found.insert((ORDER[own], ORDER[other]));
            }
        }
    }
    let allowed: BTreeSet<_> = AGAINST_THE_ORDER
        .iter()
        .map(|(room, later, _)| (*room, *later))
        .collect();
    assert_eq!(found, allowed, "these use later rooms");
}

#[test]
fn testkit_is_for_tests_only_and_functions_use_no_function() {
    let functions: Vec<_> = packages().iter().filter(|package| package.is_function()).collect();
    for package in packages() {
        let ships = package.dependencies.iter().any(|used| used == "testkit");
        assert!(!ships, "{} ships testkit", package.name);
        let used = package.dependencies.iter().chain(&package.test_dependencies);
        for used in used.filter(|_| package.is_function()) {
            let function = functions.iter().any(|function| function.name == *used);
            assert!(!function, "{} depends on the function {used}", package.name);
        }
    }
}

#[test]
fn every_crate_is_in_the_folder_of_its_name() {
    for package in packages() {
        let parts: Vec<_> = package.folder.split('/').collect();
        let placed = match parts.as_slice() {
            ["functions", kind] => FUNCTION_KINDS.contains(kind) && package.name == format!("{kind}_functions"),
            ["functions", kind, name] => FUNCTION_KINDS.contains(kind) && *name == package.name,
            ["shared" | "infra", name] => *name == package.name,
            _ => false,
        };
        assert!(placed, "{} lies in {}", package.name, package.folder);
    }
}

fn shared_crates() -> impl Iterator<Item = &'static Package> {
    let all = packages().iter();
    all.filter(|package| package.folder.starts_with("shared/"))
}

#[test]
fn every_shared_crate_says_what_belongs_in_it() {
    for package in shared_crates() {
        let readme = format!("{}/README.md", package.folder);
        let (text, title) = (read(&readme), format!("# {}\n", package.name));
        assert!(text.starts_with(&title), "{readme} has another title");
        assert!(text.contains("elongs here"), "{readme} does not say what belongs there");
    }
}

/// Locally, `main` is not compiled: what each function does stands in its library.
#[test]
fn a_functions_main_only_serves_its_library() {
    for package in packages().iter().filter(|package| package.is_function()) {
        let file = format!("{}/src/main.rs", package.folder);
        let main = format!(
            "fn main() -> Result<(), kit::Error> {{\n    {}::serve()\n}}\n",
            package.name
        );
        assert_eq!(read(&file), main, "{file}");
    }
}

/// A function that is not listed would be missing in the local stack. A test that is in no program that cargo builds never fails.
#[test]
fn folders_list_all_functions_and_their_tests() {
    let mut held = BTreeSet::new();
    for room in packages().iter().filter(|package| package.is_room()) {
        let inside = format!("{}/", room.folder);
        // The console waits for npm, and nothing else should.
        let functions = packages()
            .iter()
            .filter(|package| package.folder.starts_with(&inside) && package.name != "console");
        let mut list = String::new();
        for function in functions {
            held.insert(&function.name);
            list += &format!("    {}", function.name);
            for (name, file, _) in function.programs.iter().filter(|(name, ..)| name != "it") {
                let path = file.trim_start_matches(&format!("{}/", function.folder));
                list += &format!(", {name} = \"{path}\"");
            }
            list += ";\n";
        }
        let file = format!("{}/lib.rs", room.folder);
        let text = read(&file);
        assert!(
            text.ends_with(&format!("kit::functions! {{\n{list}}}\n")),
            "{file} must list\n{list}"
        );
    }
    let local = read("infra/local/src/main.rs");
    for package in packages() {
        let Package { name, .. } = package;
        if package.is_room() {
            assert!(
                local.contains(&format!("{name}::FUNCTIONS,")),
                "infra/local leaves {name} out"
            );
        } else if package.is_function() && !held.contains(name) && name != "console" {
            let listed = format!("(\"{name}\", {name}::serve)");
            assert!(local.contains(&listed), "infra/local leaves {name} out");
        }
        for (name, file, unasked) in &package.programs {
            let own = !held.contains(&package.name);
            assert_eq!(*unasked, own, "`test = …` of the program {name} ({file})");
        }
    }
}

/// A test program contains the whole AWS SDK, so dozens of empty ones fill a disk. But a test that is not built never fails.
#[test]
fn a_test_program_is_built_exactly_where_sources_have_tests() {
    for package in packages() {
        let (sources, folder) = (package.sources(), &package.folder);
        let has = |marks: &[&str]| marks.iter().any(|mark| sources.contains(mark));
        let has_tests = has(&["#[test]", "#[tokio::test", "proptest!"]) || package.is_room();
        let expected: &[&str] = if has_tests { &[&package.name] } else { &[] };
        // Of the library as its sources are, of the binary false.
        assert_eq!(package.tested, expected, "`test = …` in {folder}/Cargo.toml");
        let examples = package.is_function() && has(&["/// ```", "//! ```"]);
        assert!(!examples, "{folder}: nothing runs a function's examples");
        // `cargo stack test` does not run examples.
        assert!(package.doc_tests.is_empty(), "{folder}/Cargo.toml: `doctest = false`");
    }
}
