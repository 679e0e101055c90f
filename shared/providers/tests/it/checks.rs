//! Tests of accounts: the requests, and the result of each answer.

use std::time::Duration;

use domain::tenants::Quality;
use domain::tenants::exotel::Cluster;
use domain::terms::{Effect, Phone};
use providers::aircall::AircallClient;
use providers::check::CheckError;
use providers::exotel::ExotelClient;
use providers::plivo::PlivoClient;
use providers::twilio::client::{Credentials, TwilioClient};
use providers::vonage::VonageClient;
use providers::whatsapp::client::GraphClient;
use serde_json::{Value, json};
use wiremock::matchers::{basic_auth, header, method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::server::{NOWHERE, TWILIO, assert_unasked, http, json_answer};

const WABA: &str = "900000000000001";
const NUMBER: &str = "910000000000001";

async fn answers(server: &MockServer, at: String, status: u16, body: Value) {
    Mock::given(method("GET"))
        .and(path(at))
        .respond_with(json_answer(status, body))
        .mount(server)
        .await;
}

async fn graph(number: (u16, Value), account: (u16, Value), apps: (u16, Value)) -> Result<Value, CheckError> {
    let server = MockServer::start().await;
    answers(&server, format!("/v26.0/{NUMBER}"), number.0, number.1).await;
    answers(&server, format!("/v26.0/{WABA}"), account.0, account.1).await;
    answers(&server, format!("/v26.0/{WABA}/subscribed_apps"), apps.0, apps.1).await;
    let client = GraphClient::new(http(1), &server.uri(), "v26.0");
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
        state.marketing_terms,
        state.apps,
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

/// The account, with this list of numbers.
fn account_with_numbers(numbers: &Value) -> (u16, Value) {
    let status = "marketing_messages_onboarding_status";
    (200, json!({"id": WABA, status: "ONBOARDED", "phone_numbers": numbers}))
}

#[tokio::test]
async fn whatsapp_check_reads_number_account_and_apps() {
    let ours = account_with_numbers(&json!({"data": [{"id": NUMBER}]}));
    let apps = json!([
        {"whatsapp_business_api_data": {"id": "1", "name": "Fixture app"}}, {"whatsapp_business_api_data": {"id": "2"}}, {},
    ]);
    let apps = (200, json!({"data": apps}));
    let foreign = account_with_numbers(&json!({"data": [{"id": "1"}]}));
    let more = account_with_numbers(&json!({"data": [{"id": "1"}], "paging": {"next": "https://graph.facebook.com"}}));
    let unseen = (200, json!({"id": WABA}));
    let none = || (200, json!({"data": []}));
    let named = json!(["Fixture app", "2", "without a name"]);
    let (accepted, unnamed) = (json!("accepted"), json!([]));
    for (account, apps, is_ours, terms, named) in [
        (ours, apps, json!(true), accepted.clone(), named),
        (foreign, none(), json!(false), accepted.clone(), unnamed.clone()),
        (more, none(), Value::Null, accepted, unnamed.clone()),
        (unseen, none(), Value::Null, Value::Null, unnamed),
    ] {
        let told = graph(number(), account, apps).await.unwrap();
        let expected = json!(["Fixture Hair", "+447700900999", 1000, 10_000, is_ours, terms, named]);
        assert_eq!(told, expected);
    }
}

/// A version of the Graph API that does not know the field of the terms.
#[tokio::test]
async fn whatsapp_check_does_without_the_terms() {
    let server = MockServer::start().await;
    let numbers = json!({"id": WABA, "phone_numbers": {"data": [{"id": NUMBER}]}});
    let (unknown, numbers) = (json_answer(400, refusal(100, None)), json_answer(200, numbers));
    for (fields, answer) in [("marketing_messages_onboarding_status,", unknown), ("", numbers)] {
        Mock::given(method("GET"))
            .and(path(format!("/v26.0/{WABA}")))
            .and(query_param(
                "fields",
                format!("{fields}phone_numbers.limit(1000){{id}}"),
            ))
            .respond_with(answer)
            .mount(&server)
            .await;
    }
    answers(&server, format!("/v26.0/{NUMBER}"), 200, number().1).await;
    answers(
        &server,
        format!("/v26.0/{WABA}/subscribed_apps"),
        200,
        json!({"data": []}),
    )
    .await;
    let client = GraphClient::new(http(1), &server.uri(), "v26.0");
    let state = client.check("token", WABA, NUMBER).await.unwrap();
    assert_eq!((state.of_account, state.marketing_terms), (Some(true), None));
}

#[tokio::test]
async fn whatsapp_refusal_is_explained_and_silence_unclear() {
    let none = || (200, json!({"data": []}));
    let expired = graph((401, refusal(190, Some(463))), none(), none()).await.unwrap_err();
    let effect = match &expired {
        CheckError::Refused { classified, .. } => classified.as_ref().map(|classified| classified.effect),
        CheckError::Unclear { .. } => None,
    };
    assert_eq!(effect, Some(Effect::ConnectionUnhealthy), "{expired:?}");
    let unknown = graph((404, refusal(100, Some(33))), none(), none()).await.unwrap_err();
    assert!(unknown.to_string().contains("`phone_number_id`"), "{unknown}");
    let missing = (404, refusal(100, Some(33)));
    let account = graph(number(), missing, none()).await.unwrap_err();
    assert!(account.to_string().contains("`waba_id`"), "{account}");
    let no_object = json!("no object");
    for (status, body) in [(500, json!("<html>")), (503, refusal(2, None)), (200, no_object)] {
        let error = graph((status, body), none(), none()).await.unwrap_err();
        assert!(matches!(error, CheckError::Unclear { .. }), "{status}: {error:?}");
    }
    let nowhere = GraphClient::new(http(1), NOWHERE, "v26.0");
    let unreached = nowhere.check("token", WABA, NUMBER).await.unwrap_err();
    assert!(unreached.to_string().contains("could not be reached"), "{unreached}");
    let crooked = nowhere.check("token", "900/../x", NUMBER).await.unwrap_err();
    assert!(matches!(crooked, CheckError::Refused { .. }), "{crooked:?}");
}

/// A denial releases the claim on a number, so nothing else may count as one.
#[tokio::test]
async fn only_errors_of_access_deny_the_number() {
    let listed = || account_with_numbers(&json!({"data": [{"id": NUMBER}]}));
    let apps = || (200, json!({"data": [{"whatsapp_business_api_data": {"id": "1"}}]}));
    let denied = |told: Result<Value, CheckError>| match told.unwrap_err() {
        CheckError::Refused { denies, .. } => denies,
        CheckError::Unclear { .. } => false,
    };
    let denying = [190, 0, 3, 10, 200, 299, 131005, 33].map(|code| (code, None, true));
    let others = [100, 300, 368, 131031, 131037, 131042, 131045, 133010, 80007].map(|code| (code, None, false));
    for (code, subcode, denies) in denying.into_iter().chain(others).chain([(100, Some(33), true)]) {
        let refused = || (403, refusal(code, subcode));
        assert_eq!(denied(graph(refused(), listed(), apps()).await), denies, "{code}");
        assert_eq!(denied(graph(number(), refused(), apps()).await), denies, "{code}");
        let by_apps = graph(number(), listed(), refused()).await;
        assert!(!denied(by_apps), "{code}: the account was shown");
    }
    for status in [401, 403] {
        let without_code = || (status, json!("<html>"));
        assert!(!denied(graph(without_code(), listed(), apps()).await), "{status}");
    }
    let nowhere = GraphClient::new(http(1), NOWHERE, "v26.0");
    let unsent = nowhere.check("to\nken", WABA, NUMBER).await;
    assert!(!denied(unsent.map(|_| json!(null))));
}

/// A Twilio account is identified by its numbers, even with a key that may not read the account.
#[tokio::test]
async fn restricted_twilio_key_proves_account_by_numbers() {
    let server = MockServer::start().await;
    let account = format!("/2010-04-01/Accounts/{}", TWILIO.account_sid);
    answers(&server, format!("{account}.json"), 401, json!({"code": 20003})).await;
    let numbers = json!({"incoming_phone_numbers": [
        {"phone_number": "+15005550006", "capabilities": {"voice": true, "sms": false}},
        {"phone_number": "no number", "capabilities": {}},
    ]});
    Mock::given(method("GET"))
        .and(path(format!("{account}/IncomingPhoneNumbers.json")))
        .and(basic_auth("SKfixture", "fixture-secret"))
        .and(header("user-agent", "ringback/test"))
        .respond_with(json_answer(200, numbers))
        .mount(&server)
        .await;
    let client = TwilioClient::new(http(1), &server.uri());
    let state = client.check(TWILIO).await.unwrap();
    assert_eq!(state.status, None);
    assert_eq!(state.numbers.len(), 1);
    assert!(state.numbers[0].voice && !state.numbers[0].sms);
    let other = Credentials {
        account_sid: "AC1",
        ..TWILIO
    };
    let unknown = client.check(other).await.unwrap_err();
    assert!(unknown.to_string().contains("`account_sid`"), "{unknown}");
}

const USER: &str = "MAFIXTURE00000000000";
const SECRET: &str = "fixture-api-secret";

/// Telephone systems whose API is only tested: the URL, and the successful answer.
const SYSTEMS: [(&str, &str, &str); 4] = [
    ("Aircall", "/v1/ping", r#"{"ping": "pong"}"#),
    (
        "Vonage",
        "/account/get-balance",
        r#"{"value": 10.28, "autoReload": false}"#,
    ),
    (
        "Exotel",
        "/v1/Accounts/saffron1/Calls.json",
        r#"{"Metadata": {"Total": 0}, "Calls": []}"#,
    ),
    (
        "Plivo",
        "/v1/Account/MAFIXTURE00000000000/",
        r#"{"account_type": "standard", "auth_id": "MAFIXTURE00000000000", "name": "Fixture"}"#,
    ),
];

async fn ask(system: &str, base: &str) -> Result<(), CheckError> {
    let told = match system {
        "Aircall" => {
            let asked = AircallClient::new(http(1), base).check(USER, SECRET, false).await;
            asked.map(|numbers| assert_eq!(numbers, None))
        }
        "Vonage" => VonageClient::new(http(1), base).check(USER, SECRET).await,
        "Exotel" => {
            let client = ExotelClient::new(http(1), base, NOWHERE);
            client.check(Cluster::Singapore, "saffron1", USER, SECRET).await
        }
        _ => PlivoClient::new(http(1), base).check(USER, SECRET).await,
    };
    if let Err(error) = &told {
        let shown = format!("{error:?} {error}");
        assert!(shown.contains(system), "{shown}");
        assert!(!shown.contains(SECRET) && !shown.contains(USER), "{shown}");
    }
    told
}

async fn check_with_answer(system: &str, answer: ResponseTemplate) -> Result<(), CheckError> {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(basic_auth(USER, SECRET))
        .and(header("user-agent", "ringback/test"))
        .respond_with(answer)
        .mount(&server)
        .await;
    let told = ask(system, &server.uri()).await;
    let sent = server.received_requests().await.unwrap();
    let (_, wanted, _) = SYSTEMS.iter().find(|(name, ..)| *name == system).unwrap();
    let paths: Vec<&str> = sent.iter().map(|request| request.url.path()).collect();
    assert_eq!(paths, [*wanted], "asked once");
    told
}

fn json_text(status: u16, body: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_raw(body.to_owned(), "application/json")
}

#[tokio::test]
async fn telephone_systems_acceptance_passes() {
    for (system, _, body) in SYSTEMS {
        let told = check_with_answer(system, json_text(200, body)).await;
        assert_eq!(told, Ok(()), "{system}");
    }
}

/// The sentence says what to correct, and the connection's health is unchanged.
#[tokio::test]
async fn telephone_systems_refusal_is_explained() {
    for (system, status, named) in [
        ("Aircall", 401, "`api_token`"),
        ("Aircall", 403, "`api_token`"),
        ("Vonage", 401, "`api_secret`"),
        ("Vonage", 403, "`api_secret`"),
        ("Exotel", 401, "`api_token`"),
        ("Exotel", 402, "plan"),
        ("Exotel", 403, "`account_sid`"),
        ("Exotel", 404, "`cluster`"),
        ("Plivo", 401, "`auth_token`"),
        ("Plivo", 403, "`auth_token`"),
        ("Plivo", 404, "`auth_id`"),
    ] {
        // Some quote the request.
        let quoting = format!(r#"{{"error": "{USER}:{SECRET} is wrong"}}"#);
        let refused = check_with_answer(system, json_text(status, &quoting))
            .await
            .unwrap_err();
        let CheckError::Refused {
            classified: None,
            reason,
            retry_after: None,
            denies: false,
        } = refused
        else {
            panic!("{system} {status}: {refused:?}");
        };
        assert!(reason.contains(named), "{system} {status}: {reason}");
    }
    for crooked in ["", "../x", "a/b", "a?b"] {
        let exotel = ExotelClient::new(http(1), NOWHERE, NOWHERE);
        let exotel = exotel.check(Cluster::Mumbai, crooked, USER, SECRET).await;
        let plivo = PlivoClient::new(http(1), NOWHERE).check(crooked, SECRET).await;
        for told in [exotel, plivo] {
            assert!(matches!(told, Err(CheckError::Refused { .. })), "{crooked}: {told:?}");
        }
    }
}

#[tokio::test]
async fn telephone_systems_silence_is_unclear() {
    let unclear = |system: &str, what: &str, told: Result<(), CheckError>| {
        let is_unclear = matches!(told, Err(CheckError::Unclear { .. }));
        assert!(is_unclear, "{system} {what}: {told:?}");
    };
    for (system, _, body) in SYSTEMS {
        for status in [302, 400, 429, 500, 503] {
            let told = check_with_answer(system, json_text(status, body)).await;
            unclear(system, &status.to_string(), told);
        }
        for other in ["", "<html>", "{}", "[]", r#""pong""#, "{\"ping\": \"pong"] {
            unclear(system, other, check_with_answer(system, json_text(200, other)).await);
        }
        unclear(system, "nowhere", ask(system, NOWHERE).await);
    }
    let silent = SYSTEMS.map(|(system, _, body)| async move {
        let late = json_text(200, body).set_delay(Duration::from_secs(60));
        unclear(system, "silent", check_with_answer(system, late).await);
    });
    futures::future::join_all(silent).await;
}

#[tokio::test]
async fn exotel_check_reads_one_call_in_its_cluster() {
    let (singapore, mumbai) = (MockServer::start().await, MockServer::start().await);
    Mock::given(path("/v1/Accounts/saffron1/Calls.json"))
        .and(query_param("PageSize", "1"))
        .and(basic_auth(USER, SECRET))
        .respond_with(json_text(200, r#"{"Calls": [{"Sid": "1", "From": "09876543210"}]}"#))
        .mount(&mumbai)
        .await;
    let client = ExotelClient::new(http(1), &singapore.uri(), &format!("{}/", mumbai.uri()));
    let told = client.check(Cluster::Mumbai, "saffron1", USER, SECRET).await;
    assert_eq!(told, Ok(()));
    assert_unasked(&singapore).await;
}

async fn aircalls_numbers(status: u16, body: Value) -> Result<Option<Vec<Phone>>, CheckError> {
    let server = MockServer::start().await;
    answers(&server, "/v1/ping".to_owned(), 200, json!({"ping": "pong"})).await;
    Mock::given(path("/v1/numbers"))
        .and(query_param("per_page", "50"))
        .and(basic_auth(USER, SECRET))
        .respond_with(json_answer(status, body))
        .mount(&server)
        .await;
    let client = AircallClient::new(http(1), &server.uri());
    client.check(USER, SECRET, true).await
}

#[tokio::test]
async fn aircalls_numbers_are_known_only_if_complete() {
    let page = |next: Value, digits: &[&str]| {
        let numbers: Vec<Value> = digits.iter().map(|digits| json!({"id": 1, "digits": digits})).collect();
        json!({"meta": {"next_page_link": next}, "numbers": numbers})
    };
    let both = ["+33 1 76 36 06 95", "+1 814-200-2472"];
    let known = aircalls_numbers(200, page(Value::Null, &both)).await.unwrap().unwrap();
    let known: Vec<String> = known.iter().map(ToString::to_string).collect();
    assert_eq!(known, ["+33176360695", "+18142002472"]);
    let none = aircalls_numbers(200, page(Value::Null, &[])).await;
    assert_eq!(none, Ok(Some(Vec::new())));
    let next = json!("https://api.aircall.io/v1/numbers?page=2");
    for unsure in [
        page(next, &both),
        page(Value::Null, &["+33 1 76 36 06 95", "on request"]),
        json!({"numbers": []}),
    ] {
        assert_eq!(aircalls_numbers(200, unsure.clone()).await, Ok(None), "{unsure}");
    }
    let refused = aircalls_numbers(403, json!({"error": "Forbidden"})).await;
    assert!(matches!(refused, Err(CheckError::Refused { .. })), "{refused:?}");
    for (status, body) in [(200, json!({})), (500, json!({})), (429, json!({}))] {
        let unclear = aircalls_numbers(status, body).await;
        assert!(matches!(unclear, Err(CheckError::Unclear { .. })), "{unclear:?}");
    }
}
