//! Automations, in process against the emulator, from the callers' point of view.

mod trying;

use domain::accounts::{Permission, Role};
use domain::campaigns::Campaign;
use domain::people::Field;
use domain::tenants::Rule;
use domain::terms::{CampaignState, FieldId};
use serde_json::{Value, json};
use store::Owned as _;
use store::tenants::ConfigCache;
use testkit::api::{Caller, House, Town};
use testkit::business::{business, read};
use testkit::{Answer, Aws, Resource, Seeded};

const AUTOMATIONS: &str = "/api/v1/automations";
const ORDER: &str = "/api/v1/automations/order";

fn new(name: &str) -> Value {
    json!({"name": name, "then": {"channels": ["sms"], "sms_text": "Sorry, we missed your call."}})
}

#[tokio::test]
async fn automations_keep_the_promises_of_every_resource() {
    let automations = Resource {
        routes: automations::routes,
        path: AUTOMATIONS,
        read: Permission::AutomationsRead,
        write: Permission::AutomationsWrite,
        new: json!({
            "name": "New customers", "priority": 50, "enabled": true,
            "when": {"outcomes": ["missed", "busy"], "direction": "inbound", "hours": "any", "caller": "new"},
            "then": {
                "channels": ["sms"], "category": "utility", "sms_text": "Sorry, we missed your call. Reply STOP to opt out.",
                "delay_seconds": 30, "fallback_after_seconds": 120, "cooldown_seconds": 86_400,
                "consent": "caller_initiated",
            },
        }),
        change: json!({"priority": 5, "then": {"delay_seconds": 60}}),
    };
    automations.keeps_its_promises::<Rule>().await;
}

async fn names(caller: &Caller<'_>, query: &str) -> Vec<String> {
    let listed = caller.get(&format!("{AUTOMATIONS}{query}")).await;
    listed.texts("name")
}

fn id(made: &Answer) -> Value {
    made.is(201).json()["id"].clone()
}

/// The names of the rules that decide calls at present, and their versions.
async fn deciding(town: &Town<'_>, cache: &ConfigCache) -> Vec<(String, u64)> {
    let config = town.aws().store().config(town.home.scope(), cache).await;
    let config = config.expect("the table answers").expect("the tenant is there");
    let rules = domain::tenants::rules_in_order(&config.rules).into_iter();
    let told = |rule: &Rule| (rule.name.as_str().to_owned(), rule.version);
    rules.map(told).collect()
}

#[tokio::test]
async fn order_is_set_at_once_or_refused() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, automations::routes).await;
    let manager = town.manager();
    let listed = manager.get(AUTOMATIONS).await.json();
    let first = listed["items"][0]["id"].clone();
    let mut ids = Vec::new();
    for name in ["A", "B", "C"] {
        ids.push(id(&manager.post(AUTOMATIONS, new(name)).await));
        // Automations of one moment are in no particular order.
        aws.pass(1);
    }
    let [a, b, c] = &ids[..] else { unreachable!() };
    assert_eq!(names(&manager, "").await, ["A", "B", "C", "Missed calls"]);

    let cache = ConfigCache::default();
    assert_eq!(deciding(&town, &cache).await.len(), 4);
    let ordered = manager.post(ORDER, json!({"automations": [first, a, b, c]})).await;
    assert_eq!(ordered.texts("name"), ["Missed calls", "A", "B", "C"]);
    assert_eq!(names(&manager, "").await, ["Missed calls", "A", "B", "C"]);
    let known = |versions: [u64; 4]| {
        let names = ["Missed calls", "A", "B", "C"].map(str::to_owned);
        names.into_iter().zip(versions).collect::<Vec<_>>()
    };
    let decides = deciding(&town, &cache).await;
    assert_eq!(decides, known([2, 1, 1, 1]), "as few change as possible");
    let same = manager.post(ORDER, json!({"automations": [first, a, b, c]})).await;
    assert_eq!(same.is(200).json(), ordered.json());

    let backwards = manager.post(ORDER, json!({"automations": [c, b, a, first]})).await;
    assert_eq!(backwards.texts("name"), ["C", "B", "A", "Missed calls"]);
    assert_eq!(names(&manager, "").await, ["C", "B", "A", "Missed calls"]);

    let stranger = id(&town.foreign_admin().post(AUTOMATIONS, new("Theirs")).await);
    for incomplete in [
        json!([a, b, c]),
        json!([]),
        json!([first, a, b, stranger]),
        json!([first, a, b, c, stranger]),
    ] {
        let refused = manager.post(ORDER, json!({ "automations": incomplete })).await;
        refused.is_refused(409, "list_changed");
    }
    let twice = manager.post(ORDER, json!({"automations": [a, a]})).await;
    twice.names_only(&["automations"]);
    let changed = json!({"automations": [a, b, c, first]});
    town.agent().post(ORDER, changed).await.is(403);
    assert_eq!(names(&manager, "").await, ["C", "B", "A", "Missed calls"]);
    let cursor = town.viewer().get(&format!("{AUTOMATIONS}?limit=3")).await.json()["next_cursor"].clone();
    let rest = format!("?limit=3&cursor={}", cursor.as_str().expect("there is one more"));
    assert_eq!(names(&town.viewer(), &rest).await, ["Missed calls"]);
    let other = format!("{AUTOMATIONS}/{}/versions{rest}", a.as_str().expect("an id"));
    manager.get(&other).await.is_refused(400, "bad_request");
}

