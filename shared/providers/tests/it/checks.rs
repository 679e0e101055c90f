//! Asking whether an account works: what is asked, and what each answer comes to.

use std::time::Duration;

use domain::{checkup::Quality, send::Effect};
use providers::{
    check::CheckError,
    http::Http,
    twilio::client::{Credentials, TwilioClient},
    whatsapp::client::GraphClient,
};
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{basic_auth, header, method, path},
};

const WABA: &str = "900000000000001";
const NUMBER: &str = "910000000000001";
const ACCOUNT: &str = "AC000000000000000000000000000000a1";

fn http() -> Http {
    Http::new("ringback/test".to_owned(), Duration::from_secs(1))
}

async fn answers(server: &MockServer, at: String, status: u16, body: Value) {
    Mock::given(method("GET"))
        .and(path(at))
        .respond_with(ResponseTemplate::new(status).set_body_json(body))
        .mount(server)
        .await;
}

async fn graph(number: (u16, Value), numbers: (u16, Value), apps: (u16, Value)) -> Result<Value, CheckError> {
    let server = MockServer::start().await;
    answers(&server, format!("/v26.0/{NUMBER}"), number.0, number.1).await;
    answers(&server, format!("/v26.0/{WABA}/phone_numbers"), numbers.0, numbers.1).await;
    answers(&server, format!("/v26.0/{WABA}/subscribed_apps"), apps.0, apps.1).await;
    let client = GraphClient::new(http(), &server.uri(), "v26.0");
    let state = client.check("token", WABA, NUMBER).await?;
    let sent = server.received_requests().await.unwrap();
    assert_eq!(sent.len(), 3);
    assert!(
        sent.iter()
            .all(|request| request.headers["authorization"] == "Bearer token")
    );
    assert_eq!(state.quality, Some(Quality::Green));
    Ok(json!([
        state.verified_name,
        state.number.map(|number| number.to_string()),
        state.messages_per_second,
        state.customers_per_day,
        state.of_account,
        state.subscribed,
    ]))
}

fn number() -> (u16, Value) {
    let body = json!({
        "id": NUMBER, "display_phone_number": "+44 7700 900999", "verified_name": "Fixture Hair", "quality_rating": "GREEN",
        "throughput": {"level": "HIGH"}, "whatsapp_business_manager_messaging_limit": "TIER_10K",
    });
    (200, body)
}

fn refusal(code: i64, subcode: Option<i64>) -> Value {
    json!({"error": {"message": "(#1) no", "type": "OAuthException", "code": code, "error_subcode": subcode}})
}

#[tokio::test]
async fn a_whatsapp_number_is_asked_for_with_its_account_and_its_apps() {
    let listed = (200, json!({"data": [{"id": NUMBER}]}));
    let apps = (200, json!({"data": [{"whatsapp_business_api_data": {"id": "1"}}]}));
    let told = graph(number(), listed, apps).await.unwrap();
    assert_eq!(told, json!(["Fixture Hair", "+447700900999", 1000, 10_000, true, true]));
    let foreign = (200, json!({"data": [{"id": "1"}]}));
    let told = graph(number(), foreign, (200, json!({"data": []}))).await.unwrap();
    assert_eq!(
        told,
        json!(["Fixture Hair", "+447700900999", 1000, 10_000, false, false])
    );
}

#[tokio::test]
async fn what_meta_refuses_says_what_to_do_and_what_it_does_not_answer_is_unclear() {
    let none = || (200, json!({"data": []}));
    let expired = graph((401, refusal(190, Some(463))), none(), none()).await.unwrap_err();
    let CheckError::Refused {
        classified: Some(classified),
        ..
    } = &expired
    else {
        panic!("{expired:?}");
    };
    assert_eq!(classified.effect, Effect::ConnectionUnhealthy);
    let unknown = graph((404, refusal(100, Some(33))), none(), none()).await.unwrap_err();
    assert!(unknown.to_string().contains("`phone_number_id`"), "{unknown}");
    let account = graph(number(), (404, refusal(100, Some(33))), none())
        .await
        .unwrap_err();
    assert!(account.to_string().contains("`waba_id`"), "{account}");
    for (status, body) in [
        (500, json!("<html>")),
        (503, refusal(2, None)),
        (200, json!("no object")),
    ] {
        let error = graph((status, body), none(), none()).await.unwrap_err();
        assert!(matches!(error, CheckError::Unclear { .. }), "{status}: {error:?}");
    }
    let nowhere = GraphClient::new(http(), "http://127.0.0.1:1", "v26.0");
    let unreached = nowhere.check("token", WABA, NUMBER).await.unwrap_err();
    assert!(unreached.to_string().contains("could not be reached"), "{unreached}");
    let crooked = nowhere.check("token", "900/../x", NUMBER).await.unwrap_err();
    assert!(matches!(crooked, CheckError::Refused { .. }), "{crooked:?}");
}

#[tokio::test]
async fn a_twilio_account_is_known_by_its_numbers_also_to_a_key_that_may_not_see_the_account() {
    let server = MockServer::start().await;
    answers(
        &server,
        format!("/2010-04-01/Accounts/{ACCOUNT}.json"),
        401,
        json!({"code": 20_003}),
    )
    .await;
    let numbers = json!({"incoming_phone_numbers": [
        {"phone_number": "+15005550006", "capabilities": {"voice": true, "sms": false}},
        {"phone_number": "no number", "capabilities": {}},
    ]});
    Mock::given(method("GET"))
        .and(path(format!(
            "/2010-04-01/Accounts/{ACCOUNT}/IncomingPhoneNumbers.json"
        )))
        .and(basic_auth("SKfixture", "fixture-secret"))
        .and(header("user-agent", "ringback/test"))
        .respond_with(ResponseTemplate::new(200).set_body_json(numbers))
        .mount(&server)
        .await;
    let credentials = Credentials {
        api_key_sid: "SKfixture",
        api_key_secret: "fixture-secret",
        account_sid: ACCOUNT,
    };
    let client = TwilioClient::new(http(), &server.uri());
    let state = client.check(credentials).await.unwrap();
    assert_eq!(state.status, None);
    assert_eq!(state.numbers.len(), 1);
    assert!(state.numbers[0].voice && !state.numbers[0].sms);
    let other = Credentials {
        account_sid: "AC1",
        ..credentials
    };
    let unknown = client.check(other).await.unwrap_err();
    assert!(unknown.to_string().contains("`account_sid`"), "{unknown}");
}
