//! Dry runs and replays: they say what happens, and write nothing.

use domain::{
    base::{
        actor::{Actor, Stamp},
        external::ShownName,
        ids::{CallId, ContactId, RuleId},
        resource::Resource as _,
        text::OneLine,
    },
    calls::call::Outcome,
    consent::wish::{By, Choice, Scope, Wish},
    contacts::{contact::Contact, field::FieldValue},
    messages::{
        inbound::OptFlag,
        message::{Channel, Content, Leg},
        source::SmsText,
    },
};
use jiff::SignedDuration;
use store::tenants::config::Configured;
use testkit::business::{CUSTOMER, LINE, business_with, erase, mobile};

use super::*;

const DRY_RUN: &str = "/api/v1/automations/dry-run";
const REPLAY: &str = "/api/v1/automations/replay";

/// A business whose line is the number that customers call.
async fn with_line(town: &Town<'_>, change: impl FnOnce(&mut Configured)) -> Seeded {
    let with = |configured: &mut Configured| {
        let [twilio, whatsapp] = [0, 1].map(|place| configured.connections[place].id);
        let line = json!({
            "id": "line_00000000000000000000000001", "name": "Reception", "number": LINE, "whatsapp": whatsapp,
            "sms": {"connection": twilio},
        });
        configured.lines = vec![read(line)];
        change(configured);
    };
    let mut business = Box::pin(business_with(town.aws(), with)).await;
    business.configured.rules_meant = false;
    business
}

/// No connection sends within the next minute.
fn paused_for_a_minute(configured: &mut Configured) {
    let until = configured.at + SignedDuration::from_secs(60);
    for connection in &mut configured.connections {
        connection.paused_until = Some(until);
    }
}

fn rule(business: &Seeded) -> RuleId {
    business.configured.rules[0].id
}

/// A missed call by this number, as `follow_up` of the testkit makes it.
fn missed(business: &Seeded, number: &str) -> Value {
    json!({"outcome": "missed", "phone": number, "connection_id": business.telephony})
}

/// What a channel says, as the API shows it.
fn said(leg: &Leg) -> Value {
    match &leg.content {
        Content::Text(text) => json!([leg.channel, leg.connection, text, null, null]),
        Content::Template(filled) => {
            let values: Vec<&str> = filled.body.iter().map(|value| value.text.as_str()).collect();
            json!([leg.channel, leg.connection, null, filled.name, values])
        }
        other => panic!("a rule sends texts and templates: {other:?}"),
    }
}

/// The same of a channel in a dry run.
fn foreseen(channel: &Value) -> Value {
    let template = &channel["template"];
    let text = if template.is_null() {
        &channel["text"]
    } else {
        &Value::Null
    };
    json!([
        channel["channel"],
        channel["connection_id"],
        text,
        template["name"],
        template["values"]
    ])
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().expect("a list").clone()
}

/// The rules of a dry run with what does not hold.
fn tried(run: &Value) -> Vec<(String, Option<String>, bool)> {
    let told = |rule: &Value| {
        let code = rule["code"].as_str().map(str::to_owned);
        assert_eq!(rule["passed"], json!(code.is_none()), "{rule}");
        let name = rule["name"].as_str().expect("a name").to_owned();
        (name, code, rule["decides"] == true)
    };
    list(&run["automations"]).iter().map(told).collect()
}

fn alone(name: &str, code: Option<&str>, decides: bool) -> Vec<(String, Option<String>, bool)> {
    vec![(name.to_owned(), code.map(str::to_owned), decides)]
}