#[tokio::test]
async fn archived_automation_decides_nothing_until_restored() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, automations::routes).await;
    let (manager, cache) = (town.manager(), ConfigCache::default());
    let made = manager.post(AUTOMATIONS, new("After hours")).await;
    let place = made.is(201).header("location");
    let (archive, restore) = (format!("{place}/archive"), format!("{place}/restore"));
    let decides = async || {
        let deciding = deciding(&town, &cache).await;
        deciding.iter().any(|(name, _)| name == "After hours")
    };
    assert!(decides().await);
    town.agent().post(&archive, json!({})).await.is(403);
    town.foreign_admin().post(&archive, json!({})).await.is(404);
    let stale = manager.post(&archive, json!({})).if_match(7).await;
    stale.is_refused(412, "stale");
    let archived = manager.post(&archive, json!({})).if_match(1).await;
    let body = archived.is(200).has_version(2).json();
    assert_eq!(body["archived_at"], json!(aws.now()));
    assert_eq!(body["enabled"], true);
    assert!(!decides().await);
    // An order does not name it.
    let other = manager.get(AUTOMATIONS).await.json()["items"][0]["id"].clone();
    let order = json!({"automations": [other]});
    manager.post(ORDER, order).await.is(200);
    assert_eq!(names(&manager, "").await, ["Missed calls"]);
    assert_eq!(names(&manager, "?archived=true").await, ["After hours"]);

    aws.pass(1);
    let again = manager.post(&archive, json!({})).await;
    assert_eq!(again.is(200).has_version(2).json(), body);
    let sooner = manager.patch(place, json!({"priority": 7})).await;
    sooner.is(200).has_version(3);
    assert!(!decides().await);
    let restored = manager.post(&restore, json!({})).await;
    let body = restored.is(200).has_version(4).json();
    assert_eq!(json!([body["archived_at"], body["priority"]]), json!([null, 7]));
    assert!(decides().await);
    manager.post(&restore, json!({})).await.is(200).has_version(4);
    manager.patch(place, json!({"enabled": false})).await.is(200);
    let dated = manager.patch(place, json!({"archived_at": aws.now()})).await;
    dated.names_field("archived_at");
    manager.delete(place).await.is(204);
    manager.post(&restore, json!({})).await.is_refused(404, "not_found");
}

/// The limit for automations that are not archived is lower than the limit for all.
#[tokio::test]
async fn archive_makes_room_and_restoring_needs_it() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, automations::routes).await;
    let manager = town.manager();
    let made = manager.post(AUTOMATIONS, new("Archived")).await;
    let place = made.is(201).header("location");
    manager.post(&format!("{place}/archive"), json!({})).await.is(200);
    // One is there from the beginning.
    for number in 1..Rule::MAX_UNARCHIVED {
        town.home.create_owned::<Rule>(&aws, new(&format!("{number}"))).await;
    }
    let share = Rule::SHARE.expect("they are a share").most;
    let listed = names(&manager, "?limit=100").await.len();
    assert_eq!(listed, usize::try_from(share).unwrap());
    for refused in [
        manager.post(AUTOMATIONS, new("One more")),
        manager.post(&format!("{place}/restore"), json!({})),
    ] {
        let refused = refused.await;
        let detail = refused.is_refused(409, "limit_reached").detail();
        assert!(detail.contains("100 unarchived automations"), "{detail}");
    }
    let other = manager.get(AUTOMATIONS).await.json()["items"][0]["id"].clone();
    let other = format!("{AUTOMATIONS}/{}/archive", other.as_str().expect("an id"));
    manager.post(&other, json!({})).await.is(200);
    manager.post(&format!("{place}/restore"), json!({})).await.is(200);
    let more = manager.post(AUTOMATIONS, new("One more")).await;
    more.is_refused(409, "limit_reached");
}

