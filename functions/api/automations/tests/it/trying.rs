//! Dry runs and replays: they say what happens, and write nothing.

use domain::messages::{Content, Leg, OptFlag};
use domain::people::{By, Choice, Contact, FieldValue, Person, Scope, Wish};
use domain::telephony::Outcome;
use domain::terms::{CallId, Channel, ContactId, OneLine, Resource as _, RuleId, ShownName, SmsText};
use jiff::SignedDuration;
use store::contacts::Brought;
use store::tenants::Configured;
use testkit::business::{CUSTOMER, LINE, against_sms_rules, business_with, erase, mobile, send_as};

use super::*;

const DRY_RUN: &str = "/api/v1/automations/dry-run";
const REPLAY: &str = "/api/v1/automations/replay";

/// A business whose line is the number that customers call, and its manager.
async fn with_line<'a>(town: &'a Town<'_>, change: impl FnOnce(&mut Configured)) -> (Seeded, Caller<'a>) {
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
    let manager = Box::pin(town.key_of(business.scope(), Role::Manager)).await;
    (business, manager)
}

async fn dry_run(caller: &Caller<'_>, asked: Value) -> Value {
    caller.post(DRY_RUN, asked).await.is(200).json()
}

/// Changes a contact, as an operator does.
async fn change_person(aws: &Aws, business: &Seeded, contact: ContactId, change: impl FnOnce(&mut Person)) {
    let (store, scope, stamp) = (aws.store(), business.scope(), aws.stamp());
    let before = store.known_person(scope, contact).await.expect("the table answers");
    let before = before.expect("the contact");
    let mut after = before.clone();
    change(&mut after);
    let brought = Brought::default();
    let changed = store.change_person(scope, &before, &after, &brought, &stamp);
    assert!(Box::pin(changed).await.is_ok());
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
fn missed_call(business: &Seeded, number: &str) -> Value {
    json!({"outcome": "missed", "phone": number, "connection_id": business.telephony})
}

/// The content of a channel, as the API shows it.
fn content_of_leg(leg: &Leg) -> Value {
    match &leg.content {
        Content::Text(text) => json!([leg.channel, leg.connection, text, null, null]),
        Content::Template(filled) => {
            let values: Vec<&str> = filled.body.iter().map(|value| value.text.as_str()).collect();
            json!([leg.channel, leg.connection, null, filled.name, values])
        }
        other => panic!("a rule sends texts and templates: {other:?}"),
    }
}

/// The content of a channel in a dry run, like [`content_of_leg`].
fn content_of_channel(channel: &Value) -> Value {
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

/// The rules of a dry run: the name of each, what does not hold, and whether it decides.
fn rules_of_run(run: &Value) -> Vec<Value> {
    let told = |rule: &Value| {
        assert_eq!(rule["passed"], json!(rule["code"].is_null()), "{rule}");
        json!([rule["name"], rule["code"], rule["decides"] == true])
    };
    list(&run["automations"]).iter().map(told).collect()
}

/// Counts of a replay's calls that got the same as before, more, less or something else.
fn counts(told: &Value) -> [u64; 4] {
    let count = |difference: &str| told[difference]["count"].as_u64().expect("a count");
    let unchanged = told["unchanged"].as_u64().expect("a count");
    let counts = [unchanged, count("more"), count("fewer"), count("different")];
    assert_eq!(told["calls"], json!(counts.iter().sum::<u64>()));
    counts
}

#[tokio::test]
async fn dry_run_shows_what_a_call_gets_and_writes_nothing() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, automations::routes).await;
    let (business, manager) = with_line(&town, |_| {}).await;
    let ask = json!({"call": missed_call(&business, CUSTOMER)});
    manager.post(DRY_RUN, ask.clone()).await.is(200);
    let before = aws.row_count().await;
    let shown = manager.post(DRY_RUN, ask.clone()).await;
    assert_eq!(aws.row_count().await, before);
    let run = shown.is(200).json();
    assert_eq!(json!([run["sent"], run["code"]]), json!([true, "follow_up"]));
    assert_eq!(json!([run["contact"], run["draft"]]), json!([null, null]));
    assert_eq!(rules_of_run(&run), [json!(["Missed calls", null, true])]);
    let message = &run["message"];
    let passed = |checks: &Value| list(checks).iter().all(|check| check["passed"] == true);
    assert!(passed(&message["checks"]), "{message}");
    for channel in list(&message["channels"]) {
        assert_eq!((channel["passed"] == true, list(&channel["checks"]).len()), (true, 16));
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
    let legs: Vec<Value> = happened.plan.iter().map(content_of_leg).collect();
    let channels: Vec<Value> = list(&message["channels"]).iter().map(content_of_channel).collect();
    assert_eq!(channels, legs);
    // The call is there now: another one is too soon.
    let again = dry_run(&manager, ask).await;
    assert_eq!(json!([again["sent"], again["code"]]), json!([false, "cooldown"]));
    assert_eq!(again["contact"]["id"], json!(happened.id.contact()));
    testkit::assert_snapshot("dry_run", &[&shown]);
}

/// The message that the person would have got, with all that is against it.
#[tokio::test]
async fn refused_message_is_shown_with_every_verdict() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, automations::routes).await;
    let (business, manager) = with_line(&town, paused_for_a_minute).await;
    let now = aws.now();
    let stopped = |contact: &mut Contact| {
        contact.wish(OptFlag::Stop, "wrote STOP", now);
        contact.last_follow_up_at = Some(now);
    };
    business.contact_with(&aws, CUSTOMER, stopped).await;
    let run = dry_run(&manager, json!({"call": missed_call(&business, CUSTOMER)})).await;
    assert_eq!(json!([run["sent"], run["code"]]), json!([false, "opted_out"]));
    // It matches, but nobody may be messaged.
    assert_eq!(rules_of_run(&run), [json!(["Missed calls", null, false])]);
    let against = |checks: &Value| -> Value {
        let checks = list(checks).into_iter().filter(|check| check["passed"] == false);
        checks.map(|check| json!([check["check"], check["code"]])).collect()
    };
    let message = &run["message"];
    assert_eq!(
        against(&message["checks"]),
        json!([["consent", "opted_out"], ["cooldown", "cooldown"]])
    );
    assert_eq!(message["channels"][1]["code"], "opted_out");

    // Without STOP, only the pause is against it, now and before the send.
    let other = json!({"call": missed_call(&business, &mobile(1))});
    let run = dry_run(&manager, other).await;
    let channel = &run["message"]["channels"][0];
    assert_eq!(json!([run["sent"], channel["code"]]), json!([true, "paused"]));
    assert_eq!(against(&channel["checks"]), json!([["pause", "paused"]]));
    assert_eq!(channel["waits_until"], json!(now + SignedDuration::from_secs(60)));
}