#[tokio::test]
async fn dry_run_shows_what_a_call_gets_and_writes_nothing() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, automations::routes).await;
    let business = with_line(&town, |_| {}).await;
    let manager = town.key_of(business.scope(), Role::Manager).await;
    let ask = json!({"call": missed(&business, CUSTOMER)});
    manager.post(DRY_RUN, ask.clone()).await.is(200);
    let before = aws.row_count().await;
    let shown = manager.post(DRY_RUN, ask.clone()).await;
    assert_eq!(aws.row_count().await, before);
    let run = shown.is(200).json();
    assert_eq!(json!([run["sent"], run["code"]]), json!([true, "follow_up"]));
    assert_eq!(json!([run["contact"], run["draft"]]), json!([null, null]));
    assert_eq!(tried(&run), alone("Missed calls", None, true));
    let message = &run["message"];
    let passed = |checks: &Value| list(checks).iter().all(|check| check["passed"] == true);
    assert!(passed(&message["checks"]), "{message}");
    for channel in list(&message["channels"]) {
        assert_eq!((channel["passed"] == true, list(&channel["checks"]).len()), (true, 15));
        assert!(passed(&channel["checks"]), "{channel}");
    }
    let text = "Hello there, sorry we missed your call to Harbour Lane today. How can we help?";
    assert_eq!(message["channels"][0]["text"], text);
    assert_eq!(message["channels"][0]["sender"]["number"], "+447700900999");

    let happened = Box::pin(business.follow_up(&aws, CUSTOMER)).await;
    let call = business.call_of(&aws, &happened).await;
    assert_eq!(
        json!([run["decision"], run["facts"]]),
        json!([call.decision, call.because])
    );
    assert_eq!(message["send_at"], json!(happened.not_before));
    let legs: Vec<Value> = happened.plan.iter().map(said).collect();
    let channels: Vec<Value> = list(&message["channels"]).iter().map(foreseen).collect();
    assert_eq!(channels, legs);
    // The call is there now: another one is too soon.
    let again = manager.post(DRY_RUN, ask).await.is(200).json();
    assert_eq!(json!([again["sent"], again["code"]]), json!([false, "cooldown"]));
    assert_eq!(again["contact"]["id"], json!(happened.id.contact()));
    testkit::assert_snapshot("dry_run", &[&shown]);
}

/// The message that the person would have got, with all that is against it.
#[tokio::test]
async fn refused_message_is_shown_with_every_verdict() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, automations::routes).await;
    let business = with_line(&town, paused_for_a_minute).await;
    let manager = town.key_of(business.scope(), Role::Manager).await;
    let now = aws.now();
    let stopped = |contact: &mut Contact| {
        contact.wish(OptFlag::Stop, "wrote STOP", now);
        contact.last_follow_up_at = Some(now);
    };
    business.contact_with(&aws, CUSTOMER, stopped).await;
    let asked = manager
        .post(DRY_RUN, json!({"call": missed(&business, CUSTOMER)}))
        .await;
    let run = asked.is(200).json();
    assert_eq!(json!([run["sent"], run["code"]]), json!([false, "opted_out"]));
    // It matches, but nobody may be messaged.
    assert_eq!(tried(&run), alone("Missed calls", None, false));
    let against = |checks: &Value| -> Vec<(String, String)> {
        let checks = list(checks).into_iter().filter(|check| check["passed"] == false);
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        checks
            .map(|check| (text(&check["check"]), text(&check["code"])))
            .collect()
    };
    let pair = |check: &str, code: &str| (check.to_owned(), code.to_owned());
    let message = &run["message"];
    assert_eq!(
        against(&message["checks"]),
        [pair("consent", "opted_out"), pair("cooldown", "cooldown")]
    );
    assert_eq!(message["channels"][1]["code"], "opted_out");

    // Without STOP, only the pause is against it, now and before the send.
    let other = json!({"call": missed(&business, &mobile(1))});
    let run = manager.post(DRY_RUN, other).await.is(200).json();
    let channel = &run["message"]["channels"][0];
    assert_eq!(json!([run["sent"], channel["code"]]), json!([true, "paused"]));
    assert_eq!(against(&channel["checks"]), [pair("pause", "paused")]);
    assert_eq!(channel["waits_until"], json!(now + SignedDuration::from_secs(60)));
}

