//! Templates: answers and webhooks are those of the fixtures. The rules of their texts are proven with the lint of `domain`
//! (`shared/domain/tests/it/drafts.rs`), which the simulators do not repeat.

use serde_json::{Value, json};

use crate::support::{Answer, Stage, assert_answer, fixture, fixture_json, send_for_json, shape, tenant_a};

const WABA: &str = "900000000000001";

impl Stage {
    async fn create(&self, template: &Value) -> Answer {
        send_for_json(self.meta("POST", &format!("{WABA}/message_templates")).json(template)).await
    }

    async fn create_successfully(&self, template: &Value) -> String {
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
    fn last_webhook_value(&self) -> Value {
        self.ringback.received_requests().pop().expect("a webhook").value()
    }

    async fn read(&self, id: &str) -> Value {
        send_for_json(self.meta("GET", id)).await.1
    }

    async fn edit(&self, id: &str, change: &Value) -> Answer {
        send_for_json(self.meta("POST", id).json(change)).await
    }

    /// The handle of an uploaded sample.
    async fn sample(&self, mime: &str) -> String {
        let query = format!("file_name=a&file_length=6&file_type={mime}");
        let (_, session) = send_for_json(self.meta("POST", &format!("app/uploads?{query}"))).await;
        let send = self.meta("POST", session["id"].as_str().expect("a session"));
        let (_, handle) = send_for_json(send.header("file_offset", "0").body("sample")).await;
        handle["h"].as_str().expect("a handle").to_owned()
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
        let answer = stage.create(&template).await;
        assert_answer(&answer, 200, "whatsapp/templates/create_response_pending");
        let read = stage.read(answer.1["id"].as_str().unwrap()).await;
        assert_eq!((&read["status"], &read["name"]), (&json!("PENDING"), &template["name"]));
        let again = stage.create(&template).await;
        let promised = assert_answer(&again, 400, "whatsapp/templates/create_error_name_exists");
        let subcode = |answer: &Value| answer["error"]["error_subcode"].clone();
        assert_eq!(subcode(&again.1), subcode(&promised), "{name}");
    }
    // A template that is read shows an address instead of the handle, which is no sample again.
    let path = format!("{WABA}/message_templates?name=offer_image_v2&fields=id,components");
    let page = stage.read(&path).await;
    let header = page["data"][0]["components"][0].clone();
    let address = header["example"]["header_handle"][0].as_str().unwrap();
    assert!(address.starts_with("https://scontent.whatsapp.net/"), "{address}");
    let fields = page["data"][0].as_object().unwrap().len();
    assert_eq!(fields, 2, "only the fields that were asked for");
    let again = with(json!([header, {"type": "BODY", "text": "Hello"}]));
    assert_eq!(stage.create(&again).await.1["error"]["error_subcode"], 2_388_273);
}

#[tokio::test]
async fn refusals_look_like_the_fixtures() {
    let stage = Stage::set().await;
    let trailing = with(json!([body("Hello {{1}}", &json!(["Maya"]))]));
    let picture = json!({"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["x"]}});
    let unknown = with(json!([picture, {"type": "BODY", "text": "Hello"}]));
    for (template, subcode, name) in [
        (trailing, 2_388_299, "templates/create_error_leading_variable"),
        (unknown, 2_388_273, "upload/400_error_create_example_missing"),
    ] {
        let answer = stage.create(&template).await;
        assert_answer(&answer, 400, &format!("whatsapp/{name}"));
        assert_eq!(answer.1["error"]["error_subcode"], subcode, "{name}");
    }
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
    let id = stage.create_successfully(&template).await;
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
            json!({"event": "category", "category": "MARKETING"}),
            "template_category_changed",
            "APPROVED",
        ),
        (json!({"event": "pause"}), "template_status_paused", "PAUSED"),
        (json!({"event": "reinstate"}), "template_status_reinstated", "APPROVED"),
        (json!({"event": "disable"}), "template_status_disabled", "DISABLED"),
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
        let webhook = stage.ringback.received_requests().pop().unwrap();
        let promised = fixture_json(&format!("whatsapp/account/{name}.json"));
        assert_eq!(shape(&webhook.json()), shape(&promised), "{name}");
        let change = |event: &Value| event["entry"][0]["changes"][0].clone();
        assert_eq!(change(&webhook.json())["field"], change(&promised)["field"], "{name}");
        assert_eq!(
            stage.last_webhook_value()["event"],
            change(&promised)["value"]["event"],
            "{name}"
        );
        assert_eq!(stage.last_webhook_value()["message_template_id"].to_string(), id);
        let time = webhook.json()["entry"][0]["time"].as_i64().unwrap();
        assert!(time > last, "later than the event before");
        last = time;
        webhook.assert_signed_by_meta();
    }
}

#[tokio::test]
async fn edits_are_answered_as_in_the_fixtures() {
    let stage = Stage::set().await;
    let id = stage.create_successfully(&plain("missed_call")).await;
    let change = fixture_json("whatsapp/upload/edit_request_components_only.json");
    let pending = stage.edit(&id, &change).await;
    assert_answer(&pending, 400, "whatsapp/upload/400_error_edit_not_possible");
    assert_eq!(pending.1["error"]["error_subcode"], 2_388_039);
    let good = (200, fixture_json("whatsapp/templates/edit_or_delete_response.json"));

    stage.happens(&id, json!([{"event": "reject"}])).await;
    assert_eq!(stage.edit(&id, &change).await, good);
    assert_eq!(stage.read(&id).await["status"], "PENDING", "to review again");
    assert_eq!(stage.read(&id).await["components"], change["components"]);
    for again in [200, 400] {
        stage.happens(&id, json!([{"event": "approve"}])).await;
        assert_eq!(stage.edit(&id, &change).await.0, again, "an approved one, once a day");
    }
}

/// Whatever changes in the configuration of other templates and tenants.
#[tokio::test]
async fn deleted_template_of_the_configuration_stays_deleted() {
    let stage = Stage::set().await;
    let offers = async || {
        let listed = stage.read(&format!("{WABA}/message_templates?limit=100")).await;
        let mut listed = listed["data"].as_array().expect("a list").clone();
        listed.retain(|template| template["name"] == "offer");
        listed
    };
    let id = offers().await[0]["id"].as_str().expect("an id").to_owned();
    stage.happens(&id, json!([{"event": "delete"}])).await;
    stage.post("/tenants", tenant_a()).await;
    assert!(offers().await.is_empty());
}