/// The number that a decision about a call stores leads to the automation as it was.
#[tokio::test]
async fn decisions_lead_to_the_version_that_made_them() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, automations::routes).await;
    let (admin, manager, cache) = (town.admin(), town.manager(), ConfigCache::default());
    let made = admin.post(AUTOMATIONS, new("First")).await;
    let place = made.is(201).header("location");
    let decided_by = async || {
        let deciding = deciding(&town, &cache).await;
        let known = |(name, _): &&(String, u64)| ["First", "Second"].contains(&name.as_str());
        deciding.iter().find(known).expect("it decides").clone()
    };
    let first = decided_by().await;
    aws.pass(1);
    manager.patch(place, json!({"name": "Second"})).await.is(200);
    let second = decided_by().await;
    aws.pass(1);
    manager.patch(place, json!({"enabled": false})).await.is(200);
    let version = |number: u64| format!("{place}/versions/{number}");
    for (name, number) in [&first, &second] {
        let shown = town.viewer().get(&version(*number)).await.is(200).json();
        let rule = &shown["automation"];
        assert_eq!(
            json!([shown["version"], shown["current"], rule["name"], rule["enabled"]]),
            json!([number, false, name, true])
        );
    }
    let by = |role: Role| json!(town.home.person(role).user);
    let told = async |query: &str| {
        let listed = manager.get(&format!("{place}/versions{query}")).await.is(200).json();
        let items = listed["items"].as_array().expect("there are items").clone();
        let told = |item: &Value| (item["version"].as_u64().expect("a number"), item["changed_by"].clone());
        (
            items.iter().map(told).collect::<Vec<_>>(),
            listed["next_cursor"].clone(),
        )
    };
    let all = [(3, by(Role::Manager)), (2, by(Role::Manager)), (1, by(Role::Admin))];
    assert_eq!(told("").await, (all.to_vec(), Value::Null));
    let (newest, next) = told("?limit=2").await;
    assert_eq!(newest, all[..2]);
    let rest = format!("?limit=2&cursor={}", next.as_str().expect("there is one more"));
    assert_eq!(told(&rest).await, (all[2..].to_vec(), Value::Null));
    let shown = manager.get(place).await.json();
    let expected = json!([3, by(Role::Manager)]);
    assert_eq!(json!([shown["version"], shown["changed_by"]]), expected);
    // It can be sent again as it was.
    let former = manager.get(&version(1)).await.json()["automation"].clone();
    let again = manager.patch(place, former).await;
    assert_eq!(again.is(200).has_version(4).json()["name"], "First");

    for nowhere in [version(9), version(0), format!("{place}/versions/x")] {
        manager.get(&nowhere).await.is_refused(404, "not_found");
    }
    for theirs in [version(1), format!("{place}/versions")] {
        town.foreign_admin().get(&theirs).await.is_refused(404, "not_found");
    }
    manager.delete(place).await.is(204);
    assert_eq!(manager.get(&version(4)).await.is(200).json()["current"], false);
    assert_eq!(told("").await.0.len(), 4);
    let nobody = format!("{AUTOMATIONS}/rule_00000000000000000000000009/versions");
    manager.get(&nobody).await.is_refused(404, "not_found");
}

/// A business that sends, a caller of it, and a town to call from.
async fn sending<'a>(town: &'a Town<'_>) -> (Seeded, Caller<'a>) {
    let mut business = Box::pin(business(town.aws())).await;
    business.configured.rules_meant = false;
    let caller = town.key_of(business.scope(), Role::Admin).await;
    (business, caller)
}

