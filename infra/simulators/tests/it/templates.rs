//! Templates: every rule of their text, their limits, what happens to them at Meta, and the library.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::{MAYA, Stage, fixture, fixture_json, parsed, shape, tenant_a, until};

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const WABA: &str = "900000000000001";

impl Stage {
    async fn create(&self, template: &Value) -> (u16, Value) {
        parsed(self.meta("POST", &format!("{WABA}/message_templates")).json(template)).await
    }

    async fn created(&self, template: &Value) -> String {
        let (status, answer) = self.create(template).await;
        assert_eq!(status, 200, "{answer}");
        answer["id"].as_str().expect("an id").to_owned()
    }

    /// Lets events happen to a template, and returns Meta's view of it.
    async fn happens(&self, id: &str, events: Value) -> Value {
        let input = json!({"tenant": "tnt_a", "id": id, "events": events});
        self.post("/templates/events", input).await["template"].clone()
    }

    /// The value of the last webhook.
    fn told(&self) -> Value {
        let event = self.ringback.received().pop().expect("a webhook").json();
        event["entry"][0]["changes"][0]["value"].clone()
    }

    async fn read(&self, id: &str) -> Value {
        parsed(self.meta("GET", id)).await.1
    }

    async fn edit(&self, id: &str, change: &Value) -> (u16, Value) {
        parsed(self.meta("POST", id).json(change)).await
    }

    /// The handle of an uploaded sample.
    async fn sample(&self, mime: &str) -> String {
        let query = format!("file_name=a&file_length=6&file_type={mime}");
        let (_, session) = parsed(self.meta("POST", &format!("app/uploads?{query}"))).await;
        let send = self.meta("POST", session["id"].as_str().expect("a session"));
        let (_, handle) = parsed(send.header("file_offset", "0").body("sample")).await;
        handle["h"].as_str().expect("a handle").to_owned()
    }

    async fn sends(&self, name: &str) -> Value {
        let message = json!({
            "messaging_product": "whatsapp", "to": MAYA, "type": "template",
            "template": {"name": name, "language": {"code": "en_GB"}},
        });
        self.send_whatsapp(&message).await.1["error"]["code"].clone()
    }
}

fn plain(name: &str) -> Value {
    json!({
        "name": name, "language": "en_GB", "category": "UTILITY",
        "components": [{"type": "BODY", "text": "Sorry we missed your call."}],
    })
}

fn body(text: &str, samples: &Value) -> Value {
    json!({"type": "BODY", "text": text, "example": {"body_text": [samples]}})
}

fn with(components: Value) -> Value {
    let mut template = plain("tried");
    template["components"] = components;
    template
}

fn with_button(button: &Value) -> Value {
    with(json!([{"type": "BODY", "text": "Call us."}, {"type": "BUTTONS", "buttons": [button]}]))
}

#[tokio::test]
async fn fixtures_are_created_and_read_back() {
    let mut tenant = tenant_a();
    tenant["whatsapp"]["templates"] = json!([]);
    let stage = Stage::with(json!({"tenants": [tenant]})).await;
    let (image, document) = (stage.sample("image/jpeg").await, stage.sample("application/pdf").await);
    for name in [
        "templates/create_request_utility",
        "templates/create_request_named_params",
        "templates/create_request_image_header",
        "upload/template_create_request_with_handle",
        "upload/template_create_request_document_header",
    ] {
        let template = fixture(&format!("whatsapp/{name}.json"))
            .replace("4::aW1hZ2UvanBlZw==:FIXTURE", &image)
            .replace("4::YXBwbGljYXRpb24vcGRm:FIXTURE", &document);
        let template: Value = serde_json::from_str(&template).unwrap();
        let (status, answer) = stage.create(&template).await;
        assert_eq!(status, 200, "{name}: {answer}");
        let promised = fixture_json("whatsapp/templates/create_response_pending.json");
        assert_eq!(shape(&answer), shape(&promised), "{name}");
        let read = stage.read(answer["id"].as_str().unwrap()).await;
        assert_eq!((&read["status"], &read["name"]), (&json!("PENDING"), &template["name"]));
        let (status, again) = stage.create(&template).await;
        let promised = fixture_json("whatsapp/templates/create_error_name_exists.json");
        assert_eq!((status, shape(&again)), (400, shape(&promised)), "{name}");
        assert_eq!(again["error"]["error_subcode"], promised["error"]["error_subcode"]);
    }
    // A template that is read shows an address instead of the handle, which is no sample again.
    let page = parsed(stage.meta(
        "GET",
        &format!("{WABA}/message_templates?name=offer_image_v2&fields=id,components"),
    ))
    .await
    .1;
    let header = page["data"][0]["components"][0].clone();
    let address = header["example"]["header_handle"][0].as_str().unwrap();
    assert!(address.starts_with("https://scontent.whatsapp.net/"), "{address}");
    assert_eq!(
        page["data"][0].as_object().unwrap().len(),
        2,
        "only the fields that were asked for"
    );
    let again = with(json!([header, {"type": "BODY", "text": "Hello"}]));
    assert_eq!(stage.create(&again).await.1["error"]["error_subcode"], 2_388_273);
}

