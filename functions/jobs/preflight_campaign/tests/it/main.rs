//! Pre-flights of campaigns, in process against the emulator.

use std::collections::BTreeSet;

use domain::campaigns::{Campaign, PreflightCampaign, PreflightResult};
use domain::money::{Cap, Period, Scope};
use domain::people::{Field, FieldValue, Profile, Segment, Stage, Staged, Tag};
use domain::tenants::Account;
use domain::terms::{CampaignState, ContactId, OperationKind, OperationState};
use preflight_campaign::{Context, handle};
use serde_json::{Value, from_value, json, to_value};
use store::Versioned;
use testkit::operations::result_of;

struct World {
    segment: Segment,
    world: testkit::World<Context>,
}

testkit::extends_world!(World.world: Context);

impl World {
    /// With a segment of everybody, and pages of three contacts, each a step of its own.
    async fn new() -> Self {
        let world = testkit::World::at("https://api.example.com", Context::new).await;
        Self::of(world).await
    }

    async fn of(mut world: testkit::World<Context>) -> Self {
        world.ctx = world.ctx.in_pages_of(3, 400);
        let segment = world.create_owned(json!({"name": "Everybody", "filter": {}})).await;
        Self { segment, world }
    }

    async fn campaign(&self, change: Value) -> Campaign {
        let mut fields = json!({
            "type": "broadcast", "name": "Offer", "audience": {"segment": self.segment.id},
            "message": {"channels": ["sms"], "category": "marketing", "sms_text": format!("{} {{{{preferences.link}}}}", "20% off.".repeat(16))},
        });
        for (name, value) in change.as_object().expect("an object") {
            fields[name] = value.clone();
        }
        self.create_owned(fields).await
    }

    /// Makes a pre-flight. Each step is made twice, the first time by a worker that dies before it records it.
    async fn preflight(&self, change: Value) -> (PreflightResult, Vec<Vec<String>>) {
        let params = PreflightCampaign::of(&self.campaign(change).await);
        let start = self.operations.create(OperationKind::PreflightCampaign, &params).await;
        self.operations.all_steps_twice(&start, &self.ctx, &handle).await;
        let result = result_of(&self.operations.get(&start).await);
        let (key, bytes) = self.result_file(&start).await;
        assert!(key.ends_with("/preflight.csv"), "{key}");
        let text = String::from_utf8(bytes).expect("a text");
        let rows = text.lines().map(|line| line.split(',').map(str::to_owned).collect());
        (result, rows.collect())
    }
}

#[tokio::test]
async fn everybody_who_is_chosen_is_in_one_line() {
    let world = World::new().await;
    let mut fans = Vec::new();
    for number in 0..5 {
        fans.push(world.fan(&format!("+97150100000{number}")).await.id.to_string());
    }
    let landline = world.fan("+97142345678").await.id.to_string();
    let stranger = world.business.contact(&world.aws, "+971501999999").await.id.to_string();
    let excluded = world.fan("+971501888888").await.id;
    let staff: Tag = world.create_owned(json!({"name": "Staff"})).await;
    let tagged = |profile: &mut Profile| {
        profile.tags.insert(staff.id);
    };
    world.change_profile(excluded, tagged).await;

    let audience = json!({"segment": world.segment.id, "excluded_tags": [staff.id]});
    let (result, rows) = world.preflight(json!({ "audience": audience })).await;
    let shown = to_value(&result).unwrap();
    assert_eq!(
        (shown["messages"].clone(), shown["channels"].clone()),
        (json!(5), json!({"sms": 5}))
    );
    assert_eq!(
        shown["held_back"],
        json!({"no_consent": result.chosen - 6, "no_channel": 1})
    );
    assert_eq!(shown["channel_problems"], json!({"sms": {"landline": 1}}));
    assert_eq!(shown["country_rules"], json!([]), "the account is exempt");
    assert_eq!(shown["outdated_prices"], json!([]));
    assert_eq!(rows.len() as u64, result.chosen + 1);
    let line = |id: &str| {
        let mut lines = rows.iter().filter(|row| row[0] == *id);
        let line = lines.next().cloned();
        assert!(lines.next().is_none(), "{id} is in two lines");
        line
    };
    for fan in &fans {
        let row = line(fan).unwrap();
        assert_eq!((row[1].as_str(), row[6].as_str()), ("message", "sms"), "{row:?}");
    }
    let row = line(&stranger).unwrap();
    assert_eq!((row[1].as_str(), row[2].as_str()), ("held_back", "no_consent"));
    assert_eq!(line(&landline).unwrap()[5], "landline");
    assert_eq!(line(&excluded.to_string()), None);
    let samples: Vec<String> = result.samples.iter().map(ToString::to_string).collect();
    assert!(samples.len() == 5 && samples.iter().all(|id| fans.contains(id)));
    // With the link, which each has, the text has two segments.
    let cost = &shown["costs"][0];
    assert_eq!(
        (&cost["country"], &cost["channel"], &cost["units"]),
        (&json!("AE"), &json!("sms"), &json!(10))
    );
}

