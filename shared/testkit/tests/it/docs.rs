//! The documentation against the code.

use std::collections::BTreeSet;
use std::path::Path;

use domain::messages::Material;
use domain::money::Product;
use domain::templates::TemplateDefinition;
use domain::tenants::{Account, ConnectionSummary, Line, Rule, SendSecrets, Tenant, TenantConfig, VerifySecrets};
use regex::Regex;
use serde_json::{from_str, from_value, json};
use testkit::template::{edge, resources, template};

use crate::repository::{files, read, root};

/// Targets of Markdown links.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target)
}

#[test]
fn links_between_pages_lead_somewhere() {
    for file in files().iter().filter(|file| file.ends_with(".md")) {
        let text = read(file);
        let folder = root().join(file);
        let folder = folder.parent().unwrap_or(Path::new("/"));
        for link in links(&text).filter(|link| !link.contains("://") && !link.starts_with('#')) {
            let path = link.split('#').next().unwrap_or_default();
            assert!(folder.join(path).exists(), "{file} links to {link}");
        }
    }
}

#[test]
fn names_after_a_file_of_where_it_is_decided_stand_in_it() {
    let page = read("docs/where-it-is-decided.md");
    let named = Regex::new(r"\]\(\.\./([^)#]+\.\w+)\) `(\w+)!?`").expect("a pattern");
    let mut found = 0;
    for row in named.captures_iter(&page) {
        let (file, name) = (&row[1], &row[2]);
        let word = Regex::new(&format!(r"\b{name}\b")).expect("a pattern");
        assert!(word.is_match(&read(file)), "{file} has no {name}");
        found += 1;
    }
    assert!(found > 100, "the page names {found} only");
}

#[test]
fn every_decision_is_listed() {
    let list = read("docs/decisions/README.md");
    for file in files() {
        if let Some(name) = file.strip_prefix("docs/decisions/")
            && name != "README.md"
        {
            assert!(list.contains(&format!("({name})")), "{file} is not in the list");
        }
    }
}

/// The fenced blocks of a page with this label after the three backticks.
fn blocks<'a>(page: &'a str, label: &str) -> Vec<&'a str> {
    let fence = format!("```{label}\n");
    page.split(&fence)
        .skip(1)
        .filter_map(|rest| rest.split_once("```"))
        .map(|(block, _)| block)
        .collect()
}

/// The first of these blocks.
fn block<'a>(page: &'a str, label: &str) -> &'a str {
    let first = blocks(page, label).into_iter().next();
    first.unwrap_or_else(|| panic!("there is no {label}"))
}

#[test]
fn the_example_of_a_rule_works_as_written() {
    let page = read("docs/rules.md");
    let one = |label: &str| block(&page, label);
    let rule: Rule = from_str(one("json rule")).unwrap();
    let template: TemplateDefinition = from_str(one("json template")).unwrap();
    let product: Product = from_str(one("json product")).unwrap();
    let price = product.price.as_ref().map(ToString::to_string).unwrap_or_default();
    assert!(page.contains(&format!("prints as `{price}`")), "{price}");
    let tenant: Tenant = from_str(one("json tenant")).unwrap();
    let line: Line = from_str(one("json line")).unwrap();
    let carries = json!({
        "id": "conn_01k9zz0000000000000000000a", "name": "all", "carries": ["whatsapp", "sms"],
        "sms_numbers": ["+97143330000"],
        "letters": [{"country": "AE", "sender": "MARINA", "registered": true}],
    });
    let config = TenantConfig {
        tenant,
        rules: vec![rule],
        lines: vec![line],
        teams: Vec::new(),
        connections: vec![from_value::<ConnectionSummary>(carries).unwrap()],
    };
    let material = Material {
        templates: vec![template],
        products: vec![product],
        ..Material::default()
    };
    assert_eq!(config.problems(&material), Vec::<String>::new());
}

#[test]
fn every_parameter_is_explained_to_operators() {
    let page = read("docs/operations/parameters.md") + &read("docs/operations/alarms.md");
    let parameters = [template(), edge()].map(|template| template["Parameters"].as_object().expect("parameters"));
    for name in parameters.iter().flat_map(|parameters| parameters.keys()) {
        let explained = page.contains(&format!("`{name}`"));
        assert!(explained, "docs/operations does not explain {name}");
    }
}

