//! Campaigns, in process against the emulator, from the callers' point of view.

use std::collections::BTreeSet;

use domain::accounts::{Permission, Role};
use domain::campaigns::{Campaign, Enrolment, Exit, MAX_EXCLUDED_SEGMENTS, MAX_EXCLUDED_TAGS};
use domain::messages::OptFlag;
use domain::people::{Change, Field, Segment, Tag};
use domain::terms::{CampaignState, ContactId, Reason, Refusal};
use jiff::SignedDuration;
use serde_json::{Value, json};
use store::{TenantScope, Versioned};
use testkit::api::{House, Town};
use testkit::business::business;
use testkit::{Answer, Aws, Resource, texts};

const CAMPAIGNS: &str = "/api/v1/campaigns";

fn draft() -> Value {
    json!({"type": "broadcast", "name": "Offer for the holidays"})
}

#[tokio::test]
async fn campaigns_keep_the_promises_of_every_resource() {
    let campaigns = Resource {
        routes: campaigns::routes,
        path: CAMPAIGNS,
        read: Permission::CampaignsRead,
        write: Permission::CampaignsWrite,
        new: json!({
            "type": "broadcast", "name": "Offer for the holidays", "audience": {},
            "message": {
                "channels": ["sms"], "category": "marketing", "fallback_after_seconds": 120,
                "sms_text": "{{tenant.name}}: 20% off until Sunday. Reply STOP for no more messages.",
            },
            "send_window": {"from": "10:00", "to": "20:00"}, "per_minute": 600,
        }),
        change: json!({"name": "Offer for Eid", "message": {"category": "utility"}, "per_minute": null}),
    };
    campaigns.keeps_its_promises::<Campaign>().await;
}

/// The field and code of each problem.
fn problems(answer: &Answer) -> Value {
    let shown = answer.json();
    let of = |problem: &Value| json!([problem["field"], problem["code"]]);
    shown["problems"].as_array().into_iter().flatten().map(of).collect()
}

async fn segment(aws: &Aws, house: &House, name: &str) -> String {
    let made: Segment = house.create_owned(aws, json!({"name": name, "filter": {}})).await;
    made.id.to_string()
}

#[tokio::test]
async fn a_draft_says_what_it_lacks_until_nothing_is_missing() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, campaigns::routes).await;
    let business = Box::pin(business(&aws)).await;
    let caller = town.key_of(business.scope(), Role::Admin).await;
    let everybody = json!({"name": "Everybody", "filter": {}});
    let everybody: Segment = aws.create_owned(business.scope(), everybody).await;
    let made = caller.post(CAMPAIGNS, draft()).await;
    assert_eq!(made.is(201).json()["state"], "draft");
    let place = made.header("location");
    let lacks = async |change: Value, expected: &[(&str, &str)]| {
        let changed = caller.patch(place, change.clone()).await;
        assert_eq!(problems(changed.is(200)), json!(expected), "{change}");
    };
    let (segment, channels) = (("audience.segment", "required"), ("message.channels", "too_few"));
    lacks(json!({}), &[segment, channels]).await;
    let listed: Tag = aws.create_owned(business.scope(), json!({"name": "Listed"})).await;
    lacks(json!({"audience": {"tag": listed.id}}), &[channels]).await;
    let segment_instead = json!({"audience": {"segment": everybody.id, "tag": null}});
    lacks(segment_instead, &[channels]).await;
    let both = json!({"message": {"category": "utility", "channels": ["whatsapp", "sms"]}});
    let (template, text) = (("message.template", "required"), ("message.sms_text", "required"));
    lacks(both, &[template, text]).await;
    let wanted = json!({"name": "missed_call_followup", "language": "en_GB", "variables": {"1": {"text": "you"}}});
    let variable = ("message.template.variables.2", "required");
    lacks(json!({"message": {"template": wanted}}), &[variable, text]).await;
    let rest = json!({"template": {"variables": {"2": {"from": "tenant.name"}}}, "sms_text": "{{contact.first_name}}"});
    lacks(json!({ "message": rest }), &[]).await;
    let warnings = caller.get(place).await.json()["warnings"].clone();
    assert_eq!(warnings[0]["code"], "value_unknown", "{warnings}");
    assert_eq!(warnings[0]["field"], "message.sms_text");
}