/// Each rule of each country is a line with its number of contacts.
#[tokio::test]
async fn rules_of_countries_are_told_before() {
    let world = World::new().await;
    for number in [
        "+971501000001",
        "+919876543210",
        "+919876543211",
        "+905321234567",
        "+447700900123",
    ] {
        world.fan(number).await;
    }
    let (result, _) = world.preflight(json!({})).await;
    assert_eq!(
        (result.messages, result.held_back.contains_key("country_rule")),
        (5, false)
    );
    let lines = result.with_sentences().country_rules;
    let told = lines
        .iter()
        .map(|line| (line.country.as_str(), line.rule.as_str(), line.refused, line.contacts));
    let told: BTreeSet<_> = told.collect();
    let expected = [
        ("IN", "registration", true, 2),
        ("TR", "senders", false, 1),
        ("TR", "promotion", true, 1),
        ("TR", "links", false, 1),
    ];
    assert_eq!((lines[0].contacts, told), (2, expected.into()));
    assert!(lines.iter().all(|line| line.detail.contains(line.country.as_str())));
}

/// Only lists of what is paid for.
#[tokio::test]
async fn outdated_prices_are_told() {
    let world = World::new().await;
    world.aws.pass(100 * 24 * 60 * 60);
    world.fan("+971501000001").await;
    let (result, _) = world.preflight(json!({})).await;
    let expected = json!([{"service": "twilio_sms", "checked_on": "2026-11-20"}]);
    assert_eq!(to_value(&result.outdated_prices).unwrap(), expected);
}

/// Nobody can reply to letters, also where no rule of the country says so.
#[tokio::test]
async fn text_that_asks_letters_for_a_reply_is_told_before() {
    let world = testkit::World::with(Context::new, |configured| {
        for connection in &mut configured.connections {
            if let Account::Twilio(twilio) = &mut connection.account {
                twilio.letters = from_value(json!([{"country": "GB", "sender": "SAFFRON UK"}])).unwrap();
            }
        }
    });
    let world = World::of(world.await).await;
    world.fan("+447700900123").await;
    let message = json!({"channels": ["sms"], "category": "marketing", "sms_text": "20% off. Reply STOP for no more."});
    let (result, _) = world.preflight(json!({ "message": message })).await;
    let lines = result.with_sentences().country_rules;
    let told: Vec<_> = lines
        .iter()
        .map(|line| (line.country.as_str(), line.rule.as_str(), line.refused, line.contacts))
        .collect();
    assert_eq!(told, [("GB", "replies", false, 1)]);
    assert!(
        lines[0].detail.contains("letters send SMS to GB"),
        "{}",
        lines[0].detail
    );
}

