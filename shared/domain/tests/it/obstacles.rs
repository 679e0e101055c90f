//! The set-up list names exactly the obstacles that calls of a rule meet.

use domain::automations::{Findings, channel_obstacles};
use domain::messages::{CallView, Material, Needs, World, carriers};
use domain::people::{Contact, Identity, Profile};
use domain::telephony::{CallFacts, Direction, Outcome, Party};
use domain::tenants::{Line, Rule, TenantConfig};
use domain::terms::{CallId, Channel, ConnectionId, ContactId, LineId, ShownName, unknown_line_type};
use jiff::Timestamp;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, from_value, json};
use ulid::Ulid;

fn connection(place: u64) -> ConnectionId {
    ConnectionId::new(Ulid::from_parts(1, place.into()))
}

/// The number of a line.
fn number(place: usize) -> String {
    format!("+44207946000{place}")
}

prop_compose! {
    fn connections()(
        kinds in vec(
            select(vec![
                ("twilio", json!(["sms"])),
                ("twilio", json!(["whatsapp", "sms"])),
                ("whatsapp", json!(["whatsapp"])),
                ("telephony", json!([])),
            ]),
            0..4,
        ),
    ) -> Value {
        let connection = |(place, (kind, carries)): (usize, (&str, Value))| json!({
            "id": connection(place as u64), "name": kind, "kind": kind, "carries": carries,
            "needs_content_sid": kind == "twilio",
        });
        kinds.into_iter().enumerate().map(connection).collect()
    }
}

prop_compose! {
    fn template(language: &'static str)(
        status in select(vec!["APPROVED", "APPROVED", "APPROVED", "PAUSED"]),
        category in select(vec!["utility", "utility", "utility", "marketing"]),
        content_sid in option::weighted(0.7, Just("HX0")),
        there in prop::bool::weighted(0.8),
    ) -> Option<Value> {
        there.then(|| json!({
            "name": "missed", "language": language, "category": category, "status": status, "content_sid": content_sid,
            "body": "Hello {{1}}",
        }))
    }
}

prop_compose! {
    fn config()(
        connections in connections(),
        templates in (template("en_GB"), template("ar"), template("en")),
        channels in select(vec![json!(["whatsapp"]), json!(["sms"]), json!(["whatsapp", "sms"]), json!(["sms", "whatsapp"])]),
        by_contact_language in any::<bool>(),
        value in select(vec![
            json!({"text": "you"}), json!({"text": "a\nb"}), json!({"from": "contact.name"}),
            json!({"from": "contact.name", "default": "there"}), json!({"from": "tenant.website"}),
            json!({"from": "call.number"}), json!({"from": "contact.phone"}),
        ]),
        sms_text in select(vec![
            json!("Sorry"), json!("Sorry, {{contact.name}}"), json!(null), json!("{{tenant.website}}"),
            json!({"en": "Sorry", "ar": "{{call.time}}"}), json!({"en": "Sorry", "ar": "{{tenant.website}}"}),
        ]),
        names_template in prop::bool::weighted(0.9),
        lines in vec((option::of(0_u64..4), option::of(0_u64..4), any::<bool>()), 0..3),
    ) -> (TenantConfig, Material) {
        // Some are named by the rule; some name connections that do not exist or cannot send.
        let id = |place: usize| LineId::new(Ulid::from_parts(2, place as u128));
        let named: Vec<_> = (0..lines.len()).filter(|place| lines[*place].2).map(id).collect();
        let line = |(place, (whatsapp, sms, _)): (usize, &(Option<u64>, Option<u64>, bool))| json!({
            "id": id(place), "name": "Line", "number": number(place), "whatsapp": whatsapp.map(connection),
            "sms": sms.map(|sms| json!({"connection": connection(sms)})),
        });
        let lines: Vec<Value> = lines.iter().enumerate().map(line).collect();
        let (en_gb, ar, en) = templates;
        let templates: Vec<Value> = [en_gb, ar, en].into_iter().flatten().collect();
        let template = names_template.then(|| json!({
            "name": "missed", "language": "en_GB", "by_contact_language": by_contact_language, "variables": {"1": value},
        }));
        let config = from_value(json!({
            "tenant": {"id": "tnt_00000000000000000000000001", "name": "Shop", "time_zone": "Europe/London"},
            "rules": [{
                "id": "rule_00000000000000000000000001", "name": "Missed", "when": {"lines": named},
                "then": {"channels": channels, "template": template, "sms_text": sms_text},
            }],
            "connections": connections, "lines": lines,
        })).unwrap();
        let of = |template: &Value, place: usize| {
            let mut template = template.clone();
            template["connection"] = json!(connection(place as u64));
            from_value(template).unwrap()
        };
        let places = || 0..connections.as_array().map_or(0, Vec::len);
        let templates = templates.iter().flat_map(|template| places().map(move |place| of(template, place))).collect();
        (config, Material { templates, ..Material::default() })
    }
}