#[test]
fn every_alarm_says_what_to_do() {
    let page = read("docs/operations/alarms.md");
    let alarms: Vec<_> = resources("AWS::CloudWatch::Alarm").map(|(id, _)| id).collect();
    let rows: Vec<_> = page.lines().filter_map(|line| line.strip_prefix("| `")).collect();
    for id in &alarms {
        let row = rows.iter().find(|row| row.starts_with(&format!("{id}`")));
        let row = row.unwrap_or_else(|| panic!("docs/operations/alarms.md has no row of {id}"));
        let cells: Vec<_> = row.split(" | ").map(|cell| cell.trim_matches([' ', '|'])).collect();
        let says = cells.len() == 3 && cells.iter().all(|cell| !cell.is_empty());
        assert!(says, "{id} does not say what to do");
    }
    for row in rows.iter().filter(|row| row.contains("Alarm`")) {
        let id = row.split('`').next().unwrap_or_default();
        assert!(
            alarms.contains(&id),
            "docs/operations/alarms.md explains {id}, which is none"
        );
    }
}

/// Pages for deployment and operation.
const OPERATORS: [&str; 6] = [
    "docs/operations/first-deployment.md",
    "docs/operations/incidents.md",
    "docs/operations/logs-and-dead-letters.md",
    "docs/operations/privacy.md",
    "docs/operations/tenants.md",
    "samconfig.toml",
];

/// The captured groups of all matches.
fn captured_groups<'a>(text: &'a str, pattern: &str) -> BTreeSet<&'a str> {
    let pattern = Regex::new(pattern).expect("an expression");
    let names = pattern.captures_iter(text).filter_map(|found| found.get(1));
    names.map(|name| name.as_str()).collect()
}

#[test]
fn operators_give_parameters_and_read_outputs_that_exist() {
    let known = |part: &str, name: &str| {
        [template(), edge()]
            .iter()
            .any(|template| template[part].get(name).is_some())
    };
    let (mut given, mut read_back) = (0, 0);
    for page in OPERATORS {
        let text = read(page);
        // Capitals alone are a shell variable; `Name=value` is a placeholder.
        for name in captured_groups(&text, r"\b([A-Z]+[a-z]\w*)=[^=]") {
            given += 1;
            let fine = name == "Name" || known("Parameters", name);
            assert!(fine, "{page} gives {name}, which is no parameter");
        }
        for name in captured_groups(&text, r"(?:outputs?\s+`|OutputKey==')(\w+)") {
            read_back += 1;
            assert!(known("Outputs", name), "{page} reads {name}, which is no output");
        }
    }
    assert!(given >= 10 && read_back > 4, "{given} parameters, {read_back} outputs");
}