#[tokio::test]
async fn every_condition_of_a_draft_can_be_tried() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, automations::routes).await;
    let (business, manager) = with_line(&town, |_| {}).await;
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
        let run = dry_run(&manager, asked).await;
        let rules = rules_of_run(&run);
        assert_eq!(rules[0], json!(["Draft", code, code.is_none()]), "{when} {call}");
        let first = &run["automations"][0];
        assert_eq!(json!([first["id"], first["draft"]]), json!([null, true]));
        assert_eq!(rules.len(), 2);
    }
    // Nothing was saved.
    assert_eq!(names(&manager, "").await, ["Missed calls"]);
}

#[tokio::test]
async fn dry_run_tells_each_kind_of_rule_of_countries() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, automations::routes).await;
    for against in against_sms_rules() {
        let (business, manager) = with_line(&town, |configured| send_as(configured, &against)).await;
        let (to, now) = (against["to"].as_str().expect("a number"), aws.now());
        let willing = |contact: &mut Contact| drop(contact.wish(OptFlag::Start, "wrote START", now));
        business.contact_with(&aws, to, willing).await;
        let mut draft = follow_up();
        draft["then"] = json!({"channels": ["sms"], "category": against["category"], "sms_text": against["text"]});
        let run = dry_run(
            &manager,
            json!({"call": missed_call(&business, to), "automation": draft}),
        )
        .await;
        let channel = &run["message"]["channels"][0];
        let refused = against["applies"] == "refuse";
        let code = if refused { json!("country_rule") } else { Value::Null };
        assert_eq!(
            (&channel["code"], &channel["passed"]),
            (&code, &json!(!refused)),
            "{against}"
        );
        let told = list(&channel["country_rules"]).into_iter();
        let told = told.map(|rule| json!([rule["facts"]["rule"], rule["refused"], rule["reason"]]));
        // A later time tells hours.
        let rule = json!([against["rule"], refused, against["sentence"]]);
        let rules = Some(rule).filter(|_| against["applies"] != "wait").into_iter();
        assert_eq!(told.collect::<Vec<_>>(), rules.collect::<Vec<_>>(), "{against}");
    }
}