#[tokio::test]
async fn every_condition_of_a_draft_can_be_tried() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, automations::routes).await;
    let business = with_line(&town, |_| {}).await;
    let manager = town.key_of(business.scope(), Role::Manager).await;
    let known = |contact: &mut Contact| contact.calls = 3;
    let regular = business.contact_with(&aws, CUSTOMER, known).await.id;
    let draft = |when: Value| {
        let mut draft = new("Draft");
        (draft["priority"], draft["when"]) = (json!(-1), when);
        draft
    };
    let call = |more: Value| {
        let mut call = json!({"outcome": "missed", "phone": mobile(1)});
        for (name, value) in more.as_object().expect("fields") {
            call[name] = value.clone();
        }
        call
    };
    let by_contact = json!({"outcome": "missed", "contact_id": regular});
    for (when, call, code) in [
        (json!({}), call(json!({})), None),
        (json!({"outcomes": ["busy"]}), call(json!({})), Some("other_outcome")),
        (json!({"outcomes": ["busy"]}), call(json!({"outcome": "busy"})), None),
        (json!({"hours": "closed"}), call(json!({})), Some("other_hours")),
        (json!({"caller": "known"}), call(json!({})), Some("other_caller")),
        (json!({"caller": "known"}), by_contact.clone(), None),
        (json!({"caller": "new"}), by_contact, Some("other_caller")),
        (json!({"min_ring_seconds": 5}), call(json!({})), None),
        (
            json!({"min_ring_seconds": 5}),
            call(json!({"ring_seconds": 4})),
            Some("other_ring_time"),
        ),
        (json!({"min_ring_seconds": 5}), call(json!({"ring_seconds": 5})), None),
        (
            json!({"min_talk_seconds": 9}),
            call(json!({"talk_seconds": 8})),
            Some("other_talk_time"),
        ),
        (
            json!({"lines": ["line_00000000000000000000000001"]}),
            call(json!({"line_id": "line_00000000000000000000000001"})),
            None,
        ),
    ] {
        let asked = json!({"call": call, "automation": draft(when.clone())});
        let run = manager.post(DRY_RUN, asked).await.is(200).json();
        let rules = tried(&run);
        let told = (rules[0].0.as_str(), rules[0].1.as_deref(), rules[0].2);
        assert_eq!(told, ("Draft", code, code.is_none()), "{when} {call}");
        let first = &run["automations"][0];
        assert_eq!(json!([first["id"], first["draft"]]), json!([null, true]));
        assert_eq!(rules.len(), 2);
    }
    // Nothing was saved.
    assert_eq!(names(&manager, "").await, ["Missed calls"]);
}

#[tokio::test]
async fn draft_takes_the_place_of_the_automation_it_replaces() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, automations::routes).await;
    let business = with_line(&town, |_| {}).await;
    let (manager, id) = (town.key_of(business.scope(), Role::Manager).await, rule(&business));
    let mut draft = follow_up();
    draft["then"]["sms_text"] = json!("Hello {{contact.first_name|you}}");
    draft["then"]["channels"] = json!(["sms"]);
    draft["then"]["delay_seconds"] = json!(90);
    let ask = json!({"call": missed(&business, CUSTOMER), "automation": draft, "automation_id": id});
    let run = manager.post(DRY_RUN, ask).await.is(200).json();
    assert_eq!(tried(&run), alone("Follow-up", None, true));
    let first = &run["automations"][0];
    assert_eq!(json!([first["id"], first["draft"]]), json!([id, true]));
    let message = &run["message"];
    assert_eq!(message["channels"][0]["text"], "Hello you");
    assert_eq!(message["send_at"], json!(aws.now() + SignedDuration::from_secs(90)));
    assert_eq!(run["draft"], json!({"problems": [], "warnings": []}));

    // What could not be saved can be tried, and says why.
    draft["then"]["channels"] = json!(["whatsapp"]);
    draft["then"]["template"]["name"] = json!("gone");
    let ask = json!({"call": missed(&business, CUSTOMER), "automation": draft});
    let run = manager.post(DRY_RUN, ask).await.is(200).json();
    assert_eq!(json!([run["sent"], run["code"]]), json!([false, "template"]));
    assert_eq!(run["draft"]["problems"][0]["field"], "then.template.name");
    assert_eq!(run["message"]["channels"][0]["code"], "no_template");

    // An archived one matches nothing, as it would after being saved.
    let archive = format!("{AUTOMATIONS}/{id}/archive");
    manager.post(&archive, json!({})).await.is(200);
    let run = manager
        .post(DRY_RUN, json!({"call": missed(&business, CUSTOMER)}))
        .await;
    let run = run.is(200).json();
    assert_eq!((tried(&run), &run["code"]), (vec![], &json!("no_rule")));
    let ask = json!({"call": missed(&business, CUSTOMER), "automation": follow_up(), "automation_id": id});
    let run = manager.post(DRY_RUN, ask).await.is(200).json();
    assert_eq!(tried(&run), alone("Follow-up", Some("rule_archived"), false));
}

/// Of five hundred, only those that are tried are shown.
#[tokio::test]
async fn archived_automations_are_not_tried() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, automations::routes).await;
    let manager = town.manager();
    // One is there from the beginning.
    for place in 1..Rule::MAX {
        let mut fields = new(&format!("{place}"));
        fields["priority"] = json!(place);
        let mut rule = Rule::new(aws.ids().ulid(), read(fields), aws.now());
        rule.archived_at = (place >= Rule::MAX_UNARCHIVED).then(|| aws.now());
        let stamp = aws.stamp();
        let created = aws.store().create(town.home.scope(), &rule, &stamp).await;
        created.expect("it is created");
    }
    let call = json!({"outcome": "missed", "phone": CUSTOMER});
    let run = manager
        .post(DRY_RUN, json!({"call": call, "automation": new("Draft")}))
        .await;
    let run = run.is(200).json();
    let rules = list(&run["automations"]);
    assert_eq!(rules.len(), 101);
    assert_eq!(json!([rules[0]["name"], rules[0]["decides"]]), json!(["Draft", true]));
    let replayed = manager.post(REPLAY, json!({"automation": new("Draft")})).await;
    assert_eq!(replayed.is(200).json()["calls"], 0);
}

