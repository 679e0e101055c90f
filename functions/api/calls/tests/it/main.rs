//! Calls, in process against the emulator, from the readers' point of view.

use domain::accounts::{Permission, Role};
use domain::calls::Call;
use domain::messages::{Ended, SendOutcome};
use domain::people::Profile;
use domain::telephony::{CallProvider, Direction, Outcome, Recording, RecordingState};
use domain::tenants::Retention;
use domain::terms::{CallId, ContactId, LineId, Reason, Refusal, RuleId, ShownName};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use store::contacts::{ContactWrite, ProfileWrite};
use testkit::api::Town;
use testkit::business::{CUSTOMER, business, business_with, business_with_line, mobile};
use testkit::{Aws, Seeded, assert_snapshot, texts};

const CALLS: &str = "/api/v1/calls";

const DAY: i64 = 24 * 3600;

async fn town(aws: &Aws) -> Town<'_> {
    Town::new(aws, calls::routes).await
}

#[tokio::test]
async fn a_call_is_listed_and_shown_with_all_it_refers_to() {
    let aws = Aws::new().await;
    let (town, (business, line)) = (town(&aws).await, business_with_line(&aws).await);
    let viewer = town.key_of(business.scope(), Role::Viewer).await;
    let rang = |call: &mut Call| {
        call.facts.started_at = Some(call.decided_at - SignedDuration::from_secs(20));
        call.facts.ring_seconds = Some(20);
        "cor".clone_into(&mut call.correlation_id);
    };
    let (call, mut message) = business.store_missed_call(&aws, CUSTOMER, rang).await;
    name(&aws, &business, call.id.contact(), "Maya Haddad").await;
    message.block(Refusal::new(Reason::Suspended, "not sent: the account is suspended"));
    aws.store().write_message(business.scope(), &message).await.unwrap();

    let listed = viewer.get(CALLS).await;
    let found = listed.items();
    assert_eq!(found.len(), 1, "{}", listed.text());
    let entry = &found[0];
    let expected = json!({
        "at": "2026-11-20T11:59:40Z",
        "contact": {"id": call.id.contact(), "name": "Maya Haddad"},
        "line": {"id": line, "name": "Marina branch"},
        "customer": {"number": CUSTOMER, "formatted": "+971 50 123 4567"},
        "code": "follow_up",
        "message": {
            "id": message.id, "state": "blocked", "channel": "whatsapp", "code": "suspended", "facts": {},
            "decision": "not sent: the account is suspended",
        },
    });
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(entry[field], *value, "{field}");
    }
    assert_eq!(entry["facts"]["rule"], "Missed calls");
    let shown = viewer.get(&format!("{CALLS}/{}", call.id)).await;
    let details = shown.is(200).json();
    for (field, value) in entry.as_object().unwrap() {
        assert_eq!(details[field], *value, "{field}");
    }
    assert_eq!(details["grounds"]["line_id"], json!(line));
    assert_eq!(details["grounds"]["new_caller"], true);
    assert_eq!(details["reported"]["ring_seconds"], 20);
    assert_eq!(details["reported"]["from"]["phone"], entry["customer"]);
    assert_snapshot("call", &[&listed, &shown]);
}

/// Shows which recordings can be fetched, but neither where they are nor their names in the telephone system.
#[tokio::test]
async fn recordings_are_shown_without_their_telephone_system() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let viewer = town.key_of(business.scope(), Role::Viewer).await;
    let recording = |last: u32, state: RecordingState| Recording {
        reference: format!("RE{last:032}").parse().unwrap(),
        state,
        seconds: Some(14 * last),
        voicemail: last == 1,
    };
    let all = [
        recording(1, RecordingState::Completed),
        recording(2, RecordingState::InProgress),
        recording(3, RecordingState::Absent),
    ];
    for (last, provider) in [(1, CallProvider::Twilio), (2, CallProvider::Aircall)] {
        let reported = |call: &mut Call| {
            call.provider = provider;
            call.facts.recordings = all.iter().cloned().collect();
        };
        let (call, _) = business.store_missed_call(&aws, &mobile(last), reported).await;
        let available = provider == CallProvider::Twilio;
        let shown = |place: usize, state: &str| {
            json!({
                "id": all[place].id(call.id), "state": state, "duration_seconds": 14 * (place + 1), "voicemail": place == 0,
                "available": available && state == "completed",
            })
        };
        let expected = json!([shown(0, "completed"), shown(1, "in_progress"), shown(2, "absent")]);
        let listed = viewer.get(CALLS).await;
        assert_eq!(listed.items()[0]["recordings"], expected);
        let details = viewer.get(&format!("{CALLS}/{}", call.id)).await;
        assert_eq!(details.is(200).json()["recordings"], expected);
        for answer in [listed, details] {
            assert!(!answer.text().contains("RE0000"), "{}", answer.text());
        }
        aws.pass(1);
    }
}

