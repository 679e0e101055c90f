//! Twilio's contents and their approval, and media in both directions.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::{
    Answer, MAYA, Stage, fields, fixture, fixture_json, fixture_names, send_for_json, send_without_redirects, shape,
    tenant_b, until, without_graph,
};

const WHATSAPP: &str = "whatsapp:+15005550006";
const TO_WHATSAPP: &str = "whatsapp:+447700900111";

async fn stage() -> Stage {
    Stage::with(json!({"tenants": [without_graph(), tenant_b()]})).await
}

impl Stage {
    fn contents(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        self.to_twilio(method, &self.url(&format!("/v1/{path}")))
    }

    async fn content(&self, name: &str) -> String {
        let content = fixture_json(&format!("twilio/content/{name}.json"));
        let (status, answer) = send_for_json(self.contents("POST", "Content").json(&content)).await;
        assert_eq!(status, 201, "{answer}");
        answer["sid"].as_str().expect("a SID").to_owned()
    }

    async fn submit(&self, sid: &str, name: &str) -> Answer {
        let request = self.contents("POST", &format!("Content/{sid}/ApprovalRequests/whatsapp"));
        send_for_json(request.json(&json!({"name": name, "category": "UTILITY"}))).await
    }

    /// The answer to a request of tenant A.
    async fn fetch_json(&self, path: &str) -> Value {
        send_for_json(self.contents("GET", path)).await.1
    }

    async fn approval(&self, sid: &str) -> Value {
        self.fetch_json(&format!("Content/{sid}/ApprovalRequests")).await
    }

    async fn decide(&self, sid: &str, status: &str) {
        let reason = if status == "rejected" { "INCORRECT_CATEGORY" } else { "" };
        let review = json!({"tenant": "tnt_a", "sid": sid, "status": status, "reason": reason});
        self.post("/contents/review", review).await;
    }

    async fn send_content(&self, sid: &str, variables: &str) -> Answer {
        let callback = self.callback("con.msg.1");
        let form = [
            ("To", TO_WHATSAPP),
            ("From", WHATSAPP),
            ("ContentSid", sid),
            ("ContentVariables", variables),
            ("StatusCallback", &callback),
        ];
        let answer = self.twilio(&form).await;
        self.wait_until_idle().await;
        answer
    }

    async fn last_status(&self) -> Value {
        let sent = self.outbox("").await.pop().expect("a message");
        let statuses = sent["statuses"].as_array().expect("statuses");
        statuses.last().expect("a status").clone()
    }

    /// The last item of Maya's chat with tenant A on WhatsApp.
    async fn last_shown(&self) -> Value {
        let chat = self.get(&format!("/phones/{MAYA}")).await["chats"][0]["whatsapp"].clone();
        chat.as_array().expect("a list").last().expect("an item").clone()
    }
}

#[tokio::test]
async fn fixtures_are_created_and_fetched() {
    let stage = stage().await;
    for name in fixture_names("twilio/content") {
        let name = name.trim_end_matches(".json");
        if name.starts_with("create_request_") {
            let sid = stage.content(name).await;
            let (status, fetched) = send_for_json(stage.contents("GET", &format!("Content/{sid}"))).await;
            assert_eq!((status, &fetched["sid"]), (200, &json!(sid)), "{name}");
        }
    }
    for (request, response) in [
        ("quick_reply_with_text_fallback", "fetch_response_quick_reply"),
        ("call_to_action", "fetch_response_call_to_action_phone_number_key"),
        ("whatsapp_authentication", "create_response_authentication"),
    ] {
        let sid = stage.content(&format!("create_request_{request}")).await;
        let fetched = stage.fetch_json(&format!("Content/{sid}")).await;
        let promised = fixture_json(&format!("twilio/content/{response}.json"));
        assert_eq!(shape(&fetched), shape(&promised), "{request}");
        assert_eq!(fetched["types"], promised["types"], "{request}");
    }
    let missing = send_for_json(stage.contents("GET", "Content/HX00000000000000000000000000000099")).await;
    let promised = fixture_json("twilio/content/404_error_20404_content_not_found.json");
    assert_eq!(missing, (404, promised));
    let stranger = stage.http.get(stage.url("/v1/Content"));
    let stranger = stranger.basic_auth("SKa", Some("wrong"));
    assert_eq!(send_for_json(stranger).await.0, 401);
}