/// As it was then, although the caller is in the cooldown now.
#[tokio::test]
async fn recorded_call_is_tried_as_of_its_decision() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, automations::routes).await;
    let business = with_line(&town, |_| {}).await;
    let (manager, id) = (town.key_of(business.scope(), Role::Manager).await, rule(&business));
    let happened = Box::pin(business.follow_up(&aws, CUSTOMER)).await;
    let call = business.call_of(&aws, &happened).await;
    aws.pass(3600);
    let now = aws.now();
    let (store, scope) = (aws.store(), business.scope());
    let mut contact = store.contact(scope, call.id.contact()).await.unwrap().unwrap();
    contact.wish(OptFlag::Stop, "wrote STOP", now);
    store.write_contact(scope, &contact.into(), None).await.unwrap();

    let run = manager.post(DRY_RUN, json!({"call_id": call.id})).await.is(200).json();
    assert_eq!(
        json!([run["decision"], run["facts"]]),
        json!([call.decision, call.because])
    );
    assert_eq!(run["decided_at"], json!(call.decided_at));
    assert_eq!(run["message"]["send_at"], json!(happened.not_before));
    let channels: Vec<Value> = list(&run["message"]["channels"]).iter().map(foreseen).collect();
    assert_eq!(channels, happened.plan.iter().map(said).collect::<Vec<_>>());
    assert_eq!(run["contact"]["id"], json!(call.id.contact()));

    let mut draft = follow_up();
    draft["then"]["consent"] = json!("opt_in_only");
    let ask = json!({"call_id": call.id, "automation": draft, "automation_id": id});
    let run = manager.post(DRY_RUN, ask).await.is(200).json();
    assert_eq!(json!([run["sent"], run["code"]]), json!([false, "no_consent"]));

    // A person that was forgotten, and one of another business, have no calls.
    let ask = json!({"call_id": call.id});
    let theirs = town.foreign_admin().post(DRY_RUN, ask.clone()).await;
    theirs.names_only(&["call_id"]);
    erase(&aws.store(), scope, call.id.contact(), aws.now()).await;
    let forgotten = manager.post(DRY_RUN, ask).await;
    forgotten.names_only(&["call_id"]);
    let replayed = manager.post(REPLAY, json!({})).await.is(200).json();
    assert_eq!(json!([replayed["calls"], replayed["from"]]), json!([0, null]));
}

/// A name is stored with the contact after the decision about the call that brought it.
#[tokio::test]
async fn recorded_call_does_not_know_a_later_name() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, automations::routes).await;
    let business = with_line(&town, |_| {}).await;
    let (manager, id) = (town.key_of(business.scope(), Role::Manager).await, rule(&business));
    let happened = Box::pin(business.follow_up(&aws, CUSTOMER)).await;
    let call = business.call_of(&aws, &happened).await;
    let (store, scope) = (aws.store(), business.scope());
    let before = store.known(scope, call.id.contact()).await.unwrap().unwrap();
    let mut after = before.clone();
    (after.profile.name, after.contact.named) = (ShownName::of("Maya"), true);
    let (brought, stamp) = (
        store::contacts::people::Brought::default(),
        Stamp {
            actor: Actor::Operator,
            at: aws.now(),
            correlation_id: "test".to_owned(),
        },
    );
    let changed = store.change_person(scope, &before, &after, &brought, &stamp).await;
    assert!(changed.is_ok());

    let mut draft = follow_up();
    (draft["then"]["channels"], draft["then"]["sms_text"]) = (json!(["sms"]), json!("Hello {{contact.name}}"));
    let ask = json!({"call_id": call.id, "automation": draft, "automation_id": id});
    let run = manager.post(DRY_RUN, ask).await.is(200).json();
    assert_eq!(json!([run["sent"], run["code"]]), json!([false, "template"]));
    assert_eq!(run["contact"]["name"], "Maya");
    let ask = json!({"call": missed(&business, CUSTOMER), "automation": draft, "automation_id": id});
    let run = manager.post(DRY_RUN, ask).await.is(200).json();
    assert_eq!(run["message"]["channels"][0]["text"], "Hello Maya");
}