/// Beside what a draft lacks, nothing wrong is stored.
#[tokio::test]
async fn what_is_wrong_is_named_by_field() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, campaigns::routes).await;
    let (manager, home) = (town.manager(), &town.home);
    let own = segment(&aws, home, "Own").await;
    let foreign = segment(&aws, &town.away, "Theirs").await;
    let tag: Tag = town.away.create_owned(&aws, json!({"name": "Theirs"})).await;
    let own_tag: Tag = home.create_owned(&aws, json!({"name": "Own"})).await;
    let place = manager.post(CAMPAIGNS, draft()).await;
    let place = place.is(201).header("location");
    let many = |prefix: &str, count: usize| -> Vec<String> {
        (0..count).map(|number| format!("{prefix}_{number:026}")).collect()
    };
    let (past, far) = (
        aws.now() - SignedDuration::from_secs(1),
        aws.now() + SignedDuration::from_hours(24 * Campaign::MAX_DAYS_AHEAD + 1),
    );
    for (change, field) in [
        (json!({"type": "other"}), "type"),
        (json!({"name": ""}), "name"),
        (json!({"name": "x".repeat(101)}), "name"),
        (json!({"state": "scheduled"}), "state"),
        (json!({"audience": {"segment": foreign}}), "audience.segment"),
        (json!({"audience": {"list": "imp_1"}}), "audience.list"),
        (json!({"audience": {"tag": tag.id}}), "audience.tag"),
        (json!({"audience": {"segment": own, "tag": own_tag.id}}), "audience.tag"),
        (
            json!({"audience": {"excluded_segments": [own, foreign]}}),
            "audience.excluded_segments[1]",
        ),
        (
            json!({"audience": {"segment": own, "excluded_segments": [own]}}),
            "audience.excluded_segments[0]",
        ),
        (
            json!({"audience": {"excluded_segments": many("seg", MAX_EXCLUDED_SEGMENTS + 1)}}),
            "audience.excluded_segments",
        ),
        (
            json!({"audience": {"excluded_tags": [tag.id]}}),
            "audience.excluded_tags[0]",
        ),
        (
            json!({"audience": {"excluded_tags": many("tag", MAX_EXCLUDED_TAGS + 1)}}),
            "audience.excluded_tags",
        ),
        (json!({"message": {"channels": ["sms", "sms"]}}), "message.channels"),
        (json!({"message": {"category": "service"}}), "message.category"),
        (
            json!({"message": {"line": "line_00000000000000000000000009"}}),
            "message.line",
        ),
        (
            json!({"message": {"channels": ["whatsapp"], "template": {"name": "other", "language": "en"}}}),
            "message.template.name",
        ),
        (
            json!({"message": {"channels": ["sms"], "sms_text": "You called at {{call.time}}"}}),
            "message.sms_text",
        ),
        (
            json!({"message": {"channels": ["sms"], "sms_text": {"en": "{{product.cake.name}}"}}}),
            "message.sms_text.en",
        ),
        (
            json!({"message": {"fallback_after_seconds": 86_401}}),
            "message.fallback_after_seconds",
        ),
        (json!({"starts_at": past}), "starts_at"),
        (json!({"starts_at": far}), "starts_at"),
        (
            json!({"send_window": {"from": "10:00", "to": "10:00"}}),
            "send_window.to",
        ),
        (json!({"per_minute": 0}), "per_minute"),
        (json!({"per_minute": 60_001}), "per_minute"),
    ] {
        manager.patch(place, change.clone()).await.names_field(field);
        let mut body = draft();
        for (name, value) in change.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        manager.post(CAMPAIGNS, body).await.names_field(field);
        aws.pass(1);
    }
    manager.get(place).await.has_version(1);
}

