use serde_json::{Value, json};
use simulators::signatures;

use crate::support::{
    Answer, MAYA, Stage, assert_shape, fixture_json, fixture_names, send_for_json, shape, template, text,
};

/// The status and body a fixture of `whatsapp/send/response` promises.
fn promised_answer(name: &str) -> Answer {
    let status = name[..3].parse().expect("a status in the file's name");
    (status, fixture_json(&format!("whatsapp/send/response/{name}.json")))
}

#[track_caller]
fn assert_like(answer: &Answer, name: &str) {
    let (status, answer) = answer;
    let (promised_status, promised) = promised_answer(name);
    assert_eq!(*status, promised_status, "{name}: {answer}");
    assert_eq!(shape(answer), shape(&promised), "{name}: {answer}");
    assert_eq!(answer["error"]["code"], promised["error"]["code"], "{name}");
    assert_eq!(answer["error"]["message"], promised["error"]["message"], "{name}");
}

fn with(mut message: Value, pointer: &str, value: Value) -> Value {
    *message
        .pointer_mut(pointer)
        .unwrap_or_else(|| panic!("{pointer} of the message")) = value;
    message
}

fn request(name: &str) -> Value {
    fixture_json(&format!("whatsapp/send/request/{name}.json"))
}

#[tokio::test]
async fn accepted_messages_are_answered_as_in_the_fixtures() {
    let stage = Stage::set().await;
    assert_like(
        &stage.send_whatsapp(&request("template_no_params")).await,
        "200_template_accepted",
    );
    stage.maya_writes("tnt_a", "whatsapp").await;
    assert_like(&stage.send_whatsapp(&request("text")).await, "200_text");

    let spaced = with(request("text"), "/to", json!("+44 7700 900111"));
    let answer = stage.send_whatsapp(&spaced).await;
    assert_like(&answer, "200_input_normalised_wa_id_differs");
    assert_eq!(
        answer.1["contacts"],
        promised_answer("200_input_normalised_wa_id_differs").1["contacts"]
    );

    let bsuid = simulators::phones::bsuid("900000000000001", MAYA);
    let to_bsuid = with(request("text_to_bsuid"), "/recipient", json!(bsuid));
    assert_like(&stage.send_whatsapp(&to_bsuid).await, "200_to_bsuid");
    assert_eq!(
        stage.outbox("").await.last().unwrap()["to"],
        MAYA,
        "the person behind a BSUID is found"
    );

    let inbound = stage.ringback.at("/webhooks/whatsapp")[0].json();
    let id = &inbound["entry"][0]["changes"][0]["value"]["messages"][0]["id"];
    for name in ["mark_read", "mark_read_with_typing"] {
        let read = with(request(name), "/message_id", id.clone());
        assert_like(&stage.send_whatsapp(&read).await, "200_mark_read");
    }
}

#[tokio::test]
async fn every_kind_of_message_in_the_fixtures_is_accepted() {
    let stage = Stage::set().await;
    stage.maya_writes("tnt_a", "whatsapp").await;
    let quote = stage.upload_file("application/pdf", b"quote").await;
    let voice = stage.upload_file("audio/ogg; codecs=opus", b"voice").await;

    for name in fixture_names("whatsapp/send/request") {
        let name = name.trim_end_matches(".json");
        if name.starts_with("mark_read") {
            continue;
        }
        let body = crate::support::fixture(&format!("whatsapp/send/request/{name}.json"))
            .replace("700000000000900", &quote)
            .replace("700000000000901", &voice)
            .replace(
                "GB.7000000000000222",
                &simulators::phones::bsuid("900000000000001", MAYA),
            );
        let (status, answer) = stage.send_whatsapp(&serde_json::from_str(&body).unwrap()).await;
        assert_eq!(status, 200, "{name}: {answer}");
    }
}