/// The pause of the number ended between the call and now.
#[tokio::test]
async fn call_of_the_past_does_not_wait_for_a_pause() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, automations::routes).await;
    let business = with_line(&town, paused_for_a_minute).await;
    let manager = town.key_of(business.scope(), Role::Manager).await;
    let happened = Box::pin(business.follow_up(&aws, CUSTOMER)).await;
    let call = business.call_of(&aws, &happened).await;
    for (seconds, code) in [(59, json!("paused")), (1, Value::Null)] {
        aws.pass(seconds);
        let run = manager.post(DRY_RUN, json!({"call_id": call.id})).await.is(200).json();
        assert_eq!(run["message"]["channels"][0]["code"], code);
    }
}

/// As `process_call` does, before it decides.
#[tokio::test]
async fn answered_call_makes_no_cooldown_of_what_it_cancels() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, automations::routes).await;
    let business = with_line(&town, |configured| {
        let mut thanks = configured.rules[0].clone();
        thanks.id = "rule_00000000000000000000000002".parse().unwrap();
        thanks.name = OneLine::stored("Thanks");
        thanks.when.outcomes = vec![Outcome::Answered].into();
        configured.rules.push(thanks);
    })
    .await;
    let manager = town.key_of(business.scope(), Role::Manager).await;
    let waits = Box::pin(business.follow_up(&aws, CUSTOMER)).await;
    aws.pass(60);
    let mut call = missed(&business, CUSTOMER);
    let run = manager.post(DRY_RUN, json!({ "call": call })).await.is(200).json();
    assert_eq!(run["code"], "cooldown");
    call["outcome"] = json!("answered");
    let before = aws.row_count().await;
    let run = manager.post(DRY_RUN, json!({ "call": call })).await.is(200).json();
    assert_eq!(json!([run["sent"], run["code"]]), json!([true, "follow_up"]));
    assert_eq!(aws.row_count().await, before);
    let (store, scope) = (aws.store(), business.scope());
    let found = store.message(scope, waits.id, aws.now()).await.unwrap().unwrap();
    assert_eq!(found.ended, None);
    let contact = store.contact(scope, waits.id.contact()).await.unwrap().unwrap();
    assert_eq!(contact.open.len(), 1);
}

/// What happened since would make sentences of the kind "texted just now".
#[tokio::test]
async fn invented_call_of_the_past_knows_nothing_since() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, automations::routes).await;
    let business = with_line(&town, |_| {}).await;
    let manager = town.key_of(business.scope(), Role::Manager).await;
    let ago = |hours: i64| aws.now() - SignedDuration::from_hours(hours);
    let busy = |contact: &mut Contact| {
        (contact.last_follow_up_at, contact.last_counted_at) = (Some(ago(20)), Some(ago(20)));
        (contact.last_inbound_at, contact.last_answered_at) = (Some(ago(10)), Some(ago(10)));
    };
    business.contact_with(&aws, CUSTOMER, busy).await;
    for (hours, code) in [(0, "cooldown"), (11, "cooldown"), (48, "follow_up")] {
        let mut call = missed(&business, CUSTOMER);
        call["started_at"] = json!(ago(hours));
        let run = manager.post(DRY_RUN, json!({ "call": call })).await.is(200).json();
        assert_eq!(run["code"], code, "{hours}: {run}");
    }
}

#[tokio::test]
async fn callers_of_every_kind_can_be_invented() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, automations::routes).await;
    let business = with_line(&town, |_| {}).await;
    let manager = town.key_of(business.scope(), Role::Manager).await;
    let decided = async |call: Value| {
        let asked = manager.post(DRY_RUN, json!({ "call": call })).await;
        let run = asked.is(200).json();
        (run["code"].as_str().expect("a code").to_owned(), run)
    };
    let (code, run) = decided(json!({"outcome": "missed", "withheld": true})).await;
    assert_eq!(
        (code.as_str(), &run["message"], &run["customer"]),
        ("withheld", &Value::Null, &Value::Null)
    );
    assert_eq!(tried(&run), alone("Missed calls", None, false));
    for (call, code) in [
        (
            json!({"outcome": "missed", "phone": CUSTOMER, "direction": "outbound"}),
            "outbound",
        ),
        (json!({"outcome": "unknown", "phone": CUSTOMER}), "unknown_outcome"),
        (json!({"outcome": "answered", "phone": CUSTOMER}), "no_rule"),
        // The numbers of the business, by call and by WhatsApp.
        (json!({"outcome": "missed", "phone": LINE}), "own_number"),
        (json!({"outcome": "missed", "phone": "+447700900999"}), "own_number"),
        // A landline: WhatsApp alone.
        (json!({"outcome": "missed", "phone": "+97143330000"}), "follow_up"),
    ] {
        assert_eq!(decided(call.clone()).await.0, code, "{call}");
    }
    let (_, run) = decided(json!({"outcome": "missed", "phone": "+97143330000"})).await;
    assert_eq!(run["message"]["channels"][1]["code"], "landline");
    // The number of somebody who wrote STOP and was forgotten since.
    business.erased_after_stop(&aws, &mobile(5)).await;
    assert_eq!(
        decided(json!({"outcome": "missed", "phone": mobile(5)})).await.0,
        "opted_out"
    );
    // At any time of the coming year.
    let later = aws.now() + SignedDuration::from_hours(365 * 24);
    let (code, run) =
        decided(json!({"outcome": "missed", "phone": CUSTOMER, "started_at": later, "ring_seconds": 9})).await;
    assert_eq!(code, "follow_up");
    assert_eq!(run["decided_at"], json!(later + SignedDuration::from_secs(9)));
}