/// Only one contact of a person gets the message: the first that may.
#[tokio::test]
async fn contacts_of_one_person_are_told_before() {
    let world = World::new().await;
    let (store, scope) = (world.aws.store(), world.business.scope());
    let mut all: Vec<ContactId> = Vec::new();
    for number in ["+97142345678", "+971501000001", "+971501000002"] {
        all.push(world.fan(number).await.id);
    }
    for id in &all {
        let mut contact = store.contact(scope, *id).await.unwrap().unwrap();
        contact.is_also(all.iter().copied().filter(|other| other != id));
        store.write_contact(scope, &contact.into(), None).await.unwrap();
    }
    let (result, rows) = world.preflight(json!({})).await;
    let shown = to_value(&result).unwrap();
    assert_eq!((result.messages, &shown["held_back"]["same_person"]), (1, &json!(1)));
    let of = |id: ContactId| {
        let row = rows.iter().find(|row| row[0] == id.to_string()).unwrap();
        (row[1].clone(), row[2].clone())
    };
    assert_eq!(
        of(all[0]),
        ("held_back".to_owned(), "no_channel".to_owned()),
        "a landline"
    );
    let (first, second) = (all[1].min(all[2]), all[1].max(all[2]));
    assert_eq!(of(first).0, "message");
    assert_eq!(of(second).1, "same_person");
}

#[tokio::test]
async fn caps_windows_and_pace_are_told_before() {
    let world = World::new().await;
    for number in 0..5 {
        world.fan(&format!("+97150100000{number}")).await;
    }
    let cap = Cap {
        number: 1,
        period: Period::Day,
        scope: Scope::Tenant,
        purpose: None,
        currency: None,
        maximum: 3,
    };
    world.change_tenant(|tenant| tenant.caps = Some(vec![cap].into())).await;
    let (result, _) = world.preflight(json!({"per_minute": 2})).await;
    let caps = to_value(&result.caps).unwrap();
    let expected = json!([{"cap": "day.tenant.any", "maximum": 3, "counted": 0, "needed": 5}]);
    assert_eq!(caps, expected);
    // A minute's worth at once, and then one each half minute.
    let last = result.last_at.unwrap().duration_since(world.aws.now());
    assert_eq!((result.deferred, last.as_secs()), (0, 90));
    // Twenty workers send one every ten milliseconds.
    let (result, _) = world.preflight(json!({})).await;
    let last = result.last_at.unwrap().duration_since(world.aws.now());
    assert_eq!(last.as_millis(), 40);

    let soon = world.aws.now() + jiff::SignedDuration::from_hours(1);
    let starts_at = soon.to_string();
    let at = soon.in_tz("Asia/Dubai").unwrap();
    let hour = |hours: i64| {
        (&at + jiff::SignedDuration::from_hours(hours))
            .strftime("%H:00")
            .to_string()
    };
    let window = json!({"from": hour(2), "to": hour(4)});
    let (result, _) = world
        .preflight(json!({"starts_at": starts_at, "send_window": window}))
        .await;
    assert_eq!(result.deferred, 5);
    let last = result.last_at.unwrap();
    let latest = soon + jiff::SignedDuration::from_hours(2) + jiff::SignedDuration::from_millis(40);
    assert!(soon + jiff::SignedDuration::from_hours(1) < last && last <= latest);
}

/// WhatsApp allows two new customers a day; campaigns take one of these places.
#[tokio::test]
async fn days_for_which_places_are_awaited_are_told_before() {
    let world = World::new().await;
    for number in 0..5 {
        world.fan(&format!("+97150100000{number}")).await;
    }
    let connection = world.business.may_message_first(&world.aws, 2).await;
    let message = json!({
        "channels": ["whatsapp"], "category": "utility",
        "template": {"name": "missed_call_followup", "language": "en_GB", "variables": {
            "1": {"text": "you"}, "2": {"from": "tenant.name"},
        }},
    });
    let (result, _) = world.preflight(json!({ "message": message })).await;
    let last = result.last_at.unwrap().duration_since(world.aws.now());
    assert_eq!(last.as_hours(), 4 * 25);
    let shares = to_value(&result.daily_shares).unwrap();
    let expected = json!([{"connection_id": connection.id, "customers": 5, "customers_per_day": 2}]);
    assert_eq!(shares, expected);
}