#[tokio::test]
async fn refusals_carry_the_codes_and_bodies_of_the_fixtures() {
    let stage = Stage::set().await;
    let named = |name: &str| with(request("template_no_params"), "/template/name", json!(name));
    let named_gb = |name: &str| with(named(name), "/template/language/code", json!("en_GB"));
    let full = || request("template_body_and_buttons");
    let one_parameter = json!([{"type": "text", "text": "Maya"}]);
    let long = json!("x".repeat(1100));

    // Free text before the customer wrote.
    assert_like(&stage.send_whatsapp(&text(MAYA)).await, "400_error_131047_reengagement");
    assert!(
        stage.outbox("").await.is_empty(),
        "what is refused is not in the outbox"
    );
    stage.maya_writes("tnt_a", "whatsapp").await;

    let buttons = "/interactive/action/buttons/0/reply/title";
    let long_title = with(request("interactive_buttons"), buttons, json!("twenty-one characters"));
    let no_url_parameter = {
        let mut message = full();
        message["template"]["components"].as_array_mut().unwrap().pop();
        message
    };
    let wrong_header = with(
        request("template_image_header_link"),
        "/template/components/0/parameters/0/type",
        json!("unknown"),
    );
    let code_to_bsuid = json!({
        "messaging_product": "whatsapp", "recipient": "GB.1", "type": "template",
        "template": {"name": "code", "language": {"code": "en_GB"}},
    });
    for (pointer, value, name) in [
        ("/to", json!("07700 900111"), "400_error_100_invalid_parameter"),
        ("/text", json!({}), "400_error_131008_missing_parameter"),
        ("/type", json!("hologram"), "400_error_131051_unsupported_type"),
    ] {
        let message = with(text(MAYA), pointer, value);
        assert_like(&stage.send_whatsapp(&message).await, name);
    }
    let first = "/template/components/0/parameters";
    let too_few = with(full(), first, one_parameter);
    let too_long = with(full(), &format!("{first}/0/text"), long);
    let in_arabic = with(full(), "/template/language/code", json!("ar"));
    let cases = [
        (long_title, "400_error_131009_bad_parameter_value"),
        (code_to_bsuid, "400_error_131062_bsuid_not_supported"),
        (too_few, "400_error_132000_param_count"),
        (too_long, "400_error_132005_text_too_long"),
        (wrong_header, "400_error_132012_param_format"),
        (named_gb("paused"), "400_error_132015_template_paused"),
        (named_gb("disabled"), "400_error_132016_template_disabled"),
        (named_gb("pending"), "404_error_132001_template_missing"),
        (named("nonsense"), "404_error_132001_template_missing"),
        (in_arabic, "404_error_132001_template_missing"),
        (no_url_parameter, "400_error_131008_missing_parameter"),
    ];
    for (message, name) in cases {
        assert_like(&stage.send_whatsapp(&message).await, name);
    }
    assert_eq!(
        stage.send_whatsapp(&full()).await.0,
        200,
        "and the whole one is accepted"
    );
    let details = stage.send_whatsapp(&named_gb("nonsense")).await.1["error"]["error_data"]["details"].clone();
    assert_eq!(details, "template name (nonsense) does not exist in en_GB");

    let line_break = with(full(), "/template/components/0/parameters/0/text", json!("two\nlines"));
    assert_eq!(stage.send_whatsapp(&line_break).await.1["error"]["code"], 132018);
    let to_itself = template("+442079460001", "k");
    assert_eq!(stage.send_whatsapp(&to_itself).await.1["error"]["code"], 131021);
}

#[tokio::test]
async fn a_token_sends_from_its_own_number_only() {
    let stage = Stage::set().await;
    let message = template(MAYA, "k");
    assert_like(
        &stage.graph("stolen", "910000000000001", &message).await,
        "401_error_190_token_expired",
    );
    for number in ["910000000000001", "999"] {
        let (status, answer) = stage.graph("token-b", number, &message).await;
        assert_eq!((status, &answer["error"]["code"]), (404, &json!(100)), "{answer}");
    }
    assert!(stage.outbox("").await.is_empty());

    // The window belongs to the business that the customer wrote to.
    stage.maya_writes("tnt_a", "whatsapp").await;
    assert_eq!(stage.send_whatsapp(&text(MAYA)).await.0, 200);
    assert_eq!(
        stage.graph("token-b", "910000000000002", &text(MAYA)).await.1["error"]["code"],
        131047
    );
    assert!(stage.outbox("?tenant=tnt_b").await.is_empty());
    assert_eq!(stage.outbox("?tenant=tnt_a").await.len(), 1);
}