#[tokio::test]
async fn approvals_have_the_states_of_the_fixtures() {
    let stage = stage().await;
    let sid = stage.content("create_request_quick_reply_with_text_fallback").await;
    let state = |name: &str| fixture_json(&format!("twilio/content/approval_status_{name}.json"));
    assert_eq!(
        stage.approval(&sid).await["whatsapp"],
        state("unsubmitted_guess")["whatsapp"]
    );
    let change = json!({"friendly_name": "other", "types": {"twilio/text": {"body": "Hello {{1}}, we call you."}}});
    let update = async || send_for_json(stage.contents("PUT", &format!("Content/{sid}")).json(&change)).await;
    let (status, changed) = update().await;
    assert_eq!(
        (status, &changed["friendly_name"], &changed["language"]),
        (200, &json!("other"), &json!("en_GB"))
    );

    let sid = stage.content("create_request_quick_reply_with_text_fallback").await;
    let promised = fixture_json("twilio/content/approval_response_received.json");
    assert_eq!(stage.submit(&sid, "missed_call_followup_v1").await, (201, promised));
    for name in ["received", "pending", "approved", "paused", "disabled", "rejected"] {
        stage.decide(&sid, name).await;
        let answer = stage.approval(&sid).await;
        assert_eq!(shape(&answer), shape(&state(name)), "{name}");
        assert_eq!(answer["whatsapp"], state(name)["whatsapp"], "{name}");
    }
    assert_eq!(stage.submit(&sid, "again").await.0, 400, "once");
    let update = stage.contents("PUT", &format!("Content/{sid}")).json(&change);
    assert_eq!(send_for_json(update).await.0, 400, "never after it was submitted");
    let picker = stage.content("create_request_list_picker").await;
    assert_eq!(stage.submit(&picker, "picker").await.0, 400, "in the window only");
    let delete = async || {
        send_for_json(stage.contents("DELETE", &format!("Content/{sid}")))
            .await
            .0
    };
    assert_eq!((delete().await, delete().await), (204, 404));
}

#[tokio::test]
async fn contents_are_listed_by_the_next_url() {
    let stage = stage().await;
    for name in ["text", "media", "whatsapp_card"] {
        stage.content(&format!("create_request_{name}")).await;
    }
    let first = stage.fetch_json("Content?PageSize=2").await;
    let promised = fixture_json("twilio/content/list_response_page1.json");
    assert_eq!(shape(&first["meta"]), shape(&promised["meta"]));
    let again = stage.fetch_json("Content?PageSize=2&Page=1").await;
    assert_eq!(again["contents"], first["contents"], "Page alone is nothing");
    let next = first["meta"]["next_page_url"].as_str().unwrap();
    let (_, last) = send_for_json(stage.to_twilio("GET", next)).await;
    let promised = fixture_json("twilio/content/list_response_last_page.json");
    assert_eq!(shape(&last["meta"]), shape(&promised["meta"]));
    assert_eq!(last["contents"].as_array().map(Vec::len), Some(1));
    let all = stage.fetch_json("ContentAndApprovals").await;
    assert_eq!(all["contents"].as_array().map(Vec::len), Some(3));
    assert_eq!(all["contents"][0]["approval_requests"]["status"], "unsubmitted");
    let other = stage.http.get(stage.url("/v1/Content"));
    let other = other.basic_auth("SKb", Some("secret-b"));
    assert_eq!(send_for_json(other).await.1["contents"], json!([]), "another account's");
}

