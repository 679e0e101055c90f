//! Twilio's voice webhooks, in process against the emulator's table and queues.

use std::time::Duration;

use domain::telephony::{CallFacts, DialStatus, Handling};
use domain::tenants::twilio::{self, SharedKey};
use domain::tenants::{Account, BusinessHours, SecretPurpose, VerifySecrets};
use jobs::CallJob;
use kit::QueueName;
use providers::twilio::signature::sign;
use serde_json::{Value, json};
use testkit::gateway::DOMAIN;
use testkit::seed::{TWILIO_NUMBER, TWILIO_TOKEN};
use testkit::webhook::{Webhook, World, larger_than_a_call};
use testkit::{Answer, Call, Lossy, fixtures};
use twilio_voice_webhook::routes;

const BASE: &str = "https://hooks.example.test";
const SIGNATURE: &str = "x-twilio-signature";

async fn world() -> World {
    let twilio = Webhook::new("twilio", routes).with_variables(&[("PUBLIC_BASE_URL", BASE)]);
    twilio.with_seeded(|tenant| tenant.twilio).await
}

fn path(world: &World, what: &str) -> String {
    format!("{}/{what}", world.path())
}

/// A callback as Twilio sends it, signed for `base`.
fn signed_for(base: &str, path: &str, form: &[u8]) -> Call {
    Call::form(path, form).header(SIGNATURE, &sign(TWILIO_TOKEN, &format!("{base}{path}"), form))
}

fn signed_request(world: &World, what: &str, fixture: &str) -> Call {
    let form = fixtures::bytes(&format!("twilio/voice/{fixture}.txt"));
    signed_for(BASE, &path(world, what), &form)
}