/// Names a contact, as a call or message with a name does.
async fn name(aws: &Aws, business: &Seeded, contact: ContactId, name: &str) {
    let (store, scope) = (aws.store(), business.scope());
    let known = store
        .known_person(scope, contact)
        .await
        .expect("the table answers")
        .expect("the contact");
    let mut contact = known.contact;
    contact.named = true;
    let after = Profile {
        name: ShownName::of(name),
        ..known.profile.clone()
    };
    let write = ContactWrite {
        profile: Some(ProfileWrite {
            before: known.profile,
            after,
        }),
        ..ContactWrite::from(contact)
    };
    store
        .write_contact(scope, &write, None)
        .await
        .expect("the name is written");
}

#[tokio::test]
async fn calls_need_a_permission_and_are_the_tenants_own() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let (call, _) = business.store_missed_call(&aws, CUSTOMER, |_| {}).await;
    let place = format!("{CALLS}/{}", call.id);
    for role in Role::ALL {
        let caller = town.key_of(business.scope(), role).await;
        assert_eq!(caller.get(CALLS).await.items().len(), 1, "{role}");
        caller.get(&place).await.is(200);
    }
    let (_, other) = town.new_key(Role::Admin, &[Permission::ContactsRead]).await;
    let (_, own) = town.new_key(Role::Viewer, &[Permission::CallsRead]).await;
    for path in [CALLS, &place] {
        town.anyone().get(path).await.is_refused(401, "unauthorized");
        town.api_key(&other).get(path).await.is_refused(403, "forbidden");
    }
    // Of another tenant, a call looks like one that does not exist.
    for caller in [town.admin(), town.api_key(&own)] {
        assert!(caller.get(CALLS).await.items().is_empty());
        let theirs = caller.get(&place).await.is_refused(404, "not_found").detail();
        let nobodys = CallId::new(call.id.contact(), aws.ids().ulid());
        let missing = caller.get(&format!("{CALLS}/{nobodys}")).await;
        assert_eq!(missing.is_refused(404, "not_found").detail(), theirs);
    }
    town.admin().get(&format!("{CALLS}/call_1")).await.is(404);
}

/// Four calls on each of four days, some of them in one millisecond.
#[tokio::test]
async fn pages_have_every_call_once_across_days() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let mut expected = Vec::new();
    for day in 0..4 {
        for own in 0..4 {
            let (call, _) = business.store_missed_call(&aws, &mobile(day * 4 + own), |_| {}).await;
            expected.push((call.happened_at(), call.id.own(), call.id.to_string()));
            aws.pass(i64::try_from(own % 2).unwrap());
        }
        aws.pass(DAY);
    }
    expected.sort_unstable();
    let expected: Vec<String> = expected.into_iter().rev().map(|(_, _, id)| id).collect();
    for limit in [1, 2, 3, 4, 5, 15, 16, 17, 100] {
        // A caller may ask a hundred times a minute.
        let viewer = town.key_of(business.scope(), Role::Viewer).await;
        assert_eq!(texts(&viewer.all(CALLS, limit).await, "id"), expected, "by {limit}");
    }
}

#[tokio::test]
async fn a_period_has_whole_days_of_the_tenants_time_zone() {
    let aws = Aws::new().await;
    let business = business_with(&aws, |configured| {
        configured.tenant.time_zone = "Asia/Dubai".parse().unwrap();
    });
    let (town, business) = (town(&aws).await, Box::pin(business).await);
    let viewer = town.key_of(business.scope(), Role::Viewer).await;
    let times = [
        "2026-11-18T19:59:59.999Z",
        "2026-11-18T20:00:00Z",
        "2026-11-19T19:59:59.999Z",
        "2026-11-19T20:00:00Z",
    ];
    for (last, at) in times.into_iter().enumerate() {
        let at: Timestamp = at.parse().unwrap();
        let then = |call: &mut Call| call.facts.started_at = Some(at);
        business.store_missed_call(&aws, &mobile(last), then).await;
    }
    for (query, expected) in [
        ("?from=2026-11-19&to=2026-11-19", &times[1..3]),
        ("?from=2026-11-18&to=2026-11-18", &times[..1]),
        ("?from=2026-11-20", &times[3..]),
        ("?to=2026-11-19", &times[..3]),
        ("?from=2026-10-21&to=2026-11-20", &times[..]),
        ("?from=2026-11-21&to=2026-11-30", &[][..]),
        ("", &times[..]),
    ] {
        let mut expected: Vec<_> = expected.to_vec();
        expected.reverse();
        let found = viewer.all(&format!("{CALLS}{query}"), 100).await;
        assert_eq!(texts(&found, "at"), expected, "{query}");
    }
}