/// Later deletions and a start that has passed become problems. They prevent no other change.
#[tokio::test]
async fn what_became_wrong_is_shown_and_prevents_no_change() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, campaigns::routes).await;
    let (manager, home) = (town.manager(), &town.home);
    let (chosen, excluded) = (
        segment(&aws, home, "Chosen").await,
        segment(&aws, home, "Excluded").await,
    );
    let tag: Tag = home.create_owned(&aws, json!({"name": "Regular"})).await;
    let mut body = draft();
    body["audience"] = json!({"segment": chosen, "excluded_segments": [excluded], "excluded_tags": [tag.id]});
    body["message"] = json!({"channels": ["sms"], "sms_text": "20% off"});
    body["starts_at"] = json!(aws.now() + SignedDuration::from_mins(1));
    let made = manager.post(CAMPAIGNS, body).await;
    assert_eq!(problems(made.is(201)), json!([]));
    let place = made.header("location");
    town.home.remove::<Segment>(&aws, &chosen).await;
    town.home.remove::<Segment>(&aws, &excluded).await;
    town.home.remove::<Tag>(&aws, &tag.id.to_string()).await;
    aws.pass(120);
    let wrong = json!([
        ["audience.segment", "not_found"],
        ["audience.excluded_segments[0]", "not_found"],
        ["audience.excluded_tags[0]", "not_found"],
        ["starts_at", "in_past"],
    ]);
    let renamed = manager.patch(place, json!({"name": "Offer for Eid"})).await;
    assert_eq!(problems(renamed.is(200)), wrong);
    let listed = manager.get(CAMPAIGNS).await.items();
    assert_eq!(listed, [renamed.json()]);
    let still_past = json!({"starts_at": aws.now() - SignedDuration::from_secs(1)});
    manager.patch(place, still_past).await.names_only(&["starts_at"]);
    let mended = json!({"audience": null, "starts_at": null});
    let mended = manager.patch(place, mended).await;
    assert_eq!(problems(mended.is(200)), json!([["audience.segment", "required"]]));
}

#[tokio::test]
async fn only_a_draft_can_be_changed_and_nothing_under_way_deleted() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, campaigns::routes).await;
    let manager = town.manager();
    let (store, scope) = (aws.store(), town.home.scope());
    for state in CampaignState::ALL {
        let made: Campaign = town.home.create_owned(&aws, draft()).await;
        let place = format!("{CAMPAIGNS}/{}", made.id);
        let before = store.get::<Campaign>(scope, &made.id).await.expect("the table answers");
        let moved = Campaign { state, ..made };
        let (before, stamp) = (before.expect("it exists"), aws.stamp());
        let moved = store.change(scope, &before, &moved, &stamp).await;
        moved.expect("it is written");
        let rename = || manager.patch(&place, json!({"name": "Offer for Eid"}));
        if state == CampaignState::Draft {
            rename().await.is(200);
            manager.delete(&place).await.is(204);
            continue;
        }
        let refused = rename().await;
        refused.is_refused(409, "campaign_started");
        assert!(refused.detail().contains(state.as_str()), "{}", refused.detail());
        let shown = manager.get(&place).await.is(200).has_version(2).json();
        assert_eq!(json!([shown["state"], shown["problems"]]), json!([state, []]));
        let deleted = manager.delete(&place).await;
        if state.is_final() {
            deleted.is(204);
        } else {
            deleted.is_refused(409, "campaign_started");
        }
    }
}

/// A tenant may have fewer drafts than campaigns.
#[tokio::test]
async fn deleting_a_draft_makes_room_for_another() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, campaigns::routes).await;
    let manager = town.manager();
    let made = manager.post(CAMPAIGNS, draft()).await;
    town.fill_counter("draft_campaign", Campaign::MAX_DRAFTS).await;
    let refused = manager.post(CAMPAIGNS, draft()).await;
    refused.is_refused(409, "limit_reached");
    assert!(refused.detail().contains("200 draft campaigns"), "{}", refused.detail());
    manager.delete(made.header("location")).await.is(204);
    manager.post(CAMPAIGNS, draft()).await.is(201);
}

/// A draft that can be started.
fn complete(segment: &str) -> Value {
    let mut body = draft();
    body["audience"] = json!({ "segment": segment });
    body["message"] = json!({"channels": ["sms"], "sms_text": "20% off"});
    body
}

#[tokio::test]
async fn a_campaign_is_started_once() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, campaigns::routes).await;
    let (manager, scope) = (town.manager(), town.home.scope());
    let everybody = segment(&aws, &town.home, "Everybody").await;
    let incomplete = manager.post(CAMPAIGNS, draft()).await;
    let place = format!("{}/start", incomplete.is(201).header("location"));
    let refused = manager.post(&place, json!({})).await;
    refused.names_only(&["audience.segment", "message.channels"]);
    let made = manager.post(CAMPAIGNS, complete(&everybody)).await;
    let place = made.is(201).header("location").to_owned();
    let start = format!("{place}/start");
    town.agent().post(&start, json!({})).await.is(403);
    town.foreign_admin().post(&start, json!({})).await.is(404);
    let both = tokio::join!(manager.post(&start, json!({})), manager.post(&start, json!({})));
    let mut statuses = [both.0.status(), both.1.status()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    let shown = manager.get(&place).await.json();
    assert_eq!(shown["state"], "scheduled");
    let id = shown["operation_id"].as_str().expect("it has an operation").parse();
    let operation = aws.store().operation(scope, id.expect("an id"), aws.now()).await;
    let operation = operation.expect("the table answers").expect("it exists").value;
    assert_eq!(operation.params.into_json(), json!({"campaign": shown["id"]}));
    let again = manager.post(&start, json!({})).await;
    again.is_refused(409, "campaign_started");
}

