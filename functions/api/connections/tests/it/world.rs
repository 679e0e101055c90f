//! The providers' simulators, and the requests that connect to them.

use serde_json::{Value, from_value, json};
use testkit::api::Town;
use testkit::{Aws, seed};

pub(crate) const WABA: &str = "900000000000777";
pub(crate) const NUMBER_ID: &str = "910000000000777";
pub(crate) const TOKEN: &str = "a-system-users-token";
pub(crate) const APP_SECRET: &str = "the-meta-apps-secret";
pub(crate) const TWILIO_TOKEN: &str = "the-twilio-auth-token";
const ACCOUNT: &str = "AC000000000000000000000000000000f1";
const API_KEY: &str = "SK000000000000000000000000000000f1";
const NUMBER: &str = "+15005550006";

/// Telephone systems that have an API of their own.
pub(crate) const SYSTEMS: [&str; 4] = ["aircall", "vonage", "exotel", "plivo"];
/// Credentials that each of these APIs accepts.
pub(crate) const API_SECRET: &str = "a-telephone-systems-api-secret";
/// Credentials that none of them accepts.
pub(crate) const WRONG_SECRET: &str = "an-api-secret-of-nobody";
/// The number of each.
pub(crate) const LINE: &str = "+97145550001";
pub(crate) const AUTH_ID: &str = "MAXXXXXXXXXXXXXXXXXX";

pub(crate) fn whatsapp_in() -> Value {
    json!({
        "kind": "whatsapp", "name": "WhatsApp", "waba_id": WABA, "phone_number_id": NUMBER_ID,
        "display_number": "+97145550001", "credentials": {"access_token": TOKEN, "app_secret": APP_SECRET},
    })
}

pub(crate) fn twilio_in() -> Value {
    json!({
        "kind": "twilio", "name": "Twilio", "account_sid": ACCOUNT, "numbers": [NUMBER],
        "voice": {"handling": "greet", "greeting": [{"language": "en-GB", "text": "We call you back."}]},
        "credentials": {"auth_token": TWILIO_TOKEN, "api_key_sid": API_KEY, "api_key_secret": "api-key-secret-1"},
    })
}

pub(crate) fn telephony_in() -> Value {
    json!({"kind": "telephony", "name": "Front desk"})
}

/// Connects one of [`SYSTEMS`] as an operator does, who may give credentials of its API; its id.
pub(crate) async fn connect(town: &Town<'_>, kind: &str, api_secret: Option<&str>) -> String {
    let (mut account, mut verify, mut send) = match kind {
        "aircall" => (
            json!({"numbers": [LINE]}),
            json!({"tokens": ["aircall-token-1"]}),
            json!({"api_id": "api-key-1", "api_token": api_secret}),
        ),
        "vonage" => (
            json!({"api_key": "abcd1234"}),
            json!({"signature_secrets": ["vonage-secret-1"]}),
            json!({"api_secret": api_secret}),
        ),
        "exotel" => (
            json!({"account_sid": "saffron1"}),
            json!({"url_secrets": ["exotel-secret-1"]}),
            json!({"api_key": "api-key-1", "api_token": api_secret}),
        ),
        _ => (
            json!({"auth_id": AUTH_ID}),
            json!({"auth_tokens": ["plivo-token-1"]}),
            json!({"auth_token": api_secret}),
        ),
    };
    for part in [&mut account, &mut verify, &mut send] {
        part["kind"] = json!(kind);
    }
    store(town, account, verify, api_secret.map(|_| send)).await
}

/// Stores a connection as it could be created by then; its id.
pub(crate) async fn store(town: &Town<'_>, account: Value, verify: Value, send: Option<Value>) -> String {
    let aws = town.aws();
    let account = from_value(account).expect("it is an account");
    let verify = from_value(verify).expect("it verifies");
    let send = send.map(|send| from_value(send).expect("its API takes it"));
    let connection = seed::connection(aws, town.home.tenant, account, &verify, send.as_ref()).await;
    let stamp = aws.stamp();
    let store = aws.store();
    let made = store.create_connection(town.home.scope(), &connection, false, &stamp);
    Box::pin(made).await.expect("it is connected");
    connection.id.to_string()
}

pub(crate) struct World {
    simulators: simulators::Running,
    http: reqwest::Client,
}

impl World {
    /// Starts the simulators, and a town whose function calls them.
    pub(crate) async fn start(aws: &Aws) -> (Self, Town<'_>) {
        Self::start_with(aws, &[]).await
    }

    /// Like [`Self::start`], with these additional variables of the function.
    pub(crate) async fn start_with<'a>(aws: &'a Aws, variables: &[(&str, &str)]) -> (Self, Town<'a>) {
        let config = json!({"tenants": [{
            "id": "any", "name": "Saffron Bakery",
            "twilio": {
                "connection": "any", "account_sid": ACCOUNT, "auth_token": TWILIO_TOKEN, "api_key_sid": API_KEY,
                "api_key_secret": "api-key-secret-1", "numbers": [NUMBER],
            },
            "whatsapp": {
                "connection": "any", "waba_id": WABA, "phone_number_id": NUMBER_ID, "display_number": "+97145550001",
                "access_token": TOKEN, "app_secret": APP_SECRET, "verify_token": "any", "marketing_terms": true,
            },
            "aircall": {
                "connection": "any", "token": "any", "number": LINE, "api_id": "api-key-1", "api_token": API_SECRET,
            },
            "vonage": {
                "connection": "any", "api_key": "abcd1234", "application_id": "any", "signature_secret": "any",
                "number": LINE, "api_secret": API_SECRET,
            },
            "exotel": {
                "connection": "any", "url_secret": "any", "number": LINE, "account_sid": "saffron1",
                "api_key": "api-key-1", "api_token": API_SECRET,
            },
            "plivo": {"connection": "any", "auth_token": API_SECRET, "number": LINE, "auth_id": AUTH_ID},
        }]});
        let config = from_value(config).expect("it is a configuration");
        let world = Self {
            simulators: simulators::start(config).await.expect("the simulators start"),
            http: reqwest::Client::builder().no_proxy().build().expect("a client is made"),
        };
        let url = world.simulators.url();
        let providers: [(&str, &str); 9] = [
            ("GRAPH_API_URL", &url),
            ("GRAPH_API_VERSION", "v26.0"),
            ("TWILIO_API_URL", &url),
            ("AIRCALL_API_URL", &url),
            ("VONAGE_API_URL", &url),
            ("EXOTEL_API_URL", &url),
            // Nobody is there.
            ("EXOTEL_INDIA_API_URL", "http://127.0.0.1:1"),
            ("PLIVO_API_URL", &url),
            ("PROVIDER_TIMEOUT", "1"),
        ];
        let env = aws.env_with(&[&providers, variables].concat());
        (world, Town::with_env(aws, &env, connections::routes).await)
    }

    pub(crate) async fn fault(&self, api: &str, kind: &str) {
        let url = format!("{}/faults", self.simulators.url());
        let fault = json!({"api": api, "kind": kind, "seconds": 3});
        let answer = self.http.post(url).json(&fault).send().await;
        assert!(answer.expect("the simulators answer").status().is_success());
    }

    pub(crate) async fn no_faults(&self) {
        let url = format!("{}/faults", self.simulators.url());
        let answer = self.http.put(url).json(&json!([])).send().await;
        assert!(answer.expect("the simulators answer").status().is_success());
    }
}
