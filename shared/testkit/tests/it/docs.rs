//! The documentation against the code.

use std::path::Path;

use domain::{
    rule::Rule,
    template::{Product, TemplateDefinition},
    tenant::{ConnectionSummary, Tenant, TenantConfig},
};
use serde_json::{from_str, json};

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

/// The fenced blocks of a page that carry this label after the three backticks.
fn blocks<'a>(page: &'a str, label: &str) -> Vec<&'a str> {
    let fence = format!("```{label}\n");
    page.split(&fence)
        .skip(1)
        .filter_map(|rest| rest.split_once("```"))
        .map(|(block, _)| block)
        .collect()
}

#[test]
fn the_example_of_a_rule_works_as_written() {
    let page = read("docs/rules.md");
    let one = |label: &str| {
        *blocks(&page, label)
            .first()
            .unwrap_or_else(|| panic!("rules.md has no {label}"))
    };
    let rule: Rule = from_str(one("json rule")).unwrap();
    let template: TemplateDefinition = from_str(one("json template")).unwrap();
    let product: Product = from_str(one("json product")).unwrap();
    let price = product.price.as_ref().map(ToString::to_string).unwrap_or_default();
    assert!(page.contains(&format!("prints as `{price}`")), "{price}");
    let tenant: Tenant = from_str(one("json tenant")).unwrap();
    let carries = json!({"id": "conn_00000000000000000000000001", "name": "all", "carries": ["whatsapp", "sms"]});
    let config = TenantConfig {
        tenant,
        rules: vec![rule],
        templates: vec![template],
        products: vec![product],
        connections: vec![serde_json::from_value::<ConnectionSummary>(carries).unwrap()],
    };
    assert_eq!(config.problems(), Vec::<String>::new());
}