/// Begins a campaign that was started.
async fn begin(aws: &Aws, scope: &TenantScope, id: &str) {
    let store = aws.store();
    let scheduled = store.get::<Campaign>(scope, &id).await.expect("the table answers");
    let scheduled = scheduled.expect("it exists");
    let running = scheduled.value.with_state(CampaignState::Running, None, aws.now());
    let running = running.expect("it may");
    let moved = store.move_campaign(scope, scheduled.version, &running);
    moved.await.expect("it is written");
}

#[tokio::test]
async fn a_campaign_is_paused_resumed_and_cancelled() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, campaigns::routes).await;
    let manager = town.manager();
    let everybody = segment(&aws, &town.home, "Everybody").await;
    let made = manager.post(CAMPAIGNS, complete(&everybody)).await;
    let place = made.is(201).header("location").to_owned();
    let act = async |action: &str| manager.post(&format!("{place}/{action}"), json!({})).await;
    for action in ["pause", "resume", "cancel"] {
        act(action).await.is_refused(409, "campaign_state");
    }
    act("start").await.is(200);
    for action in ["pause", "resume"] {
        act(action).await.is_refused(409, "campaign_state");
    }
    begin(&aws, town.home.scope(), made.json()["id"].as_str().expect("an id")).await;
    for (action, state) in [
        ("pause", "paused"),
        ("pause", "paused"),
        ("resume", "running"),
        ("resume", "running"),
        ("cancel", "cancelled"),
        ("cancel", "cancelled"),
    ] {
        assert_eq!(act(action).await.is(200).json()["state"], state, "{action}");
    }
    act("resume").await.is_refused(409, "campaign_state");
    assert!(manager.get(&place).await.json()["ended_at"].is_string());
}

#[tokio::test]
async fn a_variant_is_chosen_once_for_those_who_wait() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, campaigns::routes).await;
    let manager = town.manager();
    let everybody = segment(&aws, &town.home, "Everybody").await;
    let made = manager.post(CAMPAIGNS, complete(&everybody)).await;
    let place = made.is(201).header("location").to_owned();
    let choose = async |number: u32| {
        let choice = json!({"variant": number});
        manager.post(&format!("{place}/winner"), choice).await
    };
    choose(0).await.is_refused(409, "campaign_state");
    let variants = json!({
        "hold_percent": 60, "variants": [{"name": "Shorter", "percent": 20, "sms_text": "20% off. Reply STOP for no more."}],
    });
    manager.patch(&place, variants).await.is(200);
    choose(1).await.is_refused(409, "campaign_state");
    manager.post(&format!("{place}/start"), json!({})).await.is(200);
    begin(&aws, town.home.scope(), made.json()["id"].as_str().expect("an id")).await;
    choose(2).await.names_only(&["variant"]);
    for _ in 0..2 {
        assert_eq!(choose(1).await.is(200).json()["winner"], 1);
    }
    choose(0).await.is_refused(409, "campaign_state");
}

#[tokio::test]
async fn campaigns_are_listed_by_state_and_type_in_both_orders() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, campaigns::routes).await;
    let manager = town.manager();
    let everybody = segment(&aws, &town.home, "Everybody").await;
    let mut bodies: Vec<Value> = (0..3).map(|_| complete(&everybody)).collect();
    bodies.push(json!({"type": "drip", "name": "Welcome"}));
    let mut ids = Vec::new();
    for body in bodies {
        let made = manager.post(CAMPAIGNS, body).await;
        ids.push(made.is(201).json()["id"].as_str().expect("an id").to_owned());
        aws.pass(1);
    }
    manager
        .post(&format!("{CAMPAIGNS}/{}/start", ids[1]), json!({}))
        .await
        .is(200);
    let all = async |query: &str| texts(&manager.all(&format!("{CAMPAIGNS}{query}"), 1).await, "id");
    let newest_first: Vec<String> = ids.iter().rev().cloned().collect();
    assert_eq!(all("").await, ids);
    assert_eq!(all("?order=oldest_first").await, ids);
    assert_eq!(all("?order=newest_first").await, newest_first);
    assert_eq!(all("?type=drip").await, ids[3..]);
    assert_eq!(
        all("?type=broadcast&state=draft&order=newest_first").await,
        [ids[2].clone(), ids[0].clone()]
    );
    assert_eq!(all("?state=scheduled").await, ids[1..2]);
    assert_eq!(all("?state=completed").await, Vec::<String>::new());
    for field in ["order", "state", "type"] {
        manager
            .get(&format!("{CAMPAIGNS}?{field}=lost"))
            .await
            .names_field(field);
    }
}