fn follow_up() -> Value {
    json!({
        "name": "Follow-up", "priority": 1, "when": {"outcomes": ["missed"]},
        "then": {
            "channels": ["whatsapp", "sms"],
            "template": {
                "name": "missed_call_followup", "language": "en_GB",
                "variables": {"1": {"text": "you"}, "2": {"from": "tenant.name"}},
            },
            "sms_text": "Sorry. {{tenant.name}}",
        },
    })
}

#[tokio::test]
async fn what_is_wrong_is_named_by_field() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, automations::routes).await;
    let (_, caller) = Box::pin(sending(&town)).await;
    let made = caller.post(AUTOMATIONS, follow_up()).await;
    let place = made.is(201).header("location");
    for (change, field) in [
        (json!({"name": ""}), "name"),
        (json!({"name": "x".repeat(101)}), "name"),
        (json!({"priority": 3_000_000_000_u32}), "priority"),
        (json!({"when": {"outcomes": []}}), "when.outcomes"),
        (json!({"when": {"outcomes": ["missed", "missed"]}}), "when.outcomes"),
        (json!({"when": {"outcomes": ["unknown"]}}), "when.outcomes[0]"),
        (
            json!({"when": {"lines": ["line_00000000000000000000000009"]}}),
            "when.lines[0]",
        ),
        (
            json!({"when": {"min_talk_seconds": 5, "max_talk_seconds": 4}}),
            "when.max_talk_seconds",
        ),
        (json!({"when": {"max_ring_seconds": 86_401}}), "when.max_ring_seconds"),
        (json!({"then": {"channels": []}}), "then.channels"),
        (json!({"then": {"channels": ["sms", "sms"]}}), "then.channels"),
        (json!({"then": {"channels": ["fax"]}}), "then.channels[0]"),
        (json!({"then": {"category": "marketing"}}), "then.category"),
        (json!({"then": {"delay_seconds": 86_401}}), "then.delay_seconds"),
        (json!({"then": {"cooldown_seconds": -1}}), "then.cooldown_seconds"),
        (json!({"then": {"template": null}}), "then.template"),
        (json!({"then": {"template": {"name": "other"}}}), "then.template.name"),
        (
            json!({"then": {"template": {"language": "fr"}}}),
            "then.template.language",
        ),
        (
            json!({"then": {"template": {"variables": {"2": null}}}}),
            "then.template.variables.2",
        ),
        (
            json!({"then": {"template": {"variables": {"1": {"text": null, "from": "product.cake.name"}}}}}),
            "then.template.variables.1.from",
        ),
        (json!({"then": {"sms_text": "Hello {{contact.name"}}), "then.sms_text"),
        (
            json!({"then": {"sms_text": "{{contact.field.level|}}"}}),
            "then.sms_text",
        ),
        (
            json!({"then": {"sms_text": {"english": "Hello"}}}),
            "then.sms_text.english",
        ),
        (
            json!({"then": {"quiet_hours": {"from": "21:00", "to": "21:00"}}}),
            "then.quiet_hours.to",
        ),
        (json!({"then": {"when_unknown": "send_again"}}), "then.when_unknown"),
    ] {
        caller.patch(place, change).await.names_field(field);
    }
    let mut wrong = follow_up();
    wrong["then"]["template"]["name"] = json!("other");
    wrong["then"]["sms_text"] = json!("{{product.cake.name}}");
    let refused = caller.post(AUTOMATIONS, wrong).await;
    refused.names_only(&["then.template.name", "then.sms_text"]);
    assert_eq!(caller.get(place).await.has_version(1).json(), made.json());
}