#[test]
fn operators_are_told_which_rust_they_need() {
    let manifest = read("Cargo.toml");
    let needed = captured_groups(&manifest, r#"rust-version = "([0-9.]+)""#);
    for page in ["README.md", "docs/operations/first-deployment.md"] {
        let told = captured_groups(&read(page), r"(?:Rust|Rust must be|rustc) ([0-9]+\.[0-9]+\.[0-9]+)").len();
        assert!(told == 1, "{page} tells of {told} versions");
        for version in &needed {
            assert!(read(page).contains(version), "{page} does not tell of Rust {version}");
        }
    }
}

/// SAM's guided deployment asks for a confirmation of each route without an authorizer, and its default answer ends the deployment.
#[test]
fn nobody_is_told_to_deploy_guided() {
    for page in OPERATORS {
        assert!(!read(page).contains("--guided"), "{page}");
    }
}

/// The signature in the documentation is valid for its bytes.
#[test]
fn the_worked_example_of_the_generic_event_verifies() {
    let page = read("docs/generic-telephony.md");
    let field = |name: &str| {
        let rest = page.split_once(&format!("{name}: ")).map(|(_, rest)| rest);
        let rest = rest.unwrap_or_else(|| panic!("no {name}"));
        rest.lines().next().unwrap_or_default()
    };
    let mut words = page.split('`');
    let secret = words.find(|text| text.starts_with("whsec_") && text.len() > 20);
    let secret = secret.expect("a secret");
    let timestamp = field("webhook-timestamp");
    let now = domain::Timestamp::from_second(timestamp.parse().unwrap()).unwrap();
    let body = block(&page, "json body").trim_end();
    let headers = providers::telephony::Headers {
        id: Some(field("webhook-id")),
        timestamp: Some(timestamp),
        signature: Some(field("webhook-signature")),
    };
    let verified = providers::telephony::verify(&[secret], headers, body.as_bytes(), now);
    assert_eq!(verified, Ok(()));
    let connection = "conn_00000000000000000000000001".parse().unwrap();
    let event = providers::telephony::event(body.as_bytes(), connection, now).unwrap();
    assert_eq!(event.facts.stated, Some(domain::telephony::Outcome::Missed));
}

#[test]
fn the_examples_of_connections_work_as_written() {
    let page = read("docs/webhooks.md");
    let examples = blocks(&page, "json connection");
    let mut kinds = Vec::new();
    for example in examples {
        let example: serde_json::Value = from_str(example).unwrap();
        let account: Account = from_value(example["account"].clone()).unwrap();
        let kind = account.kind();
        assert!(page.contains(&format!("`/webhooks/{kind}/")), "{kind} has no address");
        assert!(from_value::<VerifySecrets>(example["verify"].clone()).is_ok(), "{kind}");
        // Plivo's auth token verifies webhooks and also opens the API.
        let asks = kind != "plivo";
        let sends = from_value::<SendSecrets>(example["send"].clone()).is_ok();
        assert_eq!((sends, example.get("send").is_some()), (asks, asks), "{kind}");
        for part in ["account", "verify", "send"]
            .iter()
            .filter(|part| asks || **part != "send")
        {
            assert_eq!(example[part]["kind"], kind);
        }
        kinds.push(kind);
    }
    assert_eq!(kinds, ["aircall", "vonage", "exotel", "plivo"]);
}

/// Words after `cargo stack` in a text.
fn stack_commands(text: &str) -> impl Iterator<Item = &str> {
    let words = |rest: &str| rest.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(rest.len());
    let commands = text.split("cargo stack ").skip(1).map(move |rest| &rest[..words(rest)]);
    commands.filter(|command| !command.is_empty())
}

#[test]
fn commands_that_pages_and_alarms_name_exist() {
    let main = read("infra/stack/src/main.rs");
    let (_, known) = main
        .split_once("enum Command {")
        .expect("the commands of `cargo stack`");
    let pages = files()
        .iter()
        .filter(|file| file.ends_with(".md") || *file == "template.yaml");
    for file in pages {
        for command in stack_commands(&read(file)).filter(|command| *command != "help") {
            let variant = command[..1].to_uppercase() + &command[1..];
            let exists = [" {", ",", "("]
                .iter()
                .any(|end| known.contains(&format!("\n    {variant}{end}")));
            assert!(exists, "{file} names `cargo stack {command}`, which does not exist");
        }
    }
}

/// `cargo stack bench` writes the page of benchmarks; that of costs is written by hand.
#[test]
fn costs_quote_the_dollars_of_the_benchmarks() {
    let (page, costs) = (read("docs/benchmarks.md"), read("docs/costs.md"));
    let all = page.lines().filter_map(|line| line.strip_prefix("| **all** | | | **"));
    let dollars: Vec<_> = all.filter_map(|line| line.split("**").next()).collect();
    assert!(dollars.len() >= 2, "a call with one webhook, and one with three");
    for figure in dollars {
        assert!(costs.contains(figure), "docs/costs.md does not say {figure}");
    }
}

/// A reader of the page finds every file of the product that makes a telephone system by name work.
#[test]
fn files_of_a_telephone_system_are_listed() {
    const PRODUCT: [&str; 5] = [
        "functions/",
        "shared/domain/src/",
        "shared/providers/src/",
        "docs/webhooks.md",
        "template.yaml",
    ];
    let page = read("docs/adding-a-telephone-system.md");
    let product = files()
        .iter()
        .filter(|file| PRODUCT.iter().any(|part| file.starts_with(part)));
    let of_exotel = product.filter(|file| {
        let is_text = [".rs", ".ts", ".ftl", ".md", ".yaml"]
            .iter()
            .any(|end| file.ends_with(end));
        is_text && !file.contains("/tests/") && read(file).to_lowercase().contains("exotel")
    });
    let missing: Vec<_> = of_exotel.filter(|file| !page.contains(&format!("`{file}`"))).collect();
    assert!(
        missing.is_empty(),
        "docs/adding-a-telephone-system.md does not list {missing:?}"
    );
}