#[tokio::test]
async fn recipients_are_listed_by_state_page_by_page() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, campaigns::routes).await;
    let (manager, store, scope) = (town.manager(), aws.store(), town.home.scope());
    let everybody = segment(&aws, &town.home, "Everybody").await;
    let made = manager.post(CAMPAIGNS, complete(&everybody)).await;
    let id = made.is(201).json()["id"].as_str().expect("an id").parse();
    let id = id.expect("an id");
    let list = format!("{}/recipients", made.header("location"));
    assert_eq!(manager.get(&list).await.items(), Vec::<Value>::new());
    let contacts: Vec<ContactId> = (0..9).map(|_| ContactId::new(aws.ids().ulid())).collect();
    let enrolled = store.enrol(scope, id, None, &contacts, aws.now()).await;
    enrolled.expect("they are enrolled");
    for contact in &contacts[..2] {
        let enrolment = Enrolment::new(id, None, *contact, aws.now());
        let exit = Exit::new(Refusal::new(Reason::NoConsent, "no opt-in"), aws.now());
        store.exit(scope, enrolment, exit).await.expect("it is written");
    }
    let all = async |query: &str| manager.all(&format!("{list}{query}"), 2).await;
    let named = |found: &[Value]| BTreeSet::from_iter(texts(found, "contact_id"));
    let everybody = all("").await;
    let expected: BTreeSet<String> = contacts.iter().map(ToString::to_string).collect();
    assert_eq!((everybody.len(), named(&everybody)), (9, expected));
    let left_out = all("?state=left_out").await;
    let expected: BTreeSet<String> = contacts[..2].iter().map(ToString::to_string).collect();
    assert_eq!(named(&left_out), expected);
    assert_eq!(
        json!([left_out[0]["code"], left_out[0]["detail"], left_out[0]["message_id"]]),
        json!(["no_consent", "no opt-in", null])
    );
    assert_eq!(all("?replied=true&clicked=true").await.len(), 0);
    assert_eq!(all("?replied=false&clicked=false&opted_out=false").await.len(), 9);
    assert_eq!(all("?opted_out=true").await.len(), 0);
    assert_eq!(named(&all("?code=no_consent").await), named(&left_out));
    assert_eq!(all("?code=late").await.len(), 0);
    for field in ["state", "code", "opted_out"] {
        manager.get(&format!("{list}?{field}=lost")).await.names_field(field);
    }
    town.foreign_admin().get(&list).await.is(404);
    let report = format!("{}/report", made.header("location"));
    let started = manager.post(&report, json!({})).await;
    assert_eq!(started.is(202).json()["kind"], "report_campaign");
    town.foreign_admin().post(&report, json!({})).await.is(404);
}