/// A field that is deleted later is a problem that prevents no other change.
#[tokio::test]
async fn text_names_fields_of_contacts_that_exist() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, automations::routes).await;
    let (business, caller) = Box::pin(sending(&town)).await;
    let (store, scope) = (aws.store(), business.scope());
    let id = FieldId::new(aws.ids().ulid());
    let field: Field = read(json!({"id": id, "key": "level", "name": "Level", "type": "text"}));
    let mut named = follow_up();
    named["then"]["sms_text"] = json!("{{contact.field.level|Silver}} {{tenant.name}}");
    let refused = caller.post(AUTOMATIONS, named.clone()).await;
    refused.names_only(&["then.sms_text"]);
    let created = store.create(scope, &field, &aws.stamp()).await;
    created.expect("the field is stored");
    let made = caller.post(AUTOMATIONS, named).await;
    let place = made.is(201).header("location");
    let shown = |body: &Value| [&body["problems"], &body["warnings"]].map(|found| found.as_array().map(Vec::len));
    assert_eq!(shown(&made.json()), [Some(0); 2]);
    // Without a default, there is nothing to say to most callers.
    let bare = json!({"then": {"sms_text": "{{contact.field.level}}"}});
    let warned = caller.patch(place, bare).await.is(200).json();
    assert_eq!(warned["warnings"][0]["code"], "value_unknown");
    assert_eq!(warned["warnings"][0]["facts"]["source"], "contact.field.level");

    let known = store.get::<Field>(scope, &id).await.expect("the table answers");
    let (known, stamp) = (known.expect("the field is there"), aws.stamp());
    let removed = store.remove(scope, &known, &stamp).await;
    removed.expect("the field is removed");
    let renamed = caller.patch(place, json!({"name": "Levels"})).await.is(200).json();
    assert_eq!(shown(&renamed), [Some(1), Some(0)]);
    assert_eq!(renamed["problems"][0]["field"], "then.sms_text");
}

#[tokio::test]
async fn callers_are_enrolled_in_drips_that_can_be_entered() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, automations::routes).await;
    let (manager, store, scope) = (town.manager(), aws.store(), town.home.scope());
    let campaign = async |house: &House, kind: &str| {
        let fields = json!({"type": kind, "name": kind});
        house.create_owned::<Campaign>(&aws, fields).await
    };
    let (drip, over) = (campaign(&town.home, "drip").await, campaign(&town.home, "drip").await);
    let broadcast = campaign(&town.home, "broadcast").await;
    let theirs = campaign(&town.away, "drip").await;
    let completed = Campaign {
        state: CampaignState::Completed,
        ..over.clone()
    };
    store.move_campaign(scope, 1, &completed).await.expect("it is written");
    let with = |enroll: &str| {
        let mut fields = new("Welcome");
        fields["enroll"] = json!(enroll);
        fields
    };
    let unknown = "cmp_00000000000000000000000001".to_owned();
    for (id, code) in [
        (unknown, "not_found"),
        (theirs.id.to_string(), "not_found"),
        (broadcast.id.to_string(), "not_applicable"),
        (completed.id.to_string(), "not_applicable"),
    ] {
        let refused = manager.post(AUTOMATIONS, with(&id)).await;
        refused.names_only(&["enroll"]);
        assert_eq!(refused.json()["errors"][0]["code"], code, "{id}");
    }
    let made = manager.post(AUTOMATIONS, with(&drip.id.to_string())).await;
    let place = made.is(201).header("location");
    assert_eq!(made.json()["enroll"], json!(drip.id));
    let warnings = made.json()["warnings"].clone();
    let codes = warnings.as_array().expect("a list").iter().map(|it| it["code"].clone());
    assert!(codes.clone().any(|code| code == "drip_not_running"), "{warnings}");
    let refused = manager.patch(place, json!({"enroll": completed.id})).await;
    refused.names_only(&["enroll"]);
    let cancelled = Campaign {
        state: CampaignState::Cancelled,
        ..drip
    };
    store.move_campaign(scope, 1, &cancelled).await.expect("it is written");
    // What has become wrong prevents no other change.
    let renamed = manager.patch(place, json!({"name": "Hello"})).await;
    assert_eq!(renamed.is(200).json()["problems"][0]["field"], "enroll");
    let without = manager.patch(place, json!({"enroll": null})).await;
    assert_eq!(without.is(200).json()["enroll"], Value::Null);
}