#[tokio::test]
async fn texts_are_refused_with_the_codes_of_meta() {
    let stage = Stage::set().await;
    let pdf = stage.sample("application/pdf").await;
    let text = |kind: &str, text: &str| json!([{"type": "BODY", "text": "Hello"}, {"type": kind, "format": "TEXT", "text": text}]);
    let picture = |handle: &str| json!([{"type": "HEADER", "format": "IMAGE", "example": {"header_handle": [handle]}}, {"type": "BODY", "text": "Hello"}]);
    let cases = [
        (with(json!([body("Hello {{1}}", &json!(["Maya"]))])), 2_388_299),
        (
            with(json!([body("{{1}}, hello there to you", &json!(["Maya"]))])),
            2_388_299,
        ),
        (
            with(json!([body("Hello {{1}} and {{2}}!", &json!(["Maya", "Tom"]))])),
            2_388_293,
        ),
        (
            with(json!([body("Hello {{1}}, we called you.", &json!([]))])),
            2_388_273,
        ),
        (
            with(json!([body("Hello {{2}}, we called you.", &json!(["Maya"]))])),
            2_388_072,
        ),
        (
            with(json!([body("Hello {{name}}, we called you.", &json!(["Maya"]))])),
            2_388_072,
        ),
        (with(json!([body("", &json!([]))])), 2_388_072),
        (with(json!([])), 2_388_072),
        (with(json!([body(&"x".repeat(1025), &json!([]))])), 2_388_040),
        (with(text("HEADER", &"x".repeat(61))), 2_388_040),
        (with(text("HEADER", "{{1}} for {{2}}")), 2_388_047),
        (with(text("HEADER", "For {{1}}")), 2_388_273),
        (with(text("FOOTER", &"x".repeat(61))), 2_388_040),
        (with(text("FOOTER", "For {{1}}")), 2_388_073),
        (with(picture("https://scontent.whatsapp.net/v/a.jpg")), 2_388_273),
        (with(picture(&pdf)), 2_388_273),
        (
            with_button(&json!({"type": "URL", "text": "Book", "url": "https://book.example.test/{{1}}"})),
            2_388_273,
        ),
        (
            with_button(&json!({"type": "QUICK_REPLY", "text": "x".repeat(26)})),
            2_388_040,
        ),
    ];
    for (template, subcode) in cases {
        let (status, answer) = stage.create(&template).await;
        assert_eq!((status, &answer["error"]["code"]), (400, &json!(100)), "{template}");
        assert_eq!(answer["error"]["error_subcode"], subcode, "{template}: {answer}");
        assert!(answer["error"]["error_user_msg"].is_string(), "{answer}");
    }
    let promised = fixture_json("whatsapp/templates/create_error_leading_variable.json");
    let (_, answer) = stage
        .create(&with(json!([body("Hello {{1}}", &json!(["Maya"]))])))
        .await;
    assert_eq!(shape(&answer), shape(&promised));
    let promised = fixture_json("whatsapp/upload/400_error_create_example_missing.json");
    assert_eq!(shape(&stage.create(&with(picture("x"))).await.1), shape(&promised));
}