#[tokio::test]
async fn preflights_show_samples_and_a_file_before_the_start() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, campaigns::routes).await;
    let business = Box::pin(business(&aws)).await;
    let (scope, now) = (business.scope(), aws.now());
    let caller = town.key_of(scope, Role::Admin).await;
    let everybody = json!({"name": "Everybody", "filter": {}});
    let everybody: Segment = aws.create_owned(scope, everybody).await;
    let made = caller.post(CAMPAIGNS, draft()).await;
    let place = made.header("location").to_owned();
    let asked = format!("{place}/preflight");
    caller.post(&asked, json!({})).await.names_field("audience.segment");
    let message = json!({"channels": ["sms"], "category": "marketing", "sms_text": "Hello {{contact.name|you}}"});
    let rest = json!({"audience": {"segment": everybody.id}, "message": message});
    caller.patch(&place, rest).await.is(200);
    let started = caller.post(&asked, json!({})).await;
    assert_eq!(started.is(202).json()["kind"], "preflight_campaign");
    let preflight = started.header("location").to_owned();
    let shown = caller.get(&preflight).await.is(200).json();
    assert_eq!(
        json!([shown["result"], shown["file"], shown["outdated"]]),
        json!([null, null, false])
    );
    town.foreign_admin().get(&preflight).await.is(404);
    let other = caller.post(CAMPAIGNS, draft()).await.header("location").to_owned();
    let foreign = preflight.replace(&place, &other);
    caller.get(&foreign).await.is(404);

    let fan = business.contact_with(&aws, "+971501000001", |contact| {
        contact.wish(OptFlag::Start, "wrote START", now);
    });
    let result = json!({
        "chosen": 3, "messages": 1, "held_back": {"no_consent": 2}, "channel_problems": {}, "channels": {"sms": 1}, "deferred": 0, "country_rules": [], "last_at": now, "costs": [],
        "outdated_prices": [], "caps": [], "daily_shares": [], "stopped": null, "samples": [fan.await.id],
    });
    let id = preflight.rsplit('/').next().expect("an id").parse().expect("an id");
    aws.end_operation(scope, id, &result).await;
    aws.pass(1);
    caller.patch(&place, json!({"name": "Another"})).await.is(200);
    let shown = caller.get(&preflight).await.is(200).json();
    assert_eq!(json!([shown["result"], shown["outdated"]]), json!([result, true]));
    let sample = &shown["samples"][0];
    assert_eq!(
        json!([sample["code"], sample["customer"]["number"]]),
        json!(["planned", "+971501000001"])
    );
    assert_eq!(sample["channels"][0]["text"], "Hello you");
    let url = shown["file"]["url"].as_str().expect("a URL");
    assert!(url.contains("preflight.csv"), "{url}");

    let again = caller.post(&asked, json!({})).await;
    caller.post(&format!("{place}/start"), json!({})).await.is(200);
    caller.post(&asked, json!({})).await.is(202);
    let shown = caller.get(again.is(202).header("location")).await.is(200).json();
    assert_eq!(shown["outdated"], false, "starting changes nothing of it");
    let id = made.json()["id"].as_str().expect("an id").to_owned();
    begin(&aws, scope, &id).await;
    caller.post(&asked, json!({})).await.is_refused(409, "campaign_started");
}

fn says(name: &str, text: &str) -> Value {
    let message = json!({"channels": ["sms"], "category": "utility", "sms_text": text});
    json!({"name": name, "does": {"type": "message", "message": message}})
}

fn waits(name: &str, days: u32) -> Value {
    json!({"name": name, "does": {"type": "wait", "wait": {"until": "passed", "days": days}}})
}