#[tokio::test]
async fn the_window_is_open_for_24_hours_after_the_customer_wrote() {
    let stage = Stage::set().await;
    stage.call("missed", json!({"via": "telephony"})).await;
    let (status, _) = stage.send_whatsapp(&text(MAYA)).await;
    assert_eq!(status, 400, "a phone call opens no window");
    stage.maya_writes("tnt_a", "sms").await;
    assert_eq!(stage.send_whatsapp(&text(MAYA)).await.0, 400, "nor does an SMS");
    stage.maya_writes("tnt_a", "whatsapp").await;
    stage.put("/clock", json!({"offset_seconds": 24 * 3600 - 60})).await;
    assert_eq!(stage.send_whatsapp(&text(MAYA)).await.0, 200);
    stage.put("/clock", json!({"offset_seconds": 24 * 3600 + 1})).await;
    assert_eq!(stage.send_whatsapp(&text(MAYA)).await.1["error"]["code"], 131047);
    let (status, _) = stage.send_whatsapp(&template(MAYA, "k")).await;
    assert_eq!(status, 200, "a template needs no window");
}

/// The signature covers the bytes of the body.
#[tokio::test]
async fn statuses_match_the_fixtures_and_are_signed() {
    let stage = Stage::set().await;
    stage.profile(json!({"name": "Maya Fixture مايا"})).await;
    let key = "con.msg.1";
    let (_, answer) = stage.send_whatsapp(&template(MAYA, key)).await;
    stage.wait_until_idle().await;
    let webhooks = stage.ringback.at("/webhooks/whatsapp/tnt_a/con_wa");
    assert_eq!(stage.ringback.statuses(), ["sent", "delivered", "read"]);
    for (webhook, name) in webhooks
        .iter()
        .zip(["sent_utility", "delivered_utility", "read_utility_no_pricing"])
    {
        let promised = fixture_json(&format!("whatsapp/status/{name}.json"));
        assert_eq!(shape(&webhook.json()), shape(&promised), "{name}");
        let value = webhook.json()["entry"][0]["changes"][0]["value"].clone();
        let status = &value["statuses"][0];
        assert_eq!(status["id"], answer["messages"][0]["id"]);
        assert_eq!(status["biz_opaque_callback_data"], key);
        assert_eq!(status["recipient_id"], "447700900111");
        assert_eq!(
            status.get("pricing"),
            promised.pointer("/entry/0/changes/0/value/statuses/0/pricing"),
            "{name}"
        );
        assert_eq!(webhook.json()["entry"][0]["id"], "900000000000001");
        assert_eq!(value["metadata"]["phone_number_id"], "910000000000001");
        assert!(webhook.body.is_ascii(), "Meta escapes what is not ASCII");
        webhook.assert_signed_by_meta();
    }
    let sent = &stage.outbox("").await[0];
    assert_eq!(
        (&sent["channel"], &sent["via"], &sent["key"]),
        (&json!("whatsapp"), &json!("graph"), &json!(key))
    );
    assert_eq!((&sent["from"], &sent["to"]), (&json!("+442079460001"), &json!(MAYA)));
    assert_eq!(
        sent["template"],
        json!({"name": "hello_world", "language": "en_US", "parameters": []})
    );
}