#[tokio::test]
async fn calls_are_found_by_each_condition_and_by_all() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let viewer = town.key_of(business.scope(), Role::Viewer).await;
    let (line, rule) = (LineId::new(aws.ids().ulid()), RuleId::new(aws.ids().ulid()));
    let mut ids = Vec::new();
    for last in 0..8 {
        let (call, _) = business
            .store_missed_call(&aws, &mobile(last), |call| {
                if last % 2 == 1 {
                    call.outcome = Outcome::Answered;
                }
                if last % 4 == 3 {
                    call.facts.direction = Some(Direction::Outbound);
                    "outbound".clone_into(&mut call.reason);
                    call.message = None;
                }
                if last > 3 {
                    call.grounds.line = Some(line);
                    call.grounds.rule = Some(rule);
                }
            })
            .await;
        ids.push(call.id.to_string());
        aws.pass(1);
    }
    for (query, expected) in [
        ("?outcome=missed".to_owned(), vec![6, 4, 2, 0]),
        ("?outcome=answered".to_owned(), vec![7, 5, 3, 1]),
        ("?outcome=unknown".to_owned(), vec![]),
        ("?direction=outbound".to_owned(), vec![7, 3]),
        ("?outcome=answered&direction=inbound".to_owned(), vec![5, 1]),
        ("?code=outbound".to_owned(), vec![7, 3]),
        ("?unanswered=true".to_owned(), vec![6, 4, 2, 0]),
        ("?unanswered=false".to_owned(), vec![7, 5, 3, 1]),
        ("?code=follow_up&outcome=answered".to_owned(), vec![5, 1]),
        (format!("?line={line}"), vec![7, 6, 5, 4]),
        (format!("?rule={rule}&outcome=missed"), vec![6, 4]),
        (
            format!("?rule={rule}&line={line}&outcome=answered&direction=outbound&code=outbound"),
            vec![7],
        ),
        (format!("?line={}", LineId::new(aws.ids().ulid())), vec![]),
    ] {
        let expected: Vec<&String> = expected.into_iter().map(|place: usize| &ids[place]).collect();
        for limit in [1, 3, 100] {
            let found = texts(&viewer.all(&format!("{CALLS}{query}"), limit).await, "id");
            assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{query} by {limit}");
        }
        aws.pass(60);
    }
}

/// Of messages that were sent again, the last one says it. The others are as the table of `Message::is_stopped` has them.
#[tokio::test]
async fn calls_are_found_by_what_became_of_their_message() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let viewer = town.key_of(business.scope(), Role::Viewer).await;
    let timers = aws.env().config().timers().unwrap();
    let capped = || Refusal::new(Reason::CapReached, "not sent: a cap is reached");
    let (mut ids, mut accepted) = (Vec::new(), None);
    for last in 0..6 {
        let (call, mut message) = business.store_missed_call(&aws, &mobile(last), |_| {}).await;
        ids.push(call.id.to_string());
        match last {
            // It waits.
            0 => {}
            1 => {
                message.claim(0, "claim".to_owned(), aws.now(), &timers);
                let taken = SendOutcome::Accepted {
                    provider_ref: "wamid.1".parse().unwrap(),
                    segments: None,
                };
                message.record(1, taken, aws.now(), &timers);
                accepted = Some(message.id);
            }
            2 => message.block(capped()),
            3 => message.block(Refusal::new(Reason::OptedOut, "not sent: opted out")),
            4 => {
                message.block(capped());
                message.retried_as = accepted;
            }
            _ => message.ended = Some(Ended::Failed("no channel is left".to_owned())),
        }
        aws.store().write_message(business.scope(), &message).await.unwrap();
        aws.pass(1);
    }
    for (query, expected) in [
        ("?followed_up=true", vec![4, 1]),
        ("?followed_up=false", vec![5, 3, 2, 0]),
        ("?stopped=true", vec![5, 2]),
        ("?stopped=false&followed_up=false", vec![3, 0]),
        ("?stopped=true&outcome=answered", vec![]),
    ] {
        let expected: Vec<&String> = expected.into_iter().map(|place: usize| &ids[place]).collect();
        for limit in [1, 2, 100] {
            let found = texts(&viewer.all(&format!("{CALLS}{query}"), limit).await, "id");
            assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{query} by {limit}");
        }
        aws.pass(60);
    }
    let again = viewer.get(&format!("{CALLS}/{}", ids[4])).await.is(200).json();
    assert_eq!(again["message"]["state"], "accepted");
    let stopped = viewer.get(&format!("{CALLS}/{}", ids[2])).await.is(200).json();
    assert_eq!(stopped["message"]["code"], "cap_reached");
}