#[tokio::test]
async fn steps_are_written_as_versions_and_refused_by_field() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, campaigns::routes).await;
    let (manager, home) = (town.manager(), &town.home);
    let drip = json!({"type": "drip", "name": "Welcome"});
    let made = manager.post(CAMPAIGNS, drip).await;
    assert_eq!(problems(made.is(201)), json!([["steps", "required"]]));
    let place = made.header("location");
    let steps = format!("{place}/steps");
    manager.get(&steps).await.is_refused(404, "not_found");
    let own: Tag = home.create_owned(&aws, json!({"name": "Asked"})).await;
    let theirs: Tag = town.away.create_owned(&aws, json!({"name": "Theirs"})).await;
    let tag = |id: &str| json!({"name": "tag", "does": {"type": "tag", "tag": id}});
    let branch =
        |when: Value, then: &str| json!({"name": "fork", "does": {"type": "branch", "when": when, "then": then}});
    let hello = says("hello", "Hello");
    for (wrong, field) in [
        (json!([hello, hello]), "steps[1].name"),
        (json!([hello, waits("wait", 0)]), "steps[1].does.wait"),
        (json!([hello, waits("wait", 366)]), "steps[1].does"),
        (
            json!([hello, branch(json!({"type": "read"}), "hello")]),
            "steps[1].does.then",
        ),
        (
            json!([branch(json!({"type": "read"}), "hello"), hello]),
            "steps[0].does.when",
        ),
        (
            json!([hello, branch(json!({"type": "replied"}), "end"), says("end", "x")]),
            "steps[1].does.when",
        ),
        (json!([hello, tag(&theirs.id.to_string())]), "steps[1].does.tag"),
        (
            json!([says("hello", "You called at {{call.time}}")]),
            "steps[0].does.message.sms_text",
        ),
        (
            json!([hello, {"name": "x", "does": {"type": "sleep"}}]),
            "steps[1].does.type",
        ),
    ] {
        let refused = manager.post(&steps, json!({"steps": wrong})).await.json();
        assert_eq!(refused["errors"][0]["field"], field, "{wrong} {refused}");
    }
    // A draft may be incomplete.
    let first = manager.post(&steps, json!({"steps": [tag(&own.id.to_string())]})).await;
    assert_eq!(first.is(200).json()["version"], 1);
    let all = json!({"steps": [hello, waits("wait", 2), says("bye", "Bye")]});
    let second = manager.post(&steps, all.clone()).await;
    assert_eq!(second.is(200).json()["version"], 1, "of a draft");
    let shown = manager.get(&steps).await.is(200).json();
    let shown = shown["steps"].as_array().expect("steps");
    assert_eq!(texts(shown, "name"), ["hello", "wait", "bye"]);
    let conflict = manager.post(&format!("{place}/preflight"), json!({})).await;
    conflict.is_refused(409, "campaign_type");
    let recipients = manager.get(&format!("{place}/recipients")).await;
    recipients.is_refused(404, "not_found");
    manager.post(&format!("{place}/report"), json!({})).await.is(202);
    let shown = manager.get(place).await;
    assert_eq!(problems(shown.is(200)), json!([]), "{}", shown.json());
    manager.post(&format!("{place}/start"), json!({})).await.is(200);
    let silent = json!({"steps": [waits("wait", 2)]});
    manager.post(&steps, silent).await.is_refused(422, "invalid");
    let further = manager.post(&steps, json!({"steps": [says("bye", "Bye")]})).await;
    assert_eq!(further.is(200).json()["version"], 2);
    manager.post(&format!("{place}/cancel"), json!({})).await.is(200);
    manager.post(&steps, all).await.is_refused(409, "campaign_state");
    let rows = aws.row_count().await;
    manager.delete(place).await.is(204);
    assert!(aws.row_count().await <= rows - 2, "the steps are deleted with it");
    let broadcast = manager.post(CAMPAIGNS, draft()).await;
    let of_broadcast = format!("{}/steps", broadcast.is(201).header("location"));
    manager.get(&of_broadcast).await.is_refused(404, "not_found");
}

/// A date belongs to a searchable field. A patch changes a part of it, or removes it.
#[tokio::test]
async fn dates_are_those_of_searchable_fields() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, campaigns::routes).await;
    let (manager, home) = (town.manager(), &town.home);
    let field = async |key: &str, kind: &str, searchable: bool| -> Field {
        let fields = json!({"key": key, "name": key, "type": kind, "searchable": searchable});
        home.create_owned(&aws, fields).await
    };
    let birthday = field("birthday", "date", true).await.id;
    let drip = |date: Value| json!({"type": "drip", "name": "Birthdays", "reentry": true, "triggers": {"date": date}});
    let date = |field: Value| drip(json!({"field": field, "recurrence": "yearly", "at": "09:00"}));
    let made = manager.post(CAMPAIGNS, date(json!(birthday))).await;
    let expected = json!({"field": birthday, "recurrence": "yearly", "days": 0, "at": "09:00"});
    assert_eq!(made.is(201).json()["triggers"]["date"], expected);
    let place = made.header("location");
    let of_another = field("size", "number", true).await.id;
    let hidden = field("wedding", "date", false).await.id;
    let unknown = "fld_00000000000000000000000009".parse().expect("an id");
    for wrong in [of_another, hidden, unknown] {
        let refused = manager.post(CAMPAIGNS, date(json!(wrong))).await;
        refused.names_only(&["triggers.date.field"]);
    }
    for (change, names) in [
        (json!({"triggers": {"date": {"days": 181}}}), "triggers.date.days"),
        (json!({"triggers": {"date": {"at": "24:00"}}}), "triggers.date.at"),
        (
            json!({"triggers": {"date": {"recurrence": "monthly"}}}),
            "triggers.date.recurrence",
        ),
        (json!({"reentry": false}), "triggers.date.recurrence"),
    ] {
        manager.patch(place, change).await.names_only(&[names]);
    }
    let before = manager.patch(place, json!({"triggers": {"date": {"days": -3}}})).await;
    assert_eq!(before.is(200).json()["triggers"]["date"]["days"], -3);
    town.home.remove::<Field>(&aws, &birthday.to_string()).await;
    let shown = manager.get(place).await;
    let gone = json!(["triggers.date.field", "not_found"]);
    assert_eq!(problems(shown.is(200))[0], gone);
    let without = manager.patch(place, json!({"triggers": {"date": null}})).await;
    assert_eq!(without.is(200).json().get("triggers"), None);
}

