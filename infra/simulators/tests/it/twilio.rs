use serde_json::{Value, json};

use crate::support::{
    ACCOUNT, Answer, MAYA, Stage, assert_answer, fixture, fixture_json, send_for_json, shape, without_graph,
};

const SMS: &str = "+15005550006";
const WHATSAPP: &str = "whatsapp:+15005550006";
const TO_WHATSAPP: &str = "whatsapp:+447700900111";
const SERVICE: &str = "MG00000000000000000000000000000001";
const CONTENT: &str = "HX00000000000000000000000000000001";

fn response(name: &str) -> Value {
    fixture_json(&format!("twilio/send/response/{name}.json"))
}

#[track_caller]
fn assert_refused(answer: &Answer, name: &str) {
    let (status, answer) = answer;
    let promised = response(name);
    assert_eq!(
        (u64::from(*status), shape(answer)),
        (promised["status"].as_u64().unwrap_or_default(), shape(&promised)),
        "{name}: {answer}"
    );
    assert_eq!(
        (&answer["code"], &answer["more_info"]),
        (&promised["code"], &promised["more_info"]),
        "{name}"
    );
}

#[tokio::test]
async fn accepted_messages_are_answered_as_in_the_fixtures() {
    let stage = Stage::set().await;
    let sms = [("To", MAYA), ("From", SMS), ("Body", "Sorry we missed your call.")];
    let sms = stage.twilio(&sms).await;
    assert_answer(&sms, 201, "twilio/send/response/201_queued");
    assert_eq!(sms.1["status"], "queued");
    let by_service = [("To", MAYA), ("MessagingServiceSid", SERVICE), ("Body", "Sorry")];
    let by_service = stage.twilio(&by_service).await;
    assert_answer(&by_service, 201, "twilio/send/response/201_accepted_messaging_service");
    assert_eq!(by_service.1["status"], "accepted");
    let whatsapp = [
        ("To", TO_WHATSAPP),
        ("From", WHATSAPP),
        ("ContentSid", CONTENT),
        ("ContentVariables", r#"{"1": "Maya"}"#),
    ];
    let whatsapp = stage.twilio(&whatsapp).await;
    assert_answer(&whatsapp, 201, "twilio/send/response/201_whatsapp_queued");

    stage.wait_until_idle().await;
    let path = format!("Messages/{}.json", by_service.1["sid"].as_str().unwrap());
    let fetched = send_for_json(stage.to_account("GET", &path)).await;
    assert_answer(&fetched, 200, "twilio/send/response/200_fetch_delivered_priced");
    assert_eq!(fetched.1["status"], "delivered");

    let outbox = stage.outbox("").await;
    assert_eq!(outbox[0]["body"], "Sorry we missed your call.");
    assert_eq!(
        outbox[2]["template"],
        json!({"name": CONTENT, "language": "", "parameters": ["Maya"]})
    );
    assert_eq!(
        (&outbox[2]["channel"], &outbox[2]["via"], &outbox[2]["to"]),
        (&json!("whatsapp"), &json!("twilio"), &json!(MAYA))
    );
}

#[tokio::test]
async fn every_request_of_the_fixtures_is_accepted() {
    let stage = Stage::set().await;
    stage.maya_writes("tnt_a", "whatsapp").await;
    // Written to through the Graph API; this opens the window of Twilio's sender.
    let config = json!({"public_base_url": stage.ringback.url, "tenants": [without_graph()]});
    stage.put("/config", config).await;
    stage.maya_writes("tnt_a", "whatsapp").await;
    let bsuid = simulators::phones::bsuid(ACCOUNT, MAYA);
    for name in crate::support::fixture_names("twilio/send/request") {
        let body = fixture(&format!("twilio/send/request/{name}")).replace("GB.7000000000000222", &bsuid);
        // Their callbacks lead to other hosts, but no request may leave this machine.
        let body = body.replace("https%3A%2F%2Fhooks.example.test", &stage.ringback.url);
        let body = body.replace("https%3A%2F%2Fmedia.example.test", &stage.ringback.url);
        let request = stage.to_account("POST", "Messages.json").body(body);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let (status, answer) = send_for_json(request).await;
        assert_eq!(status, 201, "{name}: {answer}");
    }
}

#[tokio::test]
async fn refusals_carry_the_codes_and_bodies_of_the_fixtures() {
    let stage = Stage::set().await;
    let long = "x".repeat(1601);
    let body = ("Body", "hello");
    for (to, from, body, name) in [
        ("+447700XXXX", SMS, body, "21211_invalid_to"),
        (MAYA, "+15005550008", body, "21606_bad_from"),
        (MAYA, SMS, ("Body", long.as_str()), "21617_body_too_long"),
        (TO_WHATSAPP, WHATSAPP, body, "63016_outside_window"),
    ] {
        let form = [("To", to), ("From", from), body];
        assert_refused(&stage.twilio(&form).await, &format!("400_error_{name}"));
    }
    assert_eq!(stage.twilio(&[("To", MAYA), ("From", SMS)]).await.1["code"], 21602);
    let stranger = [("To", TO_WHATSAPP), ("From", "whatsapp:+15005550009"), body];
    assert_eq!(stage.twilio(&stranger).await.1["code"], 63007);
    let bad = [
        ("To", TO_WHATSAPP),
        ("From", WHATSAPP),
        ("ContentSid", CONTENT),
        ("ContentVariables", "[1]"),
    ];
    assert_eq!(stage.twilio(&bad).await.1["code"], 21656);
    assert!(stage.outbox("").await.is_empty());
    let missing = stage.to_account("GET", "Messages/SM1.json");
    assert_refused(&send_for_json(missing).await, "404_error_20404_not_found");
}

/// Where they arrive is what the vendor's library asks.
#[tokio::test]
async fn letters_are_of_their_form() {
    let stage = Stage::set().await;
    for (to, from, code) in [
        (MAYA, "Fixture & Co", Some(21212)),
        (MAYA, "Fixture+Co", None),
        (MAYA, "12345", Some(21212)),
        (MAYA, "Fixture!", Some(21212)),
    ] {
        let form = [("To", to), ("From", from), ("Body", "hello")];
        let (_, answer) = stage.twilio(&form).await;
        match code {
            Some(code) => assert_eq!(answer["code"], code, "{to} {from}"),
            None => assert_eq!(answer["from"], from, "{to}"),
        }
    }
}

#[tokio::test]
async fn credentials_open_their_own_account_only() {
    let stage = Stage::set().await;
    let form = [("To", MAYA), ("From", SMS), ("Body", "hello")];
    let url = |account: &str| stage.url(&format!("/2010-04-01/Accounts/{account}/Messages.json"));
    let (a, b) = (ACCOUNT, "AC000000000000000000000000000000b2");
    for (account, user, password) in [
        (a, "SKa", "wrong"),
        (a, "SKb", "secret-b"),
        (b, "SKa", "secret-a"),
        ("AC0", "SKa", "secret-a"),
    ] {
        let request = stage.http.post(url(account)).basic_auth(user, Some(password));
        let request = request.form(&form);
        assert_refused(&send_for_json(request).await, "401_error_20003_bad_credentials");
    }
    let request = stage.http.post(url(b)).basic_auth("SKb", Some("secret-b")).form(&form);
    assert_refused(&send_for_json(request).await, "400_error_21606_bad_from");
    let request = stage.http.post(url(a)).form(&form);
    let request = request.basic_auth(a, Some("fixture0twilio0auth0token0000001"));
    assert_eq!(
        send_for_json(request).await.0,
        201,
        "the account's own auth token is good too"
    );
    let list = stage.http.get(url(b)).basic_auth("SKb", Some("secret-b"));
    let list = send_for_json(list).await.1;
    assert_eq!(list["messages"], json!([]), "and nobody lists another's messages");
}

/// The signature covers the query.
#[tokio::test]
async fn status_callbacks_match_the_fixtures_and_are_signed() {
    let stage = Stage::set().await;
    let callback = stage.callback("con.msg.1&x=a%20b");
    let (signed, _) = callback.split_once('#').unwrap();
    let sms = [
        ("To", MAYA),
        ("From", SMS),
        ("Body", "hello"),
        ("StatusCallback", &callback),
    ];
    let (_, answer) = stage.twilio(&sms).await;
    stage.wait_until_idle().await;
    let whatsapp = [
        ("To", TO_WHATSAPP),
        ("From", WHATSAPP),
        ("MessagingServiceSid", SERVICE),
        ("ContentSid", CONTENT),
        ("StatusCallback", &callback),
    ];
    stage.twilio(&whatsapp).await;
    stage.wait_until_idle().await;
    let received = stage.ringback.received_requests();
    let promised = [
        "sms/status_sent",
        "sms/status_delivered",
        "whatsapp/status_sent",
        "whatsapp/status_delivered",
        "whatsapp/status_read",
    ];
    assert_eq!(received.len(), promised.len());
    for (webhook, name) in received.iter().zip(promised) {
        webhook.assert_fields(name);
        let path = "/webhooks/twilio/tnt_a/con_ta/message-status?key=con.msg.1&x=a%20b";
        assert_eq!(webhook.path, path);
        webhook.assert_signed_by_twilio(signed);
    }
    assert_eq!(received[0].field("MessageSid").as_deref(), answer["sid"].as_str());
    assert_eq!(received[4].field("MessageStatus").as_deref(), Some("read"));
    let keys: Vec<_> = stage.outbox("").await.iter().map(|sent| sent["key"].clone()).collect();
    assert_eq!(keys, ["con.msg.1", "con.msg.1"]);
}

#[tokio::test]
async fn a_customers_messages_look_like_the_fixtures() {
    let stage = Stage::set().await;
    let tenants = json!([without_graph(), crate::support::tenant_b()]);
    let config = json!({"public_base_url": stage.ringback.url, "tenants": tenants});
    stage.put("/config", config).await;
    let writes = async |tenant: &str, channel: &str, text: &str| {
        let reply = json!({"tenant": tenant, "channel": channel, "text": text});
        stage.reply(reply).await;
    };
    writes("tnt_a", "sms", "Yes please call me after 5").await;
    writes("tnt_a", "sms", "STOP").await;
    writes("tnt_a", "sms", "START").await;
    writes("tnt_b", "sms", "Stop").await;
    writes("tnt_a", "whatsapp", "شكرا 👍").await;
    stage.profile(json!({"hide_phone": true})).await;
    writes("tnt_a", "whatsapp", "hello").await;
    let promised = [
        "sms/inbound_text",
        "sms/inbound_stop_with_optouttype",
        "sms/inbound_start",
        "sms/inbound_stop_without_optouttype",
        "whatsapp/inbound_text",
        "whatsapp/inbound_bsuid_only",
    ];
    let received = stage.ringback.received_requests();
    assert_eq!(received.len(), promised.len());
    for (webhook, name) in received.iter().zip(promised) {
        webhook.assert_fields(name);
    }
    assert_eq!(received[4].field("Body").as_deref(), Some("شكرا 👍"));
}

#[tokio::test]
async fn a_message_in_the_queue_has_no_date() {
    let stage =
        Stage::with(json!({"status_delay_ms": {"sent": 3_600_000, "delivered": 3_600_000, "read": 3_600_000}})).await;
    stage.twilio(&[("To", MAYA), ("From", SMS), ("Body", "hello")]).await;
    let list = stage.to_account("GET", "Messages.json").query(&[("To", MAYA)]);
    let listed = send_for_json(list).await.1["messages"].clone();
    assert_eq!(listed.as_array().map(Vec::len), Some(1));
    assert_eq!(listed[0]["date_sent"], Value::Null);
}

#[tokio::test]
async fn segments_are_counted_as_billed() {
    let stage = Stage::set().await;
    let cases = [
        ("x".repeat(160), "1"),
        ("x".repeat(161), "2"),
        ("ش".repeat(70), "1"),
        ("ش".repeat(71), "2"),
        ("€".repeat(81), "2"),
    ];
    for (body, segments) in cases {
        let (_, answer) = stage.twilio(&[("To", MAYA), ("From", SMS), ("Body", &body)]).await;
        assert_eq!(answer["num_segments"], segments, "{body}");
    }
}