/// The material that these needs select.
fn read(needs: &Needs, all: &Material) -> Material {
    let needed = |template: &&domain::templates::TemplateDefinition| {
        needs.templates.iter().any(|need| {
            let language = need
                .language
                .as_ref()
                .is_none_or(|language| *language == template.language);
            template.connection == Some(need.connection) && need.name == template.name && language
        })
    };
    Material {
        templates: all.templates.iter().filter(needed).cloned().collect(),
        ..Material::default()
    }
}

/// The channels of a call that this connection reported, by a caller with this language.
fn channels(
    config: &TenantConfig,
    material: &Material,
    reported_by: ConnectionId,
    called: &str,
    language: Option<&str>,
    name: Option<&str>,
) -> Vec<Channel> {
    let phone = || "+447700900111".parse().unwrap();
    let facts = CallFacts {
        direction: Some(Direction::Inbound),
        from: Some(Party::Phone(phone())),
        to: Some(Party::Phone(called.parse().unwrap())),
        ..CallFacts::default()
    };
    let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
    let id = ContactId::new(Ulid::from_parts(1, 1));
    let mut contact = Contact::first_seen(id, &Identity::Phone(phone()), now);
    contact.language = language.map(str::to_owned);
    let profile = Profile::from_name(name.and_then(ShownName::of));
    let call = CallView {
        id: CallId::new(id, Ulid::from_parts(1, 2)),
        connection: reported_by,
        facts: &facts,
        outcome: Outcome::Missed,
        started_at: now,
    };
    let world = |material| World {
        config,
        material,
        contact: &contact,
        profile: &profile,
        open: &[],
        now,
        line_type: &unknown_line_type,
    };
    let dry = world(Material::NONE);
    let findings = Findings::of(&call, &dry);
    let read = read(&findings.needs(&dry), material);
    let decision = findings.clone().decide(&world(&read));
    assert_eq!(
        decision,
        findings.decide(&world(material)),
        "what is not needed changes nothing"
    );
    let legs = decision.follow_up.map(|composed| composed.legs).unwrap_or_default();
    legs.iter().map(|leg| leg.channel).collect()
}

/// Whether the set-up list shows no obstacle for the rule's channel.
fn is_clear(config: &TenantConfig, material: &Material, rule: &Rule, channel: Channel) -> bool {
    carriers(config, channel).next().is_some() && channel_obstacles(config, material, rule, channel).is_empty()
}

const LANGUAGES: [Option<&str>; 6] = [None, Some("en"), Some("en-GB"), Some("ar"), Some("ar-AE"), Some("fr")];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// In both directions: a channel shown as working works for every call, and a channel shown as blocked fails for at
    /// least one.
    #[test]
    fn channel_has_no_obstacle_exactly_if_every_call_gets_it((config, material) in config()) {
        let rule = &config.rules[0];
        // The connections that report calls, and one that was removed since.
        let reporting = config.connections.iter().filter(|connection| connection.reports_calls());
        let reporting: Vec<_> = reporting.map(|connection| connection.id).chain([connection(99)]).collect();
        // The numbers of the rule's lines; otherwise of all lines, and one without a line.
        let lines = config.lines.iter().enumerate();
        let named = |(place, line): (usize, &Line)| {
            (rule.when.lines.is_empty() || rule.when.lines.contains(&line.id)).then(|| number(place))
        };
        let other = rule.when.lines.is_empty().then(|| number(9));
        let called: Vec<String> = lines.filter_map(named).chain(other).collect();
        for &channel in rule.then.channels.iter() {
            let all_get = |name: Option<&str>| {
                let calls = reporting.iter().flat_map(|id| LANGUAGES.map(|language| (*id, language)));
                let mut calls = calls.flat_map(|(id, language)| called.iter().map(move |called| (id, language, called)));
                calls.all(|(id, language, called)| {
                    channels(&config, &material, id, called, language, name).contains(&channel)
                })
            };
            if is_clear(&config, &material, rule, channel) {
                prop_assert!(all_get(None) && all_get(Some("Maya")));
            } else {
                prop_assert!(!all_get(None));
            }
        }
    }
}