#[tokio::test]
async fn draft_takes_the_place_of_the_automation_it_replaces() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, automations::routes).await;
    let (business, manager) = with_line(&town, |_| {}).await;
    let id = rule(&business);
    let mut draft = follow_up();
    draft["then"]["sms_text"] = json!("Hello {{contact.first_name|you}}");
    draft["then"]["channels"] = json!(["sms"]);
    draft["then"]["delay_seconds"] = json!(90);
    let ask = json!({"call": missed_call(&business, CUSTOMER), "automation": draft, "automation_id": id});
    let run = dry_run(&manager, ask).await;
    assert_eq!(rules_of_run(&run), [json!(["Follow-up", null, true])]);
    let first = &run["automations"][0];
    assert_eq!(json!([first["id"], first["draft"]]), json!([id, true]));
    let message = &run["message"];
    assert_eq!(message["channels"][0]["text"], "Hello you");
    assert_eq!(message["send_at"], json!(aws.now() + SignedDuration::from_secs(90)));
    assert_eq!(run["draft"], json!({"problems": [], "warnings": []}));

    // What could not be saved can be tried, and says why.
    draft["then"]["channels"] = json!(["whatsapp"]);
    draft["then"]["template"]["name"] = json!("gone");
    let ask = json!({"call": missed_call(&business, CUSTOMER), "automation": draft});
    let run = dry_run(&manager, ask).await;
    assert_eq!(json!([run["sent"], run["code"]]), json!([false, "template"]));
    assert_eq!(run["draft"]["problems"][0]["field"], "then.template.name");
    assert_eq!(run["message"]["channels"][0]["code"], "no_template");

    // An archived one matches nothing, as it would after being saved.
    let archive = format!("{AUTOMATIONS}/{id}/archive");
    manager.post(&archive, json!({})).await.is(200);
    let run = dry_run(&manager, json!({"call": missed_call(&business, CUSTOMER)})).await;
    assert_eq!(json!([rules_of_run(&run), run["code"]]), json!([[], "no_rule"]));
    let ask = json!({"call": missed_call(&business, CUSTOMER), "automation": follow_up(), "automation_id": id});
    let run = dry_run(&manager, ask).await;
    assert_eq!(rules_of_run(&run), [json!(["Follow-up", "rule_archived", false])]);
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
    let run = dry_run(&manager, json!({"call": call, "automation": new("Draft")})).await;
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
    let (business, manager) = with_line(&town, |_| {}).await;
    let id = rule(&business);
    let happened = Box::pin(business.follow_up(&aws, CUSTOMER)).await;
    let call = business.call_of(&aws, &happened).await;
    aws.pass(3600);
    let now = aws.now();
    let (store, scope) = (aws.store(), business.scope());
    let mut contact = store.contact(scope, call.id.contact()).await.unwrap().unwrap();
    contact.wish(OptFlag::Stop, "wrote STOP", now);
    store.write_contact(scope, &contact.into(), None).await.unwrap();

    let run = dry_run(&manager, json!({"call_id": call.id})).await;
    assert_eq!(
        json!([run["decision"], run["facts"]]),
        json!([call.decision, call.because])
    );
    assert_eq!(run["decided_at"], json!(call.decided_at));
    assert_eq!(run["message"]["send_at"], json!(happened.not_before));
    let channels: Vec<Value> = list(&run["message"]["channels"])
        .iter()
        .map(content_of_channel)
        .collect();
    assert_eq!(channels, happened.plan.iter().map(content_of_leg).collect::<Vec<_>>());
    assert_eq!(run["contact"]["id"], json!(call.id.contact()));

    let mut draft = follow_up();
    draft["then"]["consent"] = json!("opt_in_only");
    let ask = json!({"call_id": call.id, "automation": draft, "automation_id": id});
    let run = dry_run(&manager, ask).await;
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
    let (business, manager) = with_line(&town, |_| {}).await;
    let id = rule(&business);
    let happened = Box::pin(business.follow_up(&aws, CUSTOMER)).await;
    let call = business.call_of(&aws, &happened).await;
    let named = |person: &mut Person| {
        (person.profile.name, person.contact.named) = (ShownName::of("Maya"), true);
    };
    change_person(&aws, &business, call.id.contact(), named).await;

    let mut draft = follow_up();
    (draft["then"]["channels"], draft["then"]["sms_text"]) = (json!(["sms"]), json!("Hello {{contact.name}}"));
    let ask = json!({"call_id": call.id, "automation": draft, "automation_id": id});
    let run = dry_run(&manager, ask).await;
    assert_eq!(json!([run["sent"], run["code"]]), json!([false, "template"]));
    assert_eq!(run["contact"]["name"], "Maya");
    let ask = json!({"call": missed_call(&business, CUSTOMER), "automation": draft, "automation_id": id});
    let run = dry_run(&manager, ask).await;
    assert_eq!(run["message"]["channels"][0]["text"], "Hello Maya");
}

