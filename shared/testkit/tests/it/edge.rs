//! `infra/edge/template.yaml`: what stands in front of the API, against what is behind it.

use serde_json::{Value, json};
use testkit::template::{edge, template};

use crate::repository::read;

/// All rules, also those of sockets.
fn firewall_rules() -> Vec<&'static Value> {
    let rules = &edge()["Resources"]["Firewall"]["Properties"]["Rules"];
    let rules = rules.as_array().expect("the firewall has rules").iter();
    rules
        .map(|rule| rule.get("!If").map_or(rule, |branches| &branches[1]))
        .collect()
}

fn distributions() -> [&'static Value; 2] {
    ["Distribution", "SocketDistribution"].map(|id| &edge()["Resources"][id]["Properties"]["DistributionConfig"])
}

/// Providers deliver again what is refused, so the first rule lets webhooks in and ends the evaluation.
#[test]
fn no_rule_of_the_firewall_looks_at_webhooks() {
    let mut by_priority = firewall_rules();
    by_priority.sort_by_key(|rule| rule["Priority"].as_u64());
    let first = by_priority[0];
    assert_eq!(first["Action"], json!({"Allow": {}}));
    let matched = &first["Statement"]["ByteMatchStatement"];
    assert_eq!(matched["SearchString"], "/webhooks/");
    // Without these, `/webhooks/../api/` would pass unseen, too.
    let forms = matched["TextTransformations"].as_array().expect("transformations");
    let forms: Vec<_> = forms.iter().map(|form| &form["Type"]).collect();
    assert_eq!(forms, ["URL_DECODE", "NORMALIZE_PATH"]);
}

/// Samples and logs hold tokens of mails and cookies.
#[test]
fn nothing_at_the_edge_keeps_requests() {
    let firewall = &edge()["Resources"]["Firewall"]["Properties"];
    for part in firewall_rules().into_iter().chain([firewall]) {
        assert_eq!(
            part["VisibilityConfig"]["SampledRequestsEnabled"], false,
            "{}",
            part["Name"]
        );
    }
    let kinds = edge()["Resources"].as_object().expect("resources");
    let kinds: Vec<_> = kinds.values().map(|resource| &resource["Type"]).collect();
    assert!(kinds.iter().all(|kind| **kind != "AWS::WAFv2::LoggingConfiguration"));
    for distribution in distributions() {
        assert!(distribution.is_object() && distribution.get("Logging").is_none());
    }
}

/// An answer to one caller reaches nobody else, not even a refusal.
#[test]
fn no_error_is_cached() {
    let codes = [400, 403, 404, 405, 414, 500, 501, 502, 503, 504];
    let uncached = codes.map(|code| json!({"ErrorCode": code, "ErrorCachingMinTTL": 0}));
    for distribution in distributions() {
        assert_eq!(distribution["CustomErrorResponses"], json!(uncached));
    }
}

/// Functions refuse what comes without the secret and the viewer's address, so the names of both headers must agree.
#[test]
fn the_edge_says_what_functions_ask_for() {
    for distribution in distributions() {
        let added = &distribution["Origins"][0]["OriginCustomHeaders"][0]["HeaderName"];
        let name = added.as_str().expect("a header").to_lowercase();
        assert!(read("shared/kit/src/proxy.rs").contains(&format!("from_static(\"{name}\")")));
        let functions = distribution["DefaultCacheBehavior"]["FunctionAssociations"].to_string();
        assert!(functions.contains("NameViewer"), "{functions}");
    }
    let code = edge()["Resources"]["NameViewer"]["Properties"]["FunctionCode"].as_str();
    assert!(code.expect("a function").contains("headers['x-viewer-address']"));
    let pages = read("docs/operations/incidents.md");
    assert!(pages.contains("ViewerAddressHeader=X-Viewer-Address OriginSecretSha256="));
}

/// A throttle is for everybody, so one address must not be able to use it up. The edge counts by the minute, routes by the
/// second.
#[test]
fn one_address_cannot_empty_a_throttle() {
    let settings = &template()["Resources"]["Api"]["Properties"]["RouteSettings"];
    let most = |parameter: &str| edge()["Parameters"][parameter]["Default"].as_u64().expect("a number");
    for (route, parameter) in [
        ("POST /api/v1/auth/log-in", "AuthRequestsPerMinute"),
        ("POST /api/v1/auth/refresh", "AuthRequestsPerMinute"),
        ("ANY /p/{code}", "RequestsPerMinute"),
        ("ANY /l/{end}", "RequestsPerMinute"),
    ] {
        let a_second = settings[route]["ThrottlingRateLimit"].as_u64().expect("a throttle");
        assert!(
            a_second * 60 >= most(parameter) * 20,
            "{route} is emptied by fewer than 20 addresses"
        );
    }
}