#[tokio::test]
async fn what_has_no_code_is_refused_all_the_same() {
    let stage = Stage::set().await;
    let changed = |field: &str, value: Value| {
        let mut template = plain("tried");
        template[field] = value;
        template
    };
    let quick = json!({"type": "QUICK_REPLY", "text": "Yes"});
    let call = json!({"type": "PHONE_NUMBER", "text": "Call", "phone_number": "+442079460001"});
    let many =
        |buttons: Value| with(json!([{"type": "BODY", "text": "Hello"}, {"type": "BUTTONS", "buttons": buttons}]));
    let cases = [
        changed("name", json!("With-Capitals")),
        changed("name", json!("x".repeat(513))),
        changed("language", json!("english")),
        changed("category", json!("SERVICE")),
        many(json!([])),
        many(json!(vec![quick.clone(); 11])),
        many(json!([quick, call, quick])),
        many(json!([call, call])),
        with_button(&json!({"type": "URL", "text": "Book", "url": "https://{{1}}.example.test/", "example": ["a"]})),
        with_button(&json!({"type": "PHONE_NUMBER", "text": "Call", "phone_number": "none"})),
        with_button(&json!({"type": "TELEPATHY", "text": "Think"})),
        with(json!([{"type": "BODY", "text": "One"}, {"type": "BODY", "text": "Two"}])),
    ];
    for template in cases {
        let (status, answer) = stage.create(&template).await;
        assert_eq!(
            (status, &answer["error"]["code"]),
            (400, &json!(100)),
            "{template}: {answer}"
        );
    }
    assert_eq!(stage.create(&many(json!([quick, quick, call]))).await.0, 200);
}