#[tokio::test]
async fn only_approved_contents_need_no_window() {
    let stage = stage().await;
    let sid = stage.content("create_request_quick_reply_with_text_fallback").await;
    let variables = r#"{"1": "Maya", "2": "Fixture Hair"}"#;
    let (status, answer) = stage.send_content(&sid, variables).await;
    assert_eq!((status, &answer["code"]), (400, &json!(63016)), "never submitted");
    stage.submit(&sid, "missed_call_followup_v1").await;
    for (decision, code) in [("rejected", 63040), ("paused", 63041), ("disabled", 63042)] {
        stage.decide(&sid, decision).await;
        assert_eq!(stage.send_content(&sid, variables).await.0, 201);
        assert_eq!(stage.last_status().await["code"], code, "{decision}");
    }
    stage.decide(&sid, "approved").await;
    assert_eq!(stage.send_content(&sid, variables).await.0, 201);
    assert_eq!(stage.last_status().await["status"], "read");
    let shown = stage.last_shown().await;
    assert_eq!(
        shown["text"],
        "Hello Maya, sorry we missed your call to Fixture Hair today. How can we help?"
    );
    assert_eq!(shown["buttons"][1]["payload"], "callback");

    for variables in ["[1]", r#"{"1": null}"#, r#"{"1": ""}"#] {
        let (_, answer) = stage.send_content(&sid, variables).await;
        assert_eq!(answer["code"], 21656, "{variables}");
    }
    stage.send_content(&sid, "{\"1\": \"two\\nlines\"}").await;
    assert_eq!(stage.last_status().await["code"], 63013);
    let form = [("To", TO_WHATSAPP), ("From", WHATSAPP), ("ContentVariables", "{}")];
    let promised = fixture_json("twilio/content/400_error_21654_content_sid_required.json");
    assert_eq!(stage.twilio(&form).await, (400, promised));
}