#[tokio::test]
async fn calls_of_a_merged_contact_name_the_survivor() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let viewer = town.key_of(business.scope(), Role::Viewer).await;
    let (other, message) = business.store_missed_call(&aws, &mobile(1), |_| {}).await;
    aws.pass(1);
    let (survivor, _) = business.store_missed_call(&aws, &mobile(2), |_| {}).await;
    name(&aws, &business, survivor.id.contact(), "Maya").await;
    let into = survivor.id.contact();
    business.merge(&aws, into, other.id.contact()).await;
    let maya = json!({"id": into, "name": "Maya"});
    let found = viewer.get(CALLS).await.items();
    assert_eq!(texts(&found, "id"), [survivor.id.to_string(), other.id.to_string()]);
    for item in &found {
        assert_eq!(item["contact"], maya);
    }
    assert_eq!(found[1]["message"]["id"], json!(message.id));
    let shown = viewer.get(&format!("{CALLS}/{}", other.id)).await.is(200).json();
    assert_eq!(shown["contact"], maya);
}

/// Deleted contacts are hidden with everything of theirs, until they are restored.
#[tokio::test]
async fn calls_of_a_deleted_contact_are_hidden() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let viewer = town.key_of(business.scope(), Role::Viewer).await;
    let (hidden, _) = business.store_missed_call(&aws, &mobile(1), |_| {}).await;
    aws.pass(1);
    let (other, _) = business.store_missed_call(&aws, &mobile(2), |_| {}).await;
    let place = format!("{CALLS}/{}", hidden.id);
    for (deleted, status) in [(true, 404), (false, 200)] {
        aws.delete_contact(business.scope(), hidden.id.contact(), deleted).await;
        viewer.get(&place).await.is(status);
        let found = texts(&viewer.all(CALLS, 1).await, "id");
        assert_eq!(found.len(), if deleted { 1 } else { 2 });
        assert_eq!(found[0], other.id.to_string());
    }
}

#[tokio::test]
async fn expired_calls_are_left_out_and_hide_no_others() {
    let aws = Aws::new().await;
    let retention = Retention {
        calls_days: 30,
        messages_days: 30,
    };
    let business = business_with(&aws, |configured| configured.tenant.retention = Some(retention));
    let (town, business) = (town(&aws).await, Box::pin(business).await);
    let viewer = town.key_of(business.scope(), Role::Viewer).await;
    let (gone, _) = business.store_missed_call(&aws, &mobile(1), |_| {}).await;
    aws.pass(DAY);
    let (kept, _) = business.store_missed_call(&aws, &mobile(2), |_| {}).await;
    aws.pass(29 * DAY + 1);
    let found = viewer.all(&format!("{CALLS}?from=2026-11-20"), 1).await;
    assert_eq!(texts(&found, "id"), [kept.id.to_string()]);
    viewer.get(&format!("{CALLS}/{}", gone.id)).await.is(404);
    viewer.get(&format!("{CALLS}/{}", kept.id)).await.is(200);
}

#[tokio::test]
async fn invalid_query_of_calls_names_the_parameter() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let viewer = town.viewer();
    for (query, field) in [
        ("from=yesterday", "from"),
        ("to=2026-11-20T00:00:00Z", "to"),
        ("from=2026-11-21", "from"),
        ("from=2026-10-01&to=2026-11-20", "from"),
        ("from=2026-11-20&to=2026-11-19", "from"),
        ("from=9999-12-31&to=9999-12-31", "to"),
        ("outcome=ringing", "outcome"),
        ("outcome=", "outcome"),
        ("direction=up", "direction"),
        ("line=conn_1", "line"),
        ("rule=1", "rule"),
        ("code=because", "code"),
        ("who=me", "who"),
        ("limit=101", "limit"),
    ] {
        viewer.get(&format!("{CALLS}?{query}")).await.names_only(&[field]);
    }
    // The last one is a user's id.
    for cursor in ["", "nonsense", "MXVzcl8wMWhxNWMxeW55YzAwMDAwMDAwMDAwMDBhYg"] {
        viewer.get(&format!("{CALLS}?cursor={cursor}")).await.is(400);
    }
    let long_ago = format!("{CALLS}?from=0000-01-01&to=0000-01-31");
    assert!(viewer.get(&long_ago).await.items().is_empty());
}