/// They say why, and nothing of them prevents a change.
#[tokio::test]
async fn what_keeps_it_from_working_is_a_warning() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, automations::routes).await;
    let (mut business, caller) = Box::pin(sending(&town)).await;
    let made = caller.post(AUTOMATIONS, follow_up()).await;
    let place = made.is(201).header("location");
    let warned = |answer: &Answer| {
        let body = answer.is(200).json();
        assert_eq!(body["problems"], json!([]), "{body}");
        let warnings = body["warnings"].as_array().expect("there are warnings").iter();
        warnings
            .map(|warning| json!([warning["field"], warning["code"]]))
            .collect::<Value>()
    };
    assert_eq!(made.json()["warnings"], json!([]));
    let skip = json!({"from": "00:01", "to": "00:00", "action": "skip"});
    for (change, expected) in [
        (json!({"priority": 20}), ("when", "unreached")),
        (
            json!({"priority": 1, "then": {"quiet_hours": skip}}),
            ("then.quiet_hours", "always_quiet"),
        ),
        (
            json!({"then": {"quiet_hours": null, "sms_text": "See {{tenant.website}}"}}),
            ("then.sms_text", "value_unknown"),
        ),
        (
            json!({"when": {"hours": "closed"}, "then": {"sms_text": "Sorry"}}),
            ("when.hours", "hours_never"),
        ),
    ] {
        let changed = caller.patch(place, change).await;
        let expected = json!([expected]);
        assert_eq!(warned(&changed), expected);
        assert_eq!(warned(&caller.get(place).await), expected);
    }
    caller.patch(place, json!({"when": {"hours": "any"}})).await.is(200);

    let of_whatsapp = json!({
        "id": "line_00000000000000000000000001", "name": "Reception", "number": "+442079460001",
        "whatsapp": business.whatsapp,
    });
    business.configured.lines = vec![read(of_whatsapp)];
    business.write(&aws).await;
    let shown = caller.get(place).await;
    assert_eq!(warned(&shown), json!([["when.lines", "line_without_sender"]]));
    let narrowed = json!({"when": {"lines": ["line_00000000000000000000000001"]}});
    let changed = caller.patch(place, narrowed).await;
    assert_eq!(warned(&changed), json!([["when.lines[0]", "line_without_sender"]]));
    assert_eq!(
        changed.json()["lines"],
        json!([{"id": "line_00000000000000000000000001", "name": "Reception"}])
    );
    caller.patch(place, json!({"when": {"lines": null}})).await.is(200);

    business.configured.lines.clear();
    business.configured.templates[0].status.0 = "PAUSED".to_owned();
    business.write(&aws).await;
    let shown = caller.get(place).await;
    assert_eq!(warned(&shown), json!([["then.template", "template_not_approved"]]));
    let template = &shown.json()["templates"][0];
    assert_eq!(
        json!([template["status"], template["sendable"]]),
        json!(["PAUSED", false])
    );

    business.configured.templates[0].status.0 = "APPROVED".to_owned();
    let (twilio, connections) = (business.twilio, &mut business.configured.connections);
    connections.retain(|connection| connection.id != twilio);
    business.write(&aws).await;
    let shown = caller.get(place).await;
    assert_eq!(warned(&shown), json!([["then.channels[1]", "no_sender"]]));
    let archived = caller.post(&format!("{place}/archive"), json!({})).await;
    assert_eq!(warned(&archived), json!([]), "nothing is expected of it");
}

/// A template may be deleted after an automation that names it was saved.
#[tokio::test]
async fn what_was_wrong_before_prevents_no_other_change() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, automations::routes).await;
    let (mut business, caller) = Box::pin(sending(&town)).await;
    let made = caller.post(AUTOMATIONS, follow_up()).await;
    let place = made.is(201).header("location");
    business.configured.templates.clear();
    business.write(&aws).await;
    let problems = async || {
        let shown = caller.get(place).await.is(200).json();
        let problems = shown["problems"].as_array().expect("there are problems").iter();
        problems.map(|problem| problem["field"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(problems().await, ["then.template.name"]);
    caller.patch(place, json!({"enabled": false})).await.is(200);
    caller.patch(place, json!({"then": {"delay_seconds": 5}})).await.is(200);
    let worse = caller.patch(place, json!({"then": {"sms_text": "{{"}})).await;
    worse.names_only(&["then.sms_text"]);
    let named = json!({"then": {"template": {"name": "another"}}});
    caller.patch(place, named).await.names_only(&["then.template.name"]);
    assert_eq!(problems().await, ["then.template.name"]);
    let by_sms = json!({"then": {"channels": ["sms"]}});
    caller.patch(place, by_sms).await.is(200);
    assert!(problems().await.is_empty());
    let archive = format!("{place}/archive");
    caller.post(&archive, json!({})).await.is(200);
}