/// A list picker is never approved, but is sent in the window; a tap on its row comes back.
#[tokio::test]
async fn list_pickers_are_tapped_in_the_window() {
    let stage = stage().await;
    let sid = stage.content("create_request_list_picker").await;
    stage.maya_writes("tnt_a", "whatsapp").await;
    assert_eq!(stage.send_content(&sid, r#"{"1": "Maya"}"#).await.0, 201);
    let (webhook, _) = stage.maya_sends(json!({"button": "svc_cut"})).await;
    webhook.assert_fields("whatsapp/inbound_list_reply");
    assert_eq!(webhook.field("ListTitle").as_deref(), Some("Haircut"));
}

#[tokio::test]
async fn customers_send_media_and_more_through_twilio() {
    let stage = stage().await;
    stage.maya_writes("tnt_a", "whatsapp").await;
    let place = json!({"latitude": 51.5007, "longitude": -0.1246, "name": "Fixture Square", "address": "1 Fixture Sq"});
    let dent = json!({"mime": "image/jpeg", "caption": "the dent"});
    let voice = json!({"mime": "audio/ogg", "voice": true});
    let picture = json!({"media": {"mime": "image/jpeg"}, "channel": "sms"});
    let answer = json!({"text": "yes", "reply_to": "MM1"});
    for (reply, name) in [
        (json!({ "media": dent }), "whatsapp/inbound_image"),
        (json!({ "media": voice }), "whatsapp/inbound_voice_note"),
        (json!({ "location": place }), "whatsapp/inbound_location"),
        (answer, "whatsapp/inbound_reply_to_message"),
        (picture, "sms/inbound_mms"),
    ] {
        let (webhook, _) = stage.maya_sends(reply).await;
        let body = String::from_utf8(webhook.body.to_vec()).unwrap();
        let mut promised = fields(&fixture(&format!("twilio/{name}.txt")));
        // The fixture of an MMS lacks one empty field that every other SMS has.
        promised.extend(fields(&body).contains("ToState").then(|| "ToState".to_owned()));
        assert_eq!(fields(&body), promised, "{name}");
    }
    let picture = json!({"media": {"mime": "image/png", "bytes": "cGljdHVyZQ=="}});
    let url = stage.maya_sends(picture).await.0.field("MediaUrl0").unwrap();
    let fetch =
        async |user: &str, secret: &str| send_for_json(stage.http.get(&url).basic_auth(user, Some(secret))).await;
    assert_eq!(fetch("SKa", "secret-a").await, (200, json!("picture")));
    assert_eq!(fetch("SKb", "secret-b").await.0, 401);
}

#[tokio::test]
async fn a_customers_file_is_at_twilios_file_server() {
    let stage = stage().await;
    let picture = json!({"media": {"mime": "image/png", "bytes": "cGljdHVyZQ=="}});
    let url = stage.maya_sends(picture).await.0.field("MediaUrl0").unwrap();
    let answer = send_without_redirects(stage.to_twilio("GET", &url)).await;
    assert_eq!(answer.status(), 307);
    let place = answer.headers()["location"].to_str().unwrap().to_owned();
    let fetch = async |place: &str| send_for_json(stage.http.get(stage.url(place))).await;
    assert_eq!(fetch(&place).await, (200, json!("picture")));
    assert_eq!(fetch(&place.replace("hash=", "hash=0")).await.0, 403);
    stage.forward(SignedDuration::from_mins(5)).await;
    assert_eq!(fetch(&place).await.0, 403, "after five minutes");
}

#[tokio::test]
async fn a_place_is_sent_through_twilio() {
    let stage = stage().await;
    stage.maya_writes("tnt_a", "whatsapp").await;
    let send = async |to: &str, from: &str, body: &str, action: &str| {
        let form = [("To", to), ("From", from), ("Body", body), ("PersistentAction", action)];
        let answer = stage.twilio(&form).await;
        stage.wait_until_idle().await;
        answer
    };
    let place = "geo:51.5007,-0.1246|1 Fixture Sq";
    let (status, answer) = send(TO_WHATSAPP, WHATSAPP, "Fixture Hair", place).await;
    assert_eq!(
        (status, &answer["body"], &answer["num_media"]),
        (201, &json!("Fixture Hair"), &json!("0"))
    );
    let shown = json!({"latitude": 51.5007, "longitude": -0.1246, "name": "Fixture Hair", "address": "1 Fixture Sq"});
    let sent = stage.outbox("").await.pop().expect("a message");
    assert_eq!(
        (&sent["other"]["type"], &sent["other"]["location"]),
        (&json!("location"), &shown)
    );
    for (body, action, code) in [
        ("", place, 21602),
        ("Fixture Hair", "51.5007,-0.1246", 20001),
        ("Fixture Hair", "geo:51.5007", 20001),
        ("Fixture Hair", "geo:91,0", 20001),
        ("Fixture Hair", "geo:NaN,0", 20001),
    ] {
        let (status, answer) = send(TO_WHATSAPP, WHATSAPP, body, action).await;
        assert_eq!((status, &answer["code"]), (400, &json!(code)), "{action}");
    }
}

#[tokio::test]
async fn a_media_url_is_fetched() {
    let stage = stage().await;
    stage.maya_writes("tnt_a", "whatsapp").await;
    let callback = stage.callback("con.msg.1");
    let send = async |url: &str| {
        let form = [
            ("To", TO_WHATSAPP),
            ("From", WHATSAPP),
            ("Body", "Our map"),
            ("MediaUrl", url),
            ("StatusCallback", &callback),
        ];
        let answer = stage.twilio(&form).await;
        stage.wait_until_idle().await;
        answer
    };
    // A customer's file on the page has an address of this machine.
    let file = async |media: Value| {
        stage.maya_sends(json!({ "media": media })).await;
        let item = stage.last_shown().await;
        stage.url(&format!("/{}", item["media"]["url"].as_str().unwrap()))
    };
    let picture = file(json!({"mime": "image/png", "bytes": "cGljdHVyZQ=="})).await;
    let (status, answer) = send(&picture).await;
    assert_eq!((status, &answer["num_media"]), (201, &json!("1")));
    let sent = stage.outbox("").await.pop().unwrap();
    assert_eq!(stage.last_status().await["status"], "read");
    assert_eq!(sent["other"]["media"]["content_type"], "image/png");
    assert_eq!(sent["other"]["media"]["bytes"], 7);

    let large = file(json!({"mime": "video/mp4", "size": 16 * 1024 * 1024 + 1})).await;
    let strange = file(json!({"mime": "application/x-hologram"})).await;
    for (url, code) in [
        (large, 63019),
        (strange, 12_300),
        (stage.url("/shown-media/gone"), 63019),
        ("http://127.0.0.1:1/a.png".to_owned(), 63019),
    ] {
        assert_eq!(send(&url).await.0, 201, "accepted all the same");
        assert_eq!(stage.last_status().await["code"], code, "{url}");
    }
    until("webhooks tell of it", async || {
        let received = stage.ringback.received_requests();
        received
            .iter()
            .any(|webhook| webhook.field("ErrorCode").as_deref() == Some("12300"))
    })
    .await;
    assert_eq!(send("ftp://media.example.test/a.png").await.1["code"], 21620);
}