/// The pause of the number ended between the call and now.
#[tokio::test]
async fn call_of_the_past_does_not_wait_for_a_pause() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, automations::routes).await;
    let (business, manager) = with_line(&town, paused_for_a_minute).await;
    let happened = Box::pin(business.follow_up(&aws, CUSTOMER)).await;
    let call = business.call_of(&aws, &happened).await;
    for (seconds, code) in [(59, json!("paused")), (1, Value::Null)] {
        aws.pass(seconds);
        let run = dry_run(&manager, json!({"call_id": call.id})).await;
        assert_eq!(run["message"]["channels"][0]["code"], code);
    }
}

/// As `process_call` does, before it decides.
#[tokio::test]
async fn answered_call_makes_no_cooldown_of_what_it_cancels() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, automations::routes).await;
    let (business, manager) = with_line(&town, |configured| {
        let mut thanks = configured.rules[0].clone();
        thanks.id = "rule_00000000000000000000000002".parse().unwrap();
        thanks.name = OneLine::from_stored("Thanks");
        thanks.when.outcomes = vec![Outcome::Answered].into();
        configured.rules.push(thanks);
    })
    .await;
    let waits = Box::pin(business.follow_up(&aws, CUSTOMER)).await;
    aws.pass(60);
    let mut call = missed_call(&business, CUSTOMER);
    let run = dry_run(&manager, json!({ "call": call })).await;
    assert_eq!(run["code"], "cooldown");
    call["outcome"] = json!("answered");
    let before = aws.row_count().await;
    let run = dry_run(&manager, json!({ "call": call })).await;
    assert_eq!(json!([run["sent"], run["code"]]), json!([true, "follow_up"]));
    assert_eq!(aws.row_count().await, before);
    let (store, scope) = (aws.store(), business.scope());
    let found = store.message(scope, waits.id, aws.now()).await.unwrap().unwrap();
    assert_eq!(found.ended, None);
    let contact = store.contact(scope, waits.id.contact()).await.unwrap().unwrap();
    assert_eq!(contact.open.len(), 1);
}

/// Later events would make sentences of the kind "texted just now".
#[tokio::test]
async fn invented_call_of_the_past_knows_nothing_since() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, automations::routes).await;
    let (business, manager) = with_line(&town, |_| {}).await;
    let ago = |hours: i64| aws.now() - SignedDuration::from_hours(hours);
    let busy = |contact: &mut Contact| {
        (contact.last_follow_up_at, contact.last_counted_at) = (Some(ago(20)), Some(ago(20)));
        (contact.last_inbound_at, contact.last_answered_at) = (Some(ago(10)), Some(ago(10)));
    };
    business.contact_with(&aws, CUSTOMER, busy).await;
    for (hours, code) in [(0, "cooldown"), (11, "cooldown"), (48, "follow_up")] {
        let mut call = missed_call(&business, CUSTOMER);
        call["started_at"] = json!(ago(hours));
        let run = dry_run(&manager, json!({ "call": call })).await;
        assert_eq!(run["code"], code, "{hours}: {run}");
    }
}