/// Each kind of segment has its own list.
#[tokio::test]
async fn a_tag_or_a_segment_of_any_kind_is_an_audience() {
    let world = World::new().await;
    let regular: Tag = world.create_owned(json!({"name": "Regular"})).await;
    let open: Stage = world.create_owned(json!({"name": "Open", "position": 1})).await;
    let visits = json!({"key": "visits", "name": "Visits", "type": "number", "searchable": true});
    let visits: Field = world.create_owned(visits).await;
    let fan = world.fan("+971501000001").await.id;
    let since = world.aws.now();
    let change = |profile: &mut Profile| {
        profile.tags.insert(regular.id);
        profile.stage = Some(Staged { stage: open.id, since });
        let seven = FieldValue::Number("7".parse().unwrap());
        profile.fields.insert(visits.id, seven);
        profile.listed.insert(visits.id);
    };
    world.change_profile(fan, change).await;
    for filter in [
        json!({"tag": regular.id}),
        json!({"stage": open.id}),
        json!({"field": "visits", "from": 7}),
    ] {
        let name = format!("By {}", filter.as_object().unwrap().keys().next().unwrap());
        let some: Segment = world.create_owned(json!({"name": name, "filter": filter})).await;
        let (result, _) = world.preflight(json!({"audience": {"segment": some.id}})).await;
        assert_eq!((result.chosen, result.messages), (1, 1), "{filter}");
    }
    world.fan("+971501000002").await;
    let (result, _) = world.preflight(json!({"audience": {"tag": regular.id}})).await;
    assert_eq!((result.chosen, result.messages), (1, 1), "a tag itself");
}

#[tokio::test]
async fn what_cannot_be_examined_fails_with_a_sentence() {
    let world = World::new().await;
    world.fan("+971501000001").await;
    let lost = json!({"segment": "seg_01hq5c1ynyc0000000000000ab"});
    let lost = world.campaign(json!({ "audience": lost })).await;
    let fails = async |campaign: &Campaign, because: &str| {
        let params = PreflightCampaign::of(campaign);
        let start = world.operations.create(OperationKind::PreflightCampaign, &params).await;
        world.operations.run(&start, 60, &world.ctx, &handle).await;
        let operation = world.operations.get(&start).await;
        assert_eq!(operation.state, OperationState::Failed);
        let reason = operation.reason.unwrap();
        assert!(reason.contains(because), "{reason}");
    };
    fails(&lost, "was deleted").await;
    let whole = world.campaign(json!({})).await;
    let other = Campaign {
        name: from_value(json!("Another")).unwrap(),
        ..whole.clone()
    };
    fails(&other, "was changed").await;
    let store = world.aws.store();
    let (scope, now) = (world.scope(), world.aws.now());
    let found: Versioned<Campaign> = store.get(scope, &whole.id).await.unwrap().unwrap();
    let scheduled = found.value.with_state(CampaignState::Scheduled, None, now).unwrap();
    let version = store.move_campaign(scope, found.version, &scheduled).await;
    let running = scheduled.with_state(CampaignState::Running, None, now).unwrap();
    let moved = store.move_campaign(scope, version.unwrap(), &running);
    moved.await.unwrap();
    fails(&whole, "has begun").await;
}

#[tokio::test]
async fn what_keeps_it_from_everybody_is_told() {
    let world = World::new().await;
    world.fan("+971501000001").await;
    let message = json!({
        "channels": ["whatsapp"], "category": "marketing", "template": {"name": "lost", "language": "en"},
    });
    let (result, _) = world.preflight(json!({ "message": message })).await;
    assert_eq!((result.messages, result.stopped.is_some()), (0, true));
    assert_eq!(result.held_back.values().sum::<u64>(), result.chosen);
}