#[tokio::test]
async fn what_is_wrong_with_a_dry_run_is_named() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, automations::routes).await;
    let business = with_line(&town, |configured| {
        let line = json!({"id": "line_00000000000000000000000002", "name": "Only WhatsApp"});
        configured.lines.push(read(line));
    })
    .await;
    let manager = town.key_of(business.scope(), Role::Manager).await;
    let contact = business.contact(&aws, CUSTOMER).await.id;
    let nobody = ContactId::new(aws.ids().ulid());
    let deleted = |contact: &mut Contact| contact.deleted_at = Some(contact.created_at);
    let deleted = business.contact_with(&aws, &mobile(2), deleted).await.id;
    let erasing = |contact: &mut Contact| (contact.deleted_at, contact.erasing) = (Some(contact.created_at), true);
    business.contact_with(&aws, &mobile(3), erasing).await;
    // Its number leads nowhere for a moment.
    let erased = business.contact(&aws, &mobile(4)).await.id;
    business.remove(&aws, "CONTACT", Some(erased)).await;
    let call = || json!({"outcome": "missed", "phone": CUSTOMER});
    let with = |more: Value| {
        let mut call = call();
        for (name, value) in more.as_object().expect("fields") {
            call[name] = value.clone();
        }
        json!({ "call": call })
    };
    let no_call = CallId::new(contact, aws.ids().ulid());
    for (body, field) in [
        (json!({}), "call"),
        (json!({"call": call(), "call_id": no_call}), "call_id"),
        (json!({"call_id": no_call}), "call_id"),
        (json!({"call": {"outcome": "missed"}}), "call.phone"),
        (json!({"call": {"phone": CUSTOMER}}), "call.outcome"),
        (with(json!({"outcome": "lost"})), "call.outcome"),
        (with(json!({"withheld": true})), "call.phone"),
        (with(json!({"contact_id": contact})), "call.contact_id"),
        (with(json!({"started_at": "1970-01-01T00:00:00Z"})), "call.started_at"),
        (with(json!({"started_at": "9999-12-30T00:00:00Z"})), "call.started_at"),
        (with(json!({"ring_seconds": 86_401})), "call.ring_seconds"),
        (
            with(json!({"line_id": "line_00000000000000000000000009"})),
            "call.line_id",
        ),
        (
            with(json!({"line_id": "line_00000000000000000000000002"})),
            "call.line_id",
        ),
        (with(json!({"connection_id": business.whatsapp})), "call.connection_id"),
        (with(json!({"language": "english"})), "call.language"),
        (with(json!({"phone": mobile(3)})), "call.phone"),
        (with(json!({"phone": mobile(4)})), "call.phone"),
        (
            json!({"call": {"outcome": "missed", "contact_id": nobody}}),
            "call.contact_id",
        ),
        (
            json!({"call": {"outcome": "missed", "contact_id": deleted}}),
            "call.contact_id",
        ),
        (
            json!({"call": call(), "automation_id": rule(&business)}),
            "automation_id",
        ),
        (
            json!({"call": call(), "automation": new("Draft"), "automation_id": "rule_00000000000000000000000009"}),
            "automation_id",
        ),
        (
            json!({"call": call(), "automation": {"name": "Draft"}}),
            "automation.then",
        ),
        (json!({"call": call(), "dry": true}), "dry"),
    ] {
        let refused = manager.post(DRY_RUN, body.clone()).await;
        refused.names_field(field);
    }
    for body in [json!({"calls": 0}), json!({"calls": 501})] {
        manager.post(REPLAY, body).await.names_only(&["calls"]);
    }
    // Who may not set automations may not try them on people.
    for path in [DRY_RUN, REPLAY] {
        let agent = town.key_of(business.scope(), Role::Agent).await;
        agent.post(path, json!({"call": call()})).await.is(403);
    }
}