#[tokio::test]
async fn callers_of_every_kind_can_be_invented() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, automations::routes).await;
    let (business, manager) = with_line(&town, |_| {}).await;
    let decided = async |call: Value| {
        let run = dry_run(&manager, json!({ "call": call })).await;
        (run["code"].as_str().expect("a code").to_owned(), run)
    };
    let (code, run) = decided(json!({"outcome": "missed", "withheld": true})).await;
    assert_eq!(
        json!([code, run["message"], run["customer"]]),
        json!(["withheld", null, null])
    );
    assert_eq!(rules_of_run(&run), [json!(["Missed calls", null, false])]);
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
    let (code, _) = decided(json!({"outcome": "missed", "phone": mobile(5)})).await;
    assert_eq!(code, "opted_out");
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
    let (business, manager) = with_line(&town, |configured| {
        let line = json!({"id": "line_00000000000000000000000002", "name": "Only WhatsApp"});
        configured.lines.push(read(line));
    })
    .await;
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
        manager.post(DRY_RUN, body).await.names_field(field);
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
    let (business, manager) = with_line(&town, |_| {}).await;
    let id = rule(&business);
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
    let back = json!({"then": {"sms_text": saved["then"]["sms_text"]}});
    manager.patch(&place, back).await.is(200);
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
    let (business, manager) = with_line(&town, |configured| {
        let then = &mut configured.rules[0].then;
        then.channels = vec![Channel::Sms].into();
        then.sms_text = Some(SmsText::One("Hello".to_owned()));
    })
    .await;
    let id = rule(&business);
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
    let value = FieldValue::Text(OneLine::from_stored("Gold"));
    let rated = |person: &mut Person| drop(person.profile.fields.insert(field_id, value));
    change_person(&aws, &business, gold, rated).await;
    let happened = Box::pin(business.follow_up(&aws, CUSTOMER)).await;
    assert_eq!(content_of_leg(&happened.plan[0])[2], "Hello Gold");

    for (text, expected) in [
        ("Hello {{contact.field.level}}", [1, 0, 0, 1]),
        ("Hello", [1, 0, 0, 1]),
        ("Dear {{contact.field.level}}", [0, 0, 0, 2]),
        ("Hello {{contact.field.gone}}", [0, 0, 2, 0]),
    ] {
        let mut draft = json!({"name": "Draft", "priority": 10, "when": saved["when"], "then": saved["then"]});
        draft["then"]["sms_text"] = json!(text);
        let ask = json!({"automation": draft, "automation_id": id});
        let told = manager.post(REPLAY, ask).await.is(200).json();
        assert_eq!(counts(&told), expected, "{text}");
    }
}

/// A call that got no message then would get one.
#[tokio::test]
async fn replay_finds_calls_that_no_rule_was_for() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, automations::routes).await;
    let (business, manager) = with_line(&town, |_| {}).await;
    let message = Box::pin(business.follow_up(&aws, CUSTOMER)).await;
    let mut call = business.call_of(&aws, &message).await;
    "no_rule".clone_into(&mut call.reason);
    "no message: no rule matches: missed call".clone_into(&mut call.decision);
    (call.message, call.grounds.rule, call.grounds.rule_version) = (None, None, None);
    // Reported after the decision, which does not know it.
    call.facts.ring_seconds = Some(2);
    let written = aws.store().write_call(business.scope(), &call).await;
    written.expect("the table answers");
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
    let written = aws.store().write_call(business.scope(), &call).await;
    written.expect("the table answers");
    let told = manager.post(REPLAY, json!({"automation": draft})).await.is(200).json();
    assert_eq!(json!([told["more"]["count"], told["unchanged"]]), json!([0, 1]));
}