#[tokio::test]
async fn contacts_enter_a_drip_once_and_are_taken_out() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, campaigns::routes).await;
    let (manager, store, scope) = (town.manager(), aws.store(), town.home.scope());
    let drip = json!({"type": "drip", "name": "Welcome", "triggers": {"new_contact": true}});
    let made = manager.post(CAMPAIGNS, drip).await;
    let place = made.is(201).header("location");
    let id = made.json()["id"].as_str().expect("an id").to_owned();
    let steps = json!({"steps": [says("hello", "Hello"), waits("wait", 2), says("bye", "Bye")]});
    manager.post(&format!("{place}/steps"), steps).await.is(200);
    let contact = aws.contact_with(scope, "+971501000001", |_| {}).await;
    let away = aws.contact_with(town.away.scope(), "+971501000002", |_| {}).await;
    let of = |contact: ContactId, what: &str| format!("/api/v1/contacts/{contact}/campaigns/{id}{what}");
    let enter = of(contact.id, "/enroll");
    manager.post(&enter, json!({})).await.is_refused(409, "campaign_state");
    manager.get(&of(contact.id, "")).await.is_refused(404, "not_found");
    manager.post(&format!("{place}/start"), json!({})).await.is(200);
    let begin = async |reentry: bool| {
        let found: Versioned<Campaign> = store.get(scope, &id).await.expect("the table").expect("it exists");
        let next = found.value.with_state(CampaignState::Running, None, aws.now());
        let after = Campaign {
            reentry,
            ..next.unwrap_or(found.value)
        };
        let moved = store.move_campaign(scope, found.version, &after);
        moved.await.expect("it begins");
    };
    begin(false).await;
    let foreign = manager.post(&of(away.id, "/enroll"), json!({})).await;
    foreign.is_refused(404, "not_found");
    let entered = manager.post_once(&enter, "enter", json!({})).await;
    assert_eq!(entered.is(201).json()["status"], "active");
    let again = manager.post_once(&enter, "enter", json!({})).await;
    assert_eq!(again.json(), entered.json(), "a repeated request");
    aws.pass(1);
    let another = manager.post(&enter, json!({})).await;
    another.is_refused(409, "already_enrolled");
    let shown = manager.get(&of(contact.id, "")).await;
    assert_eq!(shown.is(200).json()["current_step"], "hello");
    let enrolments = async |query: &str| manager.get(&format!("{place}/enrollments{query}")).await.items();
    assert_eq!(enrolments("").await.len(), 1);
    assert_eq!(enrolments("?status=exited").await.len(), 0);
    let stopped = manager.post(&of(contact.id, "/stop"), json!({})).await;
    let facts = &stopped.is(200).json()["facts"];
    assert_eq!(
        json!([stopped.json()["status"], facts["event"]]),
        json!(["exited", "author"])
    );
    let twice = manager.post(&of(contact.id, "/stop"), json!({})).await;
    assert_eq!(twice.is(200).json(), stopped.json());
    assert_eq!(enrolments("?status=exited").await.len(), 1);
    let another = manager.post(&enter, json!({})).await;
    another.is_refused(409, "already_enrolled");
    begin(true).await;
    manager.post(&enter, json!({})).await.is(201);
    // An exit that no step has met yet is shown.
    let wrote = aws.now() + SignedDuration::from_secs(60);
    aws.pass(120);
    aws.change_contact(scope, contact.id, |contact| {
        contact.wrote(wrote);
        Change::Contact
    })
    .await;
    let left = manager.get(&of(contact.id, "")).await;
    assert_eq!(
        json!([left.json()["status"], left.json()["code"]]),
        json!(["exited", "unnecessary"])
    );
    // Contacts enter it by themselves until it is cancelled.
    let triggered = async || store.triggered_drips(scope).await.expect("the table answers").len();
    assert_eq!(triggered().await, 1);
    manager.post(&format!("{place}/cancel"), json!({})).await.is(200);
    assert_eq!(triggered().await, 0);
}