/// The saved rules change nothing, whatever becomes of the callers.
#[tokio::test]
async fn replay_counts_the_differences_of_a_draft() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, automations::routes).await;
    let business = with_line(&town, |_| {}).await;
    let (manager, id) = (town.key_of(business.scope(), Role::Manager).await, rule(&business));
    let now = aws.now();
    let opted_in =
        |contact: &mut Contact| drop(contact.record(Wish::new(Choice::Granted, Scope::ALL, By::User, "", now)));
    business.contact_with(&aws, &mobile(1), opted_in).await;
    let mut calls = Vec::new();
    for place in 1..=3 {
        let message = Box::pin(business.follow_up(&aws, &mobile(place))).await;
        calls.push(business.call_of(&aws, &message).await);
        aws.pass(60);
    }
    let replay = async |body: Value| {
        let before = aws.row_count().await;
        let told = manager.post(REPLAY, body).await.is(200).json();
        assert_eq!(aws.row_count().await, before);
        told
    };
    manager.get(AUTOMATIONS).await.is(200);
    let counts = |told: &Value| {
        let count = |difference: &str| told[difference]["count"].as_u64().expect("a count");
        let unchanged = told["unchanged"].as_u64().expect("a count");
        assert_eq!(
            told["calls"].as_u64(),
            Some(unchanged + count("more") + count("fewer") + count("different"))
        );
        [unchanged, count("more"), count("fewer"), count("different")]
    };
    let told = replay(json!({})).await;
    assert_eq!(counts(&told), [3, 0, 0, 0]);
    assert_eq!(told["from"], json!(calls[0].happened_at()));
    assert_eq!(counts(&replay(json!({"calls": 2})).await), [2, 0, 0, 0]);

    let saved = manager.get(&format!("{AUTOMATIONS}/{id}")).await.is(200).json();
    let draft = |change: fn(&mut Value)| {
        let mut draft = json!({"name": "Draft", "priority": 10, "when": saved["when"], "then": saved["then"]});
        change(&mut draft);
        json!({"automation": draft, "automation_id": id})
    };
    assert_eq!(
        counts(&replay(draft(|_| ())).await),
        [3, 0, 0, 0],
        "another name says the same"
    );
    let needy = draft(|draft| draft["then"]["consent"] = json!("opt_in_only"));
    let shown = manager.post(REPLAY, needy).await;
    let needy = shown.is(200).json();
    assert_eq!(counts(&needy), [1, 0, 2, 0]);
    testkit::assert_snapshot("replay", &[&shown]);
    let example = &needy["fewer"]["examples"][0];
    assert_eq!(example["call_id"], json!(calls[2].id), "the latest first");
    assert_eq!(
        json!([example["before"]["code"], example["after"]["code"]]),
        json!(["follow_up", "no_consent"])
    );
    assert_eq!(example["before"]["automation_id"], json!(id));
    assert_eq!(example["before"]["message_id"], json!(calls[2].message));
    assert_eq!(
        json!([example["after"]["automation_id"], example["after"]["draft"]]),
        json!([id, true])
    );
    let texts = replay(draft(|draft| draft["then"]["sms_text"] = json!("Hello"))).await;
    assert_eq!(counts(&texts), [0, 0, 0, 3]);
    let off = replay(draft(|draft| draft["enabled"] = json!(false))).await;
    assert_eq!(counts(&off), [0, 0, 3, 0]);
    assert_eq!(off["fewer"]["examples"][0]["after"]["automation_id"], Value::Null);

    // Later versions are compared with the one that decided.
    let place = format!("{AUTOMATIONS}/{id}");
    let change = json!({"then": {"sms_text": "Hello"}});
    manager.patch(&place, change).await.is(200);
    assert_eq!(counts(&replay(json!({})).await), [0, 0, 0, 3]);
    manager
        .patch(&place, json!({"then": {"sms_text": saved["then"]["sms_text"]}}))
        .await
        .is(200);
    assert_eq!(counts(&replay(json!({})).await), [3, 0, 0, 0]);
    manager.delete(&place).await.is(204);
    assert_eq!(counts(&replay(json!({})).await), [0, 0, 3, 0]);
    let other = json!({"automation": new("Draft")});
    assert_eq!(counts(&replay(other).await), [0, 0, 0, 3]);
}

