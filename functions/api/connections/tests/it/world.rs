//! The providers' simulators, and what is sent to connect to them.

use serde_json::{Value, json};
use testkit::{Aws, api::Town};

pub(crate) const WABA: &str = "900000000000777";
pub(crate) const NUMBER_ID: &str = "910000000000777";
pub(crate) const TOKEN: &str = "a-system-users-token";
pub(crate) const APP_SECRET: &str = "the-meta-apps-secret";
pub(crate) const TWILIO_TOKEN: &str = "the-twilio-auth-token";
const ACCOUNT: &str = "AC000000000000000000000000000000f1";
const API_KEY: &str = "SK000000000000000000000000000000f1";
const NUMBER: &str = "+15005550006";

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

pub(crate) struct World {
    simulators: simulators::Running,
    http: reqwest::Client,
}

impl World {
    pub(crate) async fn start() -> Self {
        let config = json!({"tenants": [{
            "id": "any", "name": "Saffron Bakery",
            "twilio": {
                "connection": "any", "account_sid": ACCOUNT, "auth_token": TWILIO_TOKEN, "api_key_sid": API_KEY,
                "api_key_secret": "api-key-secret-1", "numbers": [NUMBER],
            },
            "whatsapp": {
                "connection": "any", "waba_id": WABA, "phone_number_id": NUMBER_ID, "display_number": "+97145550001",
                "access_token": TOKEN, "app_secret": APP_SECRET, "verify_token": "any",
            },
        }]});
        let config = serde_json::from_value(config).expect("it is a configuration");
        Self {
            simulators: simulators::start(config).await.expect("the simulators start"),
            http: reqwest::Client::builder().no_proxy().build().expect("a client is made"),
        }
    }

    pub(crate) async fn town<'a>(&self, aws: &'a Aws) -> Town<'a> {
        let url = self.simulators.url();
        let env = aws.env_with(&[
            ("GRAPH_API_URL", &url),
            ("GRAPH_API_VERSION", "v26.0"),
            ("TWILIO_API_URL", &url),
            ("PROVIDER_TIMEOUT", "1"),
        ]);
        Town::with_env(aws, &env, connections::routes).await
    }

    pub(crate) async fn fault(&self, api: &str, kind: &str) {
        let url = format!("{}/faults", self.simulators.url());
        let fault = json!({"api": api, "kind": kind, "seconds": 3});
        let answer = self
            .http
            .post(url)
            .json(&fault)
            .send()
            .await
            .expect("the simulators answer");
        assert!(answer.status().is_success());
    }

    pub(crate) async fn no_faults(&self) {
        let url = format!("{}/faults", self.simulators.url());
        self.http.delete(url).send().await.expect("the simulators answer");
    }
}