#[tokio::test]
async fn free_text_is_priced_as_service() {
    let stage = Stage::set().await;
    stage.maya_writes("tnt_a", "whatsapp").await;
    stage.send_whatsapp(&text(MAYA)).await;
    stage.wait_until_idle().await;
    let webhooks = stage.ringback.at("/webhooks/whatsapp");
    let delivered = webhooks
        .iter()
        .map(|webhook| webhook.json()["entry"][0]["changes"][0]["value"].clone());
    let delivered: Vec<_> = delivered
        .filter(|value| value["statuses"][0]["status"] == "delivered")
        .collect();
    let promised = fixture_json("whatsapp/status/delivered_service_billable_after_2026_10.json");
    let promised = &promised["entry"][0]["changes"][0]["value"];
    assert_eq!(shape(&delivered[0]), shape(promised));
    assert_eq!(
        delivered[0]["statuses"][0]["pricing"],
        promised["statuses"][0]["pricing"]
    );
}

#[tokio::test]
async fn a_customers_messages_look_like_the_fixtures() {
    let stage = Stage::set().await;
    stage.profile(json!({"name": "Maya Fixture"})).await;
    stage.maya_writes("tnt_a", "whatsapp").await;
    stage.send_whatsapp(&request("template_body_and_buttons")).await;
    stage.send_whatsapp(&request("interactive_list")).await;
    stage.send_whatsapp(&request("interactive_buttons")).await;
    stage.wait_until_idle().await;
    let seen = stage.ringback.received_requests().len();
    for button in ["callback:call-0001", "Haircut", "act:stop"] {
        stage.reply(json!({"button": button})).await;
    }
    for hide_phone in [false, true] {
        let profile = json!({"name": "Tom", "username": "tom.fixture", "hide_phone": hide_phone});
        stage.profile(profile).await;
        stage.maya_writes("tnt_a", "whatsapp").await;
    }
    let stop = json!({"tenant": "tnt_b", "from": "+97155500333", "text": "إيقاف"});
    stage.reply(stop).await;

    let received = stage.ringback.received_requests();
    let first = received[0].json();
    assert_eq!(shape(&first), shape(&fixture_json("whatsapp/inbound/text.json")));
    let promised = [
        "button_template_quick_reply",
        "interactive_list_reply",
        "interactive_button_reply",
        "bsuid_with_phone_and_username",
        "bsuid_only_no_phone",
        "text_stop_arabic",
    ];
    for (webhook, name) in received[seen..].iter().zip(promised) {
        let promised = fixture_json(&format!("whatsapp/inbound/{name}.json"));
        assert_eq!(shape(&webhook.json()), shape(&promised), "{name}");
    }
    let message = &received[seen].json()["entry"][0]["changes"][0]["value"]["messages"][0];
    assert_eq!(
        message["button"],
        json!({"payload": "callback:call-0001", "text": "Call me back"})
    );
    let arabic = received.last().unwrap();
    assert_eq!(arabic.path, "/webhooks/whatsapp/tnt_b/con_wb");
    assert_eq!(
        arabic.json()["entry"][0]["changes"][0]["value"]["messages"][0]["text"]["body"],
        "إيقاف"
    );
    assert_eq!(
        arabic.header("x-hub-signature-256"),
        signatures::meta("secret-of-b", &arabic.body)
    );
}

/// A message with a marketing template.
fn offer(to: &str) -> Value {
    json!({
        "messaging_product": "whatsapp", "to": to, "type": "template",
        "template": {"name": "offer", "language": {"code": "en_GB"},
            "components": [{"type": "body", "parameters": [{"type": "text", "text": "Maya"}]}]},
    })
}