#[tokio::test]
async fn templates_for_codes_have_words_of_meta() {
    let stage = Stage::set().await;
    let code = json!({
        "name": "login_code", "language": "en_GB", "category": "AUTHENTICATION",
        "components": [
            {"type": "BODY", "add_security_recommendation": true},
            {"type": "FOOTER", "code_expiration_minutes": 10},
            {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE", "text": "Copy"}]},
        ],
    });
    let mut own_words = code.clone();
    own_words["components"][0]["text"] = json!("{{1}} is your code");
    assert_eq!(stage.create(&own_words).await.1["error"]["error_subcode"], 2_388_072);
    let id = stage.created(&code).await;
    stage.happens(&id, json!([{"event": "approve"}])).await;
    let value = json!([{"type": "text", "text": "481920"}]);
    let message = json!({
        "messaging_product": "whatsapp", "to": MAYA, "type": "template",
        "template": {"name": "login_code", "language": {"code": "en_GB"}, "components": [
            {"type": "body", "parameters": value},
            {"type": "button", "sub_type": "url", "index": "0", "parameters": value},
        ]},
    });
    assert_eq!(stage.send_whatsapp(&message).await.0, 200);
    let shown = stage.get(&format!("/phones/{MAYA}")).await["chats"][0]["whatsapp"][0].clone();
    assert!(
        shown["text"]
            .as_str()
            .unwrap()
            .starts_with("*481920* is your verification code.")
    );
    assert_eq!(shown["footer"], "This code expires in 10 minutes.");
}

#[tokio::test]
async fn accounts_have_limits() {
    let mut tenant = tenant_a();
    tenant["whatsapp"]["template_limit"] = json!(120);
    let stage = Stage::with(json!({"tenants": [tenant]})).await;
    for place in 0..100 {
        stage.created(&plain(&format!("number_{place}"))).await;
    }
    assert_eq!(stage.create(&plain("one_more")).await.1["error"]["code"], 80_008);
    stage.forward(HOUR).await;
    for place in 100..110 {
        stage.created(&plain(&format!("number_{place}"))).await;
    }
    assert_eq!(
        stage.create(&plain("one_more")).await.1["error"]["error_subcode"],
        2_388_019
    );
    let summary = parsed(stage.meta(
        "GET",
        &format!("{WABA}/message_templates?summary=total_count&name=number_1"),
    ))
    .await
    .1;
    assert_eq!(summary["summary"]["total_count"], 21);
    assert_eq!(summary["summary"]["message_template_count"], 120);
    assert_eq!(summary["summary"]["message_template_limit"], 120);
}

#[tokio::test]
async fn events_look_like_the_fixtures() {
    let stage = Stage::set().await;
    let mut template = plain("missed_call");
    template["components"] = json!([
        body("Hello {{1}}, sorry we missed your call.", &json!(["Maya"])),
        {"type": "FOOTER", "text": "Reply STOP to opt out"},
        {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Call me back"}]},
    ]);
    let id = stage.created(&template).await;
    let rejection = json!({"reason": "A variable.", "recommendation": "None."});
    let cases = [
        (
            json!({"event": "reject", "rejection_info": rejection}),
            "template_status_rejected",
            "REJECTED",
        ),
        (
            json!({"event": "reject", "reason": "TAG_CONTENT_MISMATCH"}),
            "template_status_rejected_category",
            "REJECTED",
        ),
        (json!({"event": "approve"}), "template_status_approved", "APPROVED"),
        (
            json!({"event": "quality", "score": "RED"}),
            "template_quality_green_to_red",
            "APPROVED",
        ),
        (
            json!({"event": "category_upcoming", "category": "MARKETING"}),
            "template_category_upcoming",
            "APPROVED",
        ),
        (
            json!({"event": "category", "category": "MARKETING"}),
            "template_category_changed",
            "APPROVED",
        ),
        (json!({"event": "components"}), "template_components_edited", "APPROVED"),
        (json!({"event": "pause"}), "template_status_paused", "PAUSED"),
        (json!({"event": "reinstate"}), "template_status_reinstated", "APPROVED"),
        (json!({"event": "flag"}), "template_status_flagged", "FLAGGED"),
        (json!({"event": "disable"}), "template_status_disabled", "DISABLED"),
        (json!({"event": "archive"}), "template_status_archived", "ARCHIVED"),
        (
            json!({"event": "pending_deletion"}),
            "template_status_pending_deletion",
            "PENDING_DELETION",
        ),
    ];
    let mut last = 0;
    for (event, name, status) in cases {
        let template = stage.happens(&id, json!([event])).await;
        assert_eq!(template["status"], status, "{name}");
        let webhook = stage.ringback.received().pop().unwrap();
        let promised = fixture_json(&format!("whatsapp/account/{name}.json"));
        assert_eq!(shape(&webhook.json()), shape(&promised), "{name}");
        let change = |event: &Value| event["entry"][0]["changes"][0].clone();
        assert_eq!(change(&webhook.json())["field"], change(&promised)["field"], "{name}");
        assert_eq!(stage.told()["event"], change(&promised)["value"]["event"], "{name}");
        assert_eq!(stage.told()["message_template_id"].to_string(), id);
        let time = webhook.json()["entry"][0]["time"].as_i64().unwrap();
        assert!(time > last, "later than the event before");
        last = time;
        let signature = simulators::signatures::meta("fixture-meta-app-secret-0001", &webhook.body);
        assert_eq!(webhook.header("x-hub-signature-256"), signature);
    }
}

#[tokio::test]
async fn webhooks_of_events_come_in_any_order() {
    let stage = Stage::set().await;
    let id = stage.created(&plain("missed_call")).await;
    let events = json!([{"event": "approve"}, {"event": "pause"}, {"event": "reinstate"}]);
    let input = json!({"tenant": "tnt_a", "name": "missed_call", "events": events, "order": "reversed", "repeat": 2});
    let answer = stage.post("/templates/events", input).await;
    assert_eq!(answer["template"]["status"], "APPROVED", "they happened in order");
    assert_eq!(answer["webhooks"].as_array().map(Vec::len), Some(6));
    let entries: Vec<Value> = stage
        .ringback
        .received()
        .iter()
        .map(|one| one.json()["entry"][0].clone())
        .collect();
    let events: Vec<&Value> = entries
        .iter()
        .map(|entry| &entry["changes"][0]["value"]["event"])
        .collect();
    assert_eq!(
        events,
        ["REINSTATED", "REINSTATED", "PAUSED", "PAUSED", "APPROVED", "APPROVED"]
    );
    assert!(entries[0]["time"].as_i64() > entries[5]["time"].as_i64());
    let lost = json!({"tenant": "tnt_a", "id": id, "events": [{"event": "disable"}], "deliver": false});
    stage.post("/templates/events", lost).await;
    assert_eq!(stage.ringback.received().len(), 6, "a lost webhook");
    assert_eq!(stage.read(&id).await["status"], "DISABLED");
}

/// A webhook that was lost, or comes late, in any order with others.
#[tokio::test]
async fn a_webhook_of_the_account_has_its_own_time() {
    let stage = Stage::set().await;
    let promised = fixture_json("whatsapp/account/template_status_paused.json");
    let change = promised["entry"][0]["changes"][0].clone();
    for (at, second) in [
        ("2026-11-20T12:00:01Z", 1_795_176_001_i64),
        ("2026-11-20T12:00:00.9Z", 1_795_176_000),
    ] {
        let input = json!({
            "tenant": "tnt_a", "field": change["field"], "value": change["value"], "at": at, "wait": true,
        });
        assert_eq!(stage.post("/webhooks", input).await["status"], 200);
        let webhook = stage.ringback.received().pop().unwrap().json();
        assert_eq!(shape(&webhook), shape(&promised));
        let entry = &webhook["entry"][0];
        assert_eq!((&entry["time"], &entry["changes"][0]), (&json!(second), &change));
    }
}

#[tokio::test]
async fn a_review_ends_by_the_clock() {
    let mut tenant = tenant_a();
    tenant["whatsapp"]["template_review_seconds"] = json!(3600);
    let stage = Stage::with(json!({"tenants": [tenant]})).await;
    let id = stage.created(&plain("missed_call")).await;
    assert_eq!(stage.sends("missed_call").await, 132_001);
    stage.forward(HOUR).await;
    assert_eq!(stage.read(&id).await["status"], "APPROVED");
    until("the webhook arrives", async || !stage.ringback.received().is_empty()).await;
    assert_eq!(stage.told()["event"], "APPROVED");
    assert_eq!(stage.sends("missed_call").await, Value::Null);
}

#[tokio::test]
async fn only_approved_templates_are_sent() {
    let stage = Stage::set().await;
    let id = stage.created(&plain("missed_call")).await;
    for (event, code) in [
        ("approve", Value::Null),
        ("pause", json!(132_015)),
        ("reinstate", Value::Null),
        ("flag", json!(132_001)),
        ("appeal", json!(132_001)),
        ("approve", Value::Null),
        ("archive", json!(132_001)),
        ("unarchive", Value::Null),
        ("disable", json!(132_016)),
    ] {
        stage.happens(&id, json!([{"event": event}])).await;
        assert_eq!(stage.sends("missed_call").await, code, "{event}");
    }
    stage.happens(&id, json!([{"event": "approve"}])).await;
    stage.faults(json!([{"kind": "template_policy", "number": MAYA}])).await;
    assert_eq!(stage.sends("missed_call").await, 132_007);
}

/// The first pause lasts three hours, the second six, and there is no third.
#[tokio::test]
async fn pauses_end_by_the_clock_and_the_third_disables() {
    let stage = Stage::set().await;
    let id = stage.created(&plain("missed_call")).await;
    stage.happens(&id, json!([{"event": "approve"}])).await;
    for (hours, title) in [(3, "FIRST_PAUSE"), (6, "SECOND_PAUSE")] {
        stage.happens(&id, json!([{"event": "pause"}])).await;
        assert_eq!(stage.told()["other_info"]["title"], title);
        stage.forward(HOUR * hours - SignedDuration::from_mins(1)).await;
        assert_eq!(stage.read(&id).await["status"], "PAUSED");
        stage.forward(SignedDuration::from_mins(2)).await;
        assert_eq!(stage.read(&id).await["status"], "APPROVED");
        until("it is told", async || stage.told()["event"] == "REINSTATED").await;
    }
    stage.happens(&id, json!([{"event": "pause"}])).await;
    assert_eq!(stage.read(&id).await["status"], "DISABLED");
    assert!(stage.told()["disable_info"]["disable_date"].is_i64());
}

#[tokio::test]
async fn a_pause_can_be_ended_by_hand_after_five_minutes() {
    let stage = Stage::set().await;
    let id = stage.created(&plain("missed_call")).await;
    let unpause = async || parsed(stage.meta("POST", &format!("{id}/unpause"))).await.1;
    assert_eq!(unpause().await["success"], false);
    stage
        .happens(&id, json!([{"event": "approve"}, {"event": "pause"}]))
        .await;
    assert_eq!(unpause().await["success"], false);
    stage.forward(SignedDuration::from_mins(6)).await;
    assert_eq!(unpause().await, json!({"success": true}));
    assert_eq!(stage.read(&id).await["status"], "APPROVED");
}

#[tokio::test]
async fn edits_have_states_and_limits() {
    let stage = Stage::set().await;
    let id = stage.created(&plain("missed_call")).await;
    let change = fixture_json("whatsapp/upload/edit_request_components_only.json");
    let (status, answer) = stage.edit(&id, &change).await;
    let promised = fixture_json("whatsapp/upload/400_error_edit_not_possible.json");
    assert_eq!((status, shape(&answer)), (400, shape(&promised)), "pending");
    assert_eq!(answer["error"]["error_subcode"], 2_388_039);
    let good = (200, fixture_json("whatsapp/templates/edit_or_delete_response.json"));

    // Rejected ones are edited without limit.
    for _ in 0..3 {
        stage.happens(&id, json!([{"event": "reject"}])).await;
        assert_eq!(stage.edit(&id, &change).await, good);
        assert_eq!(stage.read(&id).await["status"], "PENDING", "to review again");
    }
    assert_eq!(stage.read(&id).await["components"], change["components"]);
    // Approved ones once a day, ten times in thirty days.
    for day in 0..11 {
        stage.happens(&id, json!([{"event": "approve"}])).await;
        let expected = if day < 10 { 200 } else { 400 };
        assert_eq!(stage.edit(&id, &change).await.0, expected, "day {day}");
        stage.happens(&id, json!([{"event": "approve"}])).await;
        assert_eq!(
            stage.edit(&id, &change).await.1["error"]["error_subcode"],
            2_388_039,
            "twice a day"
        );
        stage.forward(HOUR * 24).await;
    }
    assert_eq!(
        stage.edit(&id, &json!({"category": "MARKETING"})).await.0,
        400,
        "approved"
    );
    assert_eq!(stage.edit(&id, &json!({"name": "other"})).await.0, 400);
    stage.forward(HOUR * 24 * 30).await;
    let long = json!({"components": [{"type": "BODY", "text": "x".repeat(1025)}]});
    assert_eq!(stage.edit(&id, &long).await.1["error"]["error_subcode"], 2_388_040);
    assert_eq!(parsed(stage.meta("POST", "810").json(&change)).await.0, 404);
}

#[tokio::test]
async fn deletions_take_names_and_ids() {
    let stage = Stage::set().await;
    let delete = async |query: String| {
        parsed(stage.meta("DELETE", &format!("{WABA}/message_templates?{query}")))
            .await
            .0
    };
    let mut arabic = plain("both");
    arabic["language"] = json!("ar");
    let (english, arabic) = (stage.created(&plain("both")).await, stage.created(&arabic).await);
    let other = stage.created(&plain("other")).await;
    assert_eq!(
        delete(format!("name=other&hsm_id={english}")).await,
        404,
        "name and id belong together"
    );
    assert_eq!(delete(format!("name=both&hsm_id={english}")).await, 200);
    assert_eq!(parsed(stage.meta("GET", &english)).await.0, 404);
    assert_eq!(stage.read(&arabic).await["language"], "ar");
    assert_eq!(delete(format!("hsm_ids=[\"{arabic}\",\"{other}\"]")).await, 200);
    assert_eq!(parsed(stage.meta("GET", &other)).await.0, 404);
    assert_eq!(delete("name=both".to_owned()).await, 404);
    assert_eq!(delete("name=disabled".to_owned()).await, 400, "a disabled one stays");

    // The name of an approved one is blocked for thirty days.
    let id = stage.created(&plain("both")).await;
    stage.happens(&id, json!([{"event": "approve"}])).await;
    assert_eq!(delete("name=both".to_owned()).await, 200);
    until("it is told", async || stage.told()["event"] == "PENDING_DELETION").await;
    assert_eq!(stage.sends("both").await, 132_001);
    assert_eq!(
        stage.create(&plain("both")).await.1["error"]["error_subcode"],
        2_388_024
    );
    stage.forward(HOUR * 24 * 30 + HOUR).await;
    assert_eq!(parsed(stage.meta("GET", &id)).await.0, 404);
    assert_eq!(stage.create(&plain("both")).await.0, 200);
    let foreign = stage
        .http
        .delete(stage.url(&format!("/v26.0/{WABA}/message_templates?name=both")));
    assert_eq!(parsed(foreign.bearer_auth("token-b")).await.0, 404);
}

#[tokio::test]
async fn lists_are_filtered_and_paged_both_ways() {
    let stage = Stage::set().await;
    let list = async |query: &str| {
        parsed(stage.meta("GET", &format!("{WABA}/message_templates?{query}")))
            .await
            .1
    };
    let names = |page: &Value| -> Vec<String> {
        let items = page["data"].as_array().expect("a page");
        items
            .iter()
            .map(|item| item["name"].as_str().expect("a name").to_owned())
            .collect()
    };
    assert_eq!(names(&list("status=PAUSED,DISABLED").await), ["paused", "disabled"]);
    assert_eq!(
        names(&list("category=MARKETING&language=en_GB").await),
        ["offer_image", "offer"]
    );
    assert_eq!(names(&list("content=20%25%20off%20for").await), ["offer"]);
    assert_eq!(names(&list("name_or_content=quote").await), ["quote_pdf"]);
    assert!(names(&list("quality_score=RED").await).is_empty());
    assert!(names(&list("until=1000").await).is_empty());
    let first = list("limit=4&status=APPROVED&fields=name").await;
    assert_eq!(first["data"][0].as_object().map(serde_json::Map::len), Some(2));
    let get = async |url: &Value| {
        parsed(stage.http.get(url.as_str().unwrap()).bearer_auth("token-a"))
            .await
            .1
    };
    let second = get(&first["paging"]["next"]).await;
    assert_eq!(
        second["data"].as_array().map(Vec::len),
        Some(3),
        "filters and fields stay"
    );
    assert!(second["paging"].get("next").is_none());
    assert_eq!(get(&second["paging"]["previous"]).await["data"], first["data"]);
    assert_eq!(list("after=nonsense").await["error"]["code"], 100);
}

#[tokio::test]
async fn templates_of_the_library_are_approved_at_once() {
    let stage = Stage::set().await;
    let query = fixture("whatsapp/upload/library_query.txt");
    let (_, library) = parsed(stage.meta("GET", &format!("message_template_library?{}", query.trim()))).await;
    let promised = fixture_json("whatsapp/upload/library_response.json");
    assert_eq!(shape(&library["data"][0]), shape(&promised["data"][0]));
    assert_eq!(library["data"][0]["name"], promised["data"][0]["name"]);
    let adopt = fixture_json("whatsapp/upload/library_adopt_request.json");
    let (status, answer) = stage.create(&adopt).await;
    assert_eq!((status, &answer["status"]), (200, &json!("APPROVED")));
    assert_eq!(
        shape(&answer),
        shape(&fixture_json("whatsapp/upload/library_adopt_response.json"))
    );
    let read = stage.read(answer["id"].as_str().unwrap()).await;
    assert_eq!(read["components"][0]["text"], promised["data"][0]["body"]);
    assert_eq!(read["library_template_name"], "appointment_reminder_sample");
    let mut own_words = adopt.clone();
    own_words["components"] = json!([]);
    assert_eq!(stage.create(&own_words).await.0, 400);
    let mut unknown = adopt;
    unknown["library_template_name"] = json!("nonsense");
    assert_eq!(stage.create(&unknown).await.0, 400);
}

#[tokio::test]
async fn creation_meets_faults() {
    let stage = Stage::set().await;
    stage.faults(json!([{"kind": "category_corrected", "times": 1}])).await;
    let (_, answer) = stage.create(&plain("offered")).await;
    let promised = fixture_json("whatsapp/templates/create_response_category_corrected.json");
    assert_eq!(shape(&answer), shape(&promised));
    assert_eq!(answer["category"], "MARKETING");
    stage.faults(json!([{"kind": "server_error"}])).await;
    assert!(stage.create(&plain("lost")).await.0 >= 500);
    stage.faults(json!([{"kind": "server_error_after", "times": 1}])).await;
    assert!(stage.create(&plain("made")).await.0 >= 500);
    stage.faults(json!([])).await;
    let names = async |name: &str| {
        stage
            .get(&format!("/templates?tenant=tnt_a&name={name}"))
            .await
            .as_array()
            .map(Vec::len)
    };
    assert_eq!((names("lost").await, names("made").await), (Some(0), Some(1)));
}

#[tokio::test]
async fn a_new_configuration_keeps_what_was_made() {
    let stage = Stage::set().await;
    let id = stage.created(&plain("made")).await;
    let hello = stage.get("/templates?tenant=tnt_a&name=hello_world").await[0]["id"].clone();
    stage
        .happens(hello.as_str().unwrap(), json!([{"event": "pause"}]))
        .await;
    stage.post("/tenants", tenant_a()).await;
    assert_eq!(stage.read(&id).await["name"], "made");
    assert_eq!(stage.read(hello.as_str().unwrap()).await["status"], "PAUSED");
    stage.post("/reset", json!({})).await;
    assert_eq!(parsed(stage.meta("GET", &id)).await.0, 404);
    assert_eq!(
        stage.read(hello.as_str().unwrap()).await["status"],
        "APPROVED",
        "its id stays"
    );
}