/// Values of fields are not stored with calls, and a text that names one is another one than a text that does not.
#[tokio::test]
async fn texts_that_name_fields_are_compared_in_replays() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, automations::routes).await;
    let business = with_line(&town, |configured| {
        let then = &mut configured.rules[0].then;
        then.channels = vec![Channel::Sms].into();
        then.sms_text = Some(SmsText::One("Hello".to_owned()));
    })
    .await;
    let (manager, id) = (town.key_of(business.scope(), Role::Manager).await, rule(&business));
    let (store, scope, field_id) = (aws.store(), business.scope(), FieldId::new(aws.ids().ulid()));
    let field: Field = read(json!({"id": field_id, "key": "level", "name": "Level", "type": "text"}));
    let created = store.create(scope, &field, &aws.stamp()).await;
    created.expect("the field is stored");
    Box::pin(business.follow_up(&aws, &mobile(1))).await;

    aws.pass(60);
    let place = format!("{AUTOMATIONS}/{id}");
    let named = json!({"then": {"sms_text": "Hello {{contact.field.level}}"}});
    let saved = manager.patch(&place, named).await.is(200).json();
    let gold = business.contact(&aws, CUSTOMER).await.id;
    let before = store.known(scope, gold).await.unwrap().unwrap();
    let mut after = before.clone();
    let value = FieldValue::Text(OneLine::stored("Gold"));
    after.profile.fields.insert(field_id, value);
    let (brought, stamp) = (store::contacts::people::Brought::default(), aws.stamp());
    let changed = store.change_person(scope, &before, &after, &brought, &stamp).await;
    assert!(changed.is_ok());
    let happened = Box::pin(business.follow_up(&aws, CUSTOMER)).await;
    assert_eq!(said(&happened.plan[0])[2], "Hello Gold");

    for (text, counts) in [
        ("Hello {{contact.field.level}}", [1, 0, 0, 1]),
        ("Hello", [1, 0, 0, 1]),
        ("Dear {{contact.field.level}}", [0, 0, 0, 2]),
        ("Hello {{contact.field.gone}}", [0, 0, 2, 0]),
    ] {
        let mut draft = json!({"name": "Draft", "priority": 10, "when": saved["when"], "then": saved["then"]});
        draft["then"]["sms_text"] = json!(text);
        let ask = json!({"automation": draft, "automation_id": id});
        let told = manager.post(REPLAY, ask).await.is(200).json();
        let count = |difference: &str| told[difference]["count"].clone();
        let counted = json!([told["unchanged"], count("more"), count("fewer"), count("different")]);
        assert_eq!(counted, json!(counts), "{text}");
    }
}

/// A call that got no message then would get one.
#[tokio::test]
async fn replay_finds_calls_that_no_rule_was_for() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, automations::routes).await;
    let business = with_line(&town, |_| {}).await;
    let manager = town.key_of(business.scope(), Role::Manager).await;
    let message = Box::pin(business.follow_up(&aws, CUSTOMER)).await;
    let mut call = business.call_of(&aws, &message).await;
    "no_rule".clone_into(&mut call.reason);
    "no message: no rule matches: missed call".clone_into(&mut call.decision);
    (call.message, call.grounds.rule, call.grounds.rule_version) = (None, None, None);
    // Reported after the decision, which does not know it.
    call.facts.ring_seconds = Some(2);
    aws.store()
        .write_call(business.scope(), &call)
        .await
        .expect("the table answers");
    let mut draft = new("Draft");
    (draft["priority"], draft["when"]) = (json!(-1), json!({"min_ring_seconds": 5}));
    let told = manager.post(REPLAY, json!({"automation": draft})).await.is(200).json();
    assert_eq!(json!([told["more"]["count"], told["unchanged"]]), json!([1, 0]));
    let after = &told["more"]["examples"][0]["after"];
    assert_eq!(
        json!([after["name"], after["code"], after["automation_id"]]),
        json!(["Draft", "follow_up", null])
    );
    // A call that nobody could be messaged after stays so.
    "withheld".clone_into(&mut call.reason);
    call.version += 1;
    aws.store()
        .write_call(business.scope(), &call)
        .await
        .expect("the table answers");
    let told = manager.post(REPLAY, json!({"automation": draft})).await.is(200).json();
    assert_eq!(json!([told["more"]["count"], told["unchanged"]]), json!([0, 1]));
}