#[tokio::test]
async fn marketing_messages_are_templates_under_the_terms() {
    let stage = Stage::set().await;
    let send = async |message: &Value| {
        let request = stage.meta("POST", "910000000000001/marketing_messages").json(message);
        send_for_json(request).await
    };
    let status = async || {
        let fields = "marketing_messages_onboarding_status,phone_numbers.limit(1000){id}";
        let request = stage.meta("GET", "900000000000001").query(&[("fields", fields)]);
        send_for_json(request).await.1
    };
    let found = status().await;
    assert_eq!(found["marketing_messages_onboarding_status"], "ONBOARDED");
    assert_eq!(found["phone_numbers"]["data"], json!([{"id": "910000000000001"}]));
    assert_eq!(found["name"], Value::Null, "it was not asked for");
    assert_like(&send(&offer(MAYA)).await, "200_template_accepted");
    for (message, code) in [(template(MAYA, "k"), 131055), (text(MAYA), 100)] {
        assert_eq!(send(&message).await.1["error"]["code"], code);
    }
    stage.wait_until_idle().await;
    let sent = stage
        .ringback
        .received_requests()
        .into_iter()
        .map(|webhook| webhook.json());
    let category = |event: &Value| {
        event
            .pointer("/entry/0/changes/0/value/statuses/0/pricing/category")
            .cloned()
    };
    assert!(
        sent.filter_map(|event| category(&event))
            .all(|category| category == "marketing_lite")
    );

    stage.faults(json!([{"kind": "marketing_off"}])).await;
    assert_eq!(stage.send_whatsapp(&offer(MAYA)).await.1["error"]["code"], 131063);
    assert_eq!(
        stage.send_whatsapp(&template(MAYA, "k")).await.0,
        200,
        "utility is not marketing"
    );
    assert_eq!(send(&offer(MAYA)).await.0, 200);

    let mut tenant = crate::support::tenant_a();
    tenant["whatsapp"]["marketing_terms"] = json!(false);
    stage.post("/tenants", tenant).await;
    assert_eq!(status().await["marketing_messages_onboarding_status"], "ELIGIBLE");
    assert_eq!(send(&offer(MAYA)).await.1["error"]["code"], 134102);
}

#[tokio::test]
async fn marketing_is_refused_to_the_us_and_after_opt_out() {
    let stage = Stage::set().await;
    let prefer = async |value: &str| {
        let preference = json!({"tenant": "tnt_a", "from": MAYA, "value": value});
        stage.post("/preferences", preference).await;
    };
    prefer("stop").await;
    stage.wait_until_idle().await;
    let preference = stage.ringback.received_requests()[0].json();
    assert_shape(&preference, "whatsapp/account/user_preferences_stop");
    for (to, code) in [(MAYA, 131050), ("+12025550100", 131049)] {
        assert_eq!(stage.send_whatsapp(&offer(to)).await.0, 200);
        stage.wait_until_idle().await;
        assert_eq!(stage.outbox(&format!("?to={to}")).await[0]["statuses"][0]["code"], code);
    }
    let (status, _) = stage.send_whatsapp(&template(MAYA, "k")).await;
    assert_eq!(status, 200, "utility is still allowed");
    prefer("resume").await;
    stage.send_whatsapp(&offer(MAYA)).await;
    stage.wait_until_idle().await;
    let sent = stage.outbox(&format!("?to={MAYA}")).await;
    assert_eq!(sent[2]["statuses"][2]["status"], "read");
}

#[tokio::test]
async fn templates_are_listed_page_by_page() {
    let stage = Stage::set().await;
    let list = async |url: String| send_for_json(stage.http.get(url).bearer_auth("token-a")).await.1;
    let mut url = stage.url("/v26.0/900000000000001/message_templates?limit=4");
    let (mut names, mut pages) = (Vec::new(), 0);
    loop {
        let page = list(url).await;
        let items = page["data"].as_array().unwrap();
        names.extend(items.iter().map(|item| item["name"].as_str().unwrap().to_owned()));
        pages += 1;
        match page["paging"]["next"].as_str() {
            Some(next) => url = next.to_owned(),
            None => break,
        }
    }
    assert_eq!((pages, names.len()), (3, 10));
    let first = list(stage.url("/v26.0/900000000000001/message_templates?limit=1")).await;
    let promised = fixture_json("whatsapp/templates/list_response_page1.json");
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&first["data"][0]), keys(&promised["data"][0]));
    assert_eq!(shape(&first["paging"]), shape(&promised["paging"]));
    let foreign = stage
        .http
        .get(stage.url("/v26.0/900000000000001/message_templates"))
        .bearer_auth("token-b");
    assert_eq!(send_for_json(foreign).await.0, 404);
}