fn event(job: Value) -> domain::telephony::CallEvent {
    match serde_json::from_value(job).expect("it is a job of this queue") {
        CallJob::Reported { event, .. } => event,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn assert_twiml(answer: &Answer, part: &str) {
    assert_eq!(answer.is(200).header("content-type"), "text/xml");
    assert!(answer.text().contains(part), "{}", answer.text());
}

const EMPTY: &str = "<Response></Response>";

#[tokio::test]
async fn a_ringing_call_is_forwarded_and_queued() {
    let world = world().await;
    let call = signed_request(&world, "voice", "inbound_ringing").header("x-correlation-id", "abc-1");
    let answer = world.call(&call).await;
    assert_twiml(
        &answer,
        r#"<Say language="en-GB">Thank you for calling.</Say><Dial timeout="20" action=""#,
    );
    // Twilio retries requests to this URL, too.
    let dial_result = format!("\"{BASE}{}#rc=3&amp;rp=all\"", path(&world, "dial-result"));
    assert!(answer.text().contains(&dial_result), "{}", answer.text());
    assert_eq!(answer.header("x-correlation-id"), "abc-1");
    let jobs = world.aws.drain_with_groups(QueueName::Calls).await;
    let [(group, job)] = &jobs[..] else { panic!("{jobs:?}") };
    assert_eq!(*group, world.tenant.tenant().to_string());
    assert_eq!(
        (&job["type"], &job["correlation_id"]),
        (&json!("reported"), &json!("abc-1"))
    );
    let event = event(job.clone());
    assert_eq!(
        (event.facts.handling, event.facts.closed),
        (Some(Handling::Forward), Some(false))
    );
    assert_eq!(
        (event.connection, event.received_at),
        (world.connection, world.aws.now())
    );
}

#[tokio::test]
async fn every_callback_is_queued_and_answered() {
    let world = world().await;
    for (what, fixture, said) in [
        ("dial-result", "dial_action_no_answer", "<Record "),
        ("dial-result", "dial_action_completed", EMPTY),
        ("status", "status_completed_long", EMPTY),
        ("recording", "recording_status_voicemail", EMPTY),
    ] {
        let answer = world.call(&signed_request(&world, what, fixture)).await;
        assert_twiml(&answer, said);
        let event = world.only_report(fixture).await;
        let dialled = match fixture {
            "dial_action_no_answer" => Some(DialStatus::NoAnswer),
            "dial_action_completed" => Some(DialStatus::Answered),
            _ => None,
        };
        assert_eq!(event.facts.dial, dialled);
    }
}

/// A number that customers call is noted, but neither one that the business calls from nor one of another account.
#[tokio::test]
async fn call_to_an_unknown_number_is_ignored_but_noted() {
    let world = world().await;
    let form = |rest: &str| {
        let form = format!("CallSid=CAunknown&CallStatus=ringing&{rest}");
        signed_for(BASE, &path(&world, "voice"), form.as_bytes())
    };
    let called = "Direction=inbound&From=%2B971501234567&To=%2B15005550099";
    for other in [
        "Direction=outbound-api&From=%2B15005550099&To=%2B971501234567".to_owned(),
        format!("AccountSid=AC0&{called}"),
    ] {
        let call = form(&other);
        assert_twiml(&world.call(&call).await, EMPTY);
        world.assert_ignored(&call).await;
    }
    let call = form(called);
    world.assert_ignored_but_noted(&call, "+15005550099").await;
    assert_twiml(&world.call(&call).await, EMPTY);
}

/// Also where it rings: a flow may name our address for what the agent hears.
#[tokio::test]
async fn a_leg_is_reported_for_its_call_and_answered_with_nothing() {
    let world = world().await;
    for what in ["voice", "status"] {
        let form = "CallSid=CAleg&ParentCallSid=CAcall&Direction=outbound-dial&CallStatus=no-answer\
                    &From=%2B971501234567&To=%2B971504445566";
        let answer = world
            .call(&signed_for(BASE, &path(&world, what), form.as_bytes()))
            .await;
        assert_twiml(&answer, EMPTY);
        let event = world.only_report(what).await;
        assert_eq!(event.provider_call_id, "CAcall");
        let expected = CallFacts {
            tried: Some(DialStatus::NoAnswer),
            ..CallFacts::default()
        };
        assert_eq!(event.facts, expected);
    }
}

#[tokio::test]
async fn call_records_that_the_business_is_closed() {
    let mut world = world().await;
    world.tenant.configured.tenant.business_hours = Some(BusinessHours::default());
    world.tenant.write(&world.aws).await;
    world.call(&signed_request(&world, "voice", "inbound_ringing")).await;
    assert_eq!(world.only_report("a call").await.facts.closed, Some(true));
}

/// The business is closed, the line that was called is open.
#[tokio::test]
async fn hours_of_the_called_line_count() {
    let mut world = world().await;
    let always = json!([{"from": "00:00", "to": "00:00"}]);
    let days = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    let hours: serde_json::Map<String, Value> = days.map(|day| (day.to_owned(), always.clone())).into_iter().collect();
    let line = json!({
        "id": "line_00000000000000000000000001", "name": "Always", "number": TWILIO_NUMBER, "business_hours": hours,
    });
    world.tenant.configured.tenant.business_hours = Some(BusinessHours::default());
    world.tenant.configured.lines = vec![serde_json::from_value(line).expect("it is a line")];
    world.tenant.write(&world.aws).await;
    world.call(&signed_request(&world, "voice", "inbound_ringing")).await;
    assert_eq!(world.only_report("a call").await.facts.closed, Some(false));
}

#[tokio::test]
async fn without_a_configured_base_the_apis_own_domain_is_signed() {
    let world = world().await;
    let function = world.function_with(&[("PUBLIC_BASE_URL", "")]);
    let form = fixtures::bytes("twilio/voice/inbound_ringing.txt");
    let own = format!("https://{DOMAIN}");
    let answer = function.call(&signed_for(&own, &path(&world, "voice"), &form)).await;
    assert_twiml(&answer, &format!("{own}{}", path(&world, "dial-result")));
}

#[tokio::test]
async fn the_query_is_signed_as_it_came() {
    let world = world().await;
    let form = fixtures::bytes("twilio/voice/status_busy.txt");
    let call = signed_for(
        BASE,
        &format!("{}?note=it's+a%20test&x=%C3%A9", path(&world, "status")),
        &form,
    );
    assert_twiml(&world.call(&call).await, EMPTY);
    world.only_report("status_busy").await;
}

/// Twilio neither sends nor signs the fragment of its addresses, but a proxy may pass it on.
#[tokio::test]
async fn connection_override_is_not_signed() {
    let world = world().await;
    let form = fixtures::bytes("twilio/voice/status_busy.txt");
    let status = path(&world, "status");
    for query in ["", "?note=1"] {
        let url = format!("{BASE}{status}{query}");
        let call = Call::form(&format!("{status}{query}#rc=3&rp=all"), &form);
        assert_twiml(
            &world
                .call(&call.header(SIGNATURE, &sign(TWILIO_TOKEN, &url, &form)))
                .await,
            EMPTY,
        );
        world.only_report("status_busy").await;
    }
}

/// Every unauthenticated request gets the same answer and leaves no trace.
#[tokio::test]
async fn unauthenticated_webhook_is_refused_without_a_trace() {
    let mut world = world().await;
    let (tenant, stranger) = (world.tenant.tenant().to_string(), world.stranger().await);
    let good = path(&world, "voice");
    let form = fixtures::bytes("twilio/voice/inbound_ringing.txt");
    let unknown_connection = good.replace(&world.connection.to_string(), &stranger.twilio.to_string());
    let unknown_tenant = good.replace(&tenant, &stranger.tenant().to_string());
    let not_ids = "/webhooks/twilio/acme/main/voice".to_owned();
    let upper = good.replace(&tenant, &tenant.to_uppercase());
    let with = |signature: &str| Call::form(&good, &form).header(SIGNATURE, signature);
    let signature = |token: &str, path: &str| sign(token, &format!("{BASE}{path}"), &form);
    let mut calls = vec![
        ("no signature", Call::form(&good, &form)),
        ("empty signature", with("")),
        ("not base64", with("!!!")),
        ("another token", with(&signature("other", &good))),
        (
            "changed body",
            signed_for(BASE, &good, &form).body_base64([&form[..], b"&Extra=1"].concat()),
        ),
        (
            "another path's",
            with(&signature(TWILIO_TOKEN, &path(&world, "status"))),
        ),
        ("another host", signed_for("https://evil.example.test", &good, &form)),
        (
            "unknown algorithm",
            signed_for(BASE, &good, &form).header("x-twilio-webhooks-signature-settings", "key=a,algorithm=HMAC_MD5"),
        ),
    ];
    for path in [unknown_connection, unknown_tenant, not_ids, upper] {
        let call = signed_for(BASE, &path, &form);
        calls.push(("unknown, whatever it is signed with", call));
    }
    // If the sender cannot be verified, a ringing call is answered and other callbacks are retried.
    let busy = fixtures::bytes("twilio/voice/status_busy.txt");
    let at = |connection: &str| signed_for(BASE, &format!("{connection}/status"), &busy);
    world.assert_refused(&calls, at).await;
}

#[tokio::test]
async fn a_rotated_token_is_noticed_within_thirty_seconds() {
    let mut world = world().await;
    let old = signed_request(&world, "voice", "inbound_ringing");
    assert_eq!(world.status(&old).await, 200);
    let fresh = VerifySecrets::Twilio(twilio::Verify {
        auth_tokens: vec!["fixture0twilio0auth0token0000002".to_owned()],
        shared_keys: vec![SharedKey {
            id: "k".to_owned(),
            secret: "s".to_owned(),
        }],
    });
    let (tenant, twilio) = (world.tenant.tenant(), world.connection);
    let sealed = world
        .aws
        .secrets()
        .seal(tenant, twilio, SecretPurpose::Verify, &fresh)
        .await;
    world.tenant.connection_mut(twilio).verify = sealed.expect("sealed");
    world.tenant.write(&world.aws).await;
    let form = fixtures::bytes("twilio/voice/inbound_ringing.txt");
    let voice = path(&world, "voice");
    let signature = sign("fixture0twilio0auth0token0000002", &format!("{BASE}{voice}"), &form);
    let new = Call::form(&voice, &form).header(SIGNATURE, &signature);
    assert_eq!(
        world.status(&new).await,
        401,
        "remembered secrets are not re-read at once"
    );
    world.aws.pass(30);
    assert_eq!(world.status(&new).await, 200);
    assert_eq!(world.status(&old).await, 401, "the old token is gone");
}

#[tokio::test]
async fn an_unknown_connection_is_remembered_for_a_minute() {
    let mut world = world().await;
    let removed = world.tenant.configured.connections.remove(0);
    world.tenant.write(&world.aws).await;
    let call = signed_request(&world, "voice", "inbound_ringing");
    assert_eq!(world.status(&call).await, 401);
    world.tenant.configured.connections.push(removed);
    world.tenant.write(&world.aws).await;
    world.aws.pass(59);
    assert_eq!(world.status(&call).await, 401);
    world.aws.pass(1);
    assert_eq!(world.status(&call).await, 200);
}

/// Whoever corrects where calls ring tries it at once.
#[tokio::test]
async fn changed_connection_answers_the_next_call() {
    let mut world = world().await;
    let aws = Lossy::before(&world.aws);
    let function = world.function_with(&[("AWS_ENDPOINT_URL", aws.url())]);
    let [ringing, missed] = [("voice", "inbound_ringing"), ("dial-result", "dial_action_no_answer")]
        .map(|(what, fixture)| signed_request(&world, what, fixture));
    assert_twiml(&function.call(&ringing).await, "<Dial ");
    assert_twiml(&function.call(&missed).await, "<Record ");
    // Unchanged secrets are not opened again.
    aws.deny("Decrypt");
    let id = world.connection;
    let Account::Twilio(twilio) = &mut world.tenant.connection_mut(id).account else {
        unreachable!("the connection is Twilio's");
    };
    twilio.voice.handling = Handling::Voicemail;
    twilio.voice.voicemail_after_missed = false;
    world.tenant.write(&world.aws).await;
    let answer = function.call(&ringing).await;
    assert_twiml(&answer, "<Record ");
    assert!(!answer.text().contains("<Dial "), "{}", answer.text());
    assert!(!function.call(&missed).await.text().contains("<Record "));
    // A deleted connection answers no more.
    world
        .tenant
        .configured
        .connections
        .retain(|connection| connection.id != id);
    world.tenant.write(&world.aws).await;
    assert_eq!(function.call(&ringing).await.status(), 401);
}

#[tokio::test]
async fn cached_connection_answers_without_the_table() {
    let world = world().await;
    let call = signed_request(&world, "voice", "inbound_ringing");
    world.assert_a_warm_call_reads_nothing(&call).await;
}

#[tokio::test]
async fn a_call_is_answered_even_if_it_can_be_stored_nowhere() {
    let world = world().await;
    let function = world.storing_nowhere();
    assert_twiml(
        &function.call(&signed_request(&world, "voice", "inbound_ringing")).await,
        "<Dial ",
    );
    let delivered_again = [
        ("dial-result", "dial_action_no_answer"),
        ("status", "status_busy"),
        ("recording", "recording_status_voicemail"),
    ]
    .map(|(what, fixture)| signed_request(&world, what, fixture));
    world.assert_asked_for_again(&delivered_again).await;
}

/// Nothing refuses and nothing responds: each step is given up in time for the next.
#[tokio::test]
async fn ringing_call_is_answered_within_5_s_whatever_hangs() {
    let world = world().await;
    let aws = Lossy::before(&world.aws);
    aws.hang();
    let nowhere = [("AWS_ENDPOINT_URL", aws.url())];
    let ringing = signed_request(&world, "voice", "inbound_ringing");
    let busy = signed_request(&world, "status", "status_busy");
    let function = world.function_with(&nowhere);
    tokio::time::pause();
    assert_twiml(&in_5_s(function.call(&ringing)).await, "<Say>");
    in_5_s(function.call(&busy)).await.is(503);
}

/// Runs the work on a clock that advances only while everything waits.
async fn in_5_s<T>(work: impl Future<Output = T>) -> T {
    let began = tokio::time::Instant::now();
    let done = work.await;
    let took = began.elapsed();
    // Timers go off within a millisecond.
    assert!(took <= Duration::from_millis(5_010), "{took:?}");
    done
}

/// Once the connection is known, its own answer is used, also while business hours, queue and bucket hang.
#[tokio::test]
async fn known_connection_uses_its_own_answer_while_all_hangs() {
    let world = world().await;
    let aws = Lossy::before(&world.aws);
    let function = world.function_with(&[("AWS_ENDPOINT_URL", aws.url())]);
    // Cached after a callback that needs no business hours.
    assert_twiml(
        &function.call(&signed_request(&world, "status", "status_busy")).await,
        EMPTY,
    );
    aws.hang();
    tokio::time::pause();
    for (what, fixture, said) in [
        ("voice", "inbound_ringing", Some("<Dial ")),
        ("dial-result", "dial_action_no_answer", None),
        ("status", "status_busy", None),
        ("recording", "recording_status_voicemail", None),
    ] {
        let answer = in_5_s(function.call(&signed_request(&world, what, fixture))).await;
        match said {
            Some(said) => assert_twiml(&answer, said),
            None => assert_eq!(answer.status(), 503, "{what} is asked for again"),
        }
    }
    // An unreadable body cannot be stored either; the caller still gets an answer.
    let nameless = b"CallStatus=ringing&From=%2B447700900111";
    for (what, status) in [("voice", 200), ("status", 503)] {
        let call = signed_for(BASE, &path(&world, what), nameless);
        assert_eq!(in_5_s(function.call(&call)).await.status(), status, "{what}");
    }
}

/// The queue hangs but the bucket does not: half of the time remains for it.
#[tokio::test]
async fn jobs_of_a_hanging_queue_are_spilled_in_time() {
    let world = world().await;
    let aws = Lossy::before(&world.aws);
    let function = world.function_with(&[("AWS_ENDPOINT_URL", aws.url())]);
    aws.hang_on("SendMessageBatch");
    let ringing = signed_request(&world, "voice", "inbound_ringing");
    tokio::time::pause();
    // The clock stands still while work is done.
    let clock = async {
        while !aws.has_kept_waiting() {
            tokio::task::yield_now().await;
        }
        tokio::time::advance(Duration::from_secs(3)).await;
        loop {
            tokio::task::yield_now().await;
        }
    };
    let answer = tokio::select! {
        answer = in_5_s(function.call(&ringing)) => answer,
        () = clock => unreachable!("it never ends"),
    };
    assert_twiml(&answer, "<Dial ");
    tokio::time::resume();
    assert_eq!(world.aws.objects("spill/calls/").await.len(), 1);
}

#[tokio::test]
async fn refused_job_is_spilled() {
    let world = world().await;
    let nowhere = "http://127.0.0.1:9/000000000000/none";
    let function = world.function_with(&[("CALLS_QUEUE_URL", nowhere)]);
    assert_twiml(
        &function.call(&signed_request(&world, "status", "status_busy")).await,
        EMPTY,
    );
    let spilled = world.aws.objects("spill/calls/").await;
    let job: Value = serde_json::from_slice(spilled.values().next().expect("one is spilled")).expect("JSON");
    assert_eq!(job["group"], world.tenant.tenant().to_string());
    let body: Value = serde_json::from_str(job["body"].as_str().expect("text")).expect("JSON");
    assert_eq!(body["type"], "reported");
}

#[tokio::test]
async fn caller_gets_an_answer_without_the_table() {
    let world = world().await;
    let function = world.function_with(&[("TABLE_NAME", "no-such-table")]);
    assert_twiml(
        &function.call(&signed_request(&world, "voice", "inbound_ringing")).await,
        "<Say>",
    );
    function
        .call(&signed_request(&world, "status", "status_busy"))
        .await
        .is(503);
}

#[tokio::test]
async fn signed_callback_without_a_call_is_stored() {
    let world = world().await;
    let form = b"CallStatus=busy&From=%2B447700900111";
    let call = signed_for(BASE, &path(&world, "status"), form);
    assert_twiml(&world.call(&call).await, EMPTY);
    assert_eq!(world.unreadable_bodies().await, [form.to_vec()]);
    world.assert_nothing_is_queued().await;
}

#[tokio::test]
async fn size_method_and_type_are_checked() {
    let world = world().await;
    let voice = path(&world, "voice");
    let large = signed_for(BASE, &voice, &larger_than_a_call());
    let (get, json) = (Call::get(&voice), Call::json(&voice, "{}"));
    world.assert_size_method_and_type_are_checked(&large, &get, &json).await;
    for (path, status) in [
        ("/webhooks/twilio/a/b/other", 404),
        ("/webhooks/twilio/a b/c", 404),
        // A header without any meaning.
        ("/webhooks/twilio/a b/\"/voice", 401),
    ] {
        assert_eq!(world.status(&Call::form(path, "")).await, status);
    }
}
