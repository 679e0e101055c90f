//! Senders of SMS: what Twilio's own library is told by the simulators ([its test](../../../../infra/simulators/tests/clients)), ours is told,
//! too, and the rules of countries foresee it.

use domain::destinations::{Origin, RuleKind, Sms};
use domain::messages::SendOutcome;
use domain::terms::{Category, Recipient};
use providers::twilio::client::{Credentials, Sender, TwilioClient};
use serde_json::{Value, from_str, from_value, json};

use crate::sending::{key, text};
use crate::server::http;

const ACCOUNT: Credentials<'static> = Credentials {
    api_key_sid: "SKa",
    api_key_secret: "secret-a",
    account_sid: "AC000000000000000000000000000000a1",
};
const REGISTERED: [&str; 2] = ["FIXTURE", "AD-FIXTURE"];
const BODY: &str = "Your order is ready.";

#[tokio::test]
async fn senders_that_twilio_refuses_are_refused_for_ours() {
    let cases = include_str!("../../../../infra/simulators/tests/clients/senders.json");
    let cases: Vec<Value> = from_str(cases).unwrap();
    let config = json!({"tenants": [{
        "id": "any", "name": "Fixture Hair",
        "twilio": {
            "connection": "any", "account_sid": ACCOUNT.account_sid, "auth_token": "any", "api_key_sid": ACCOUNT.api_key_sid,
            "api_key_secret": ACCOUNT.api_key_secret, "numbers": ["+15005550006"], "registered_letters": REGISTERED,
            "numbers_blocked_to": ["+971"],
        },
    }]});
    let running = simulators::start(from_value(config).unwrap()).await.unwrap();
    let client = TwilioClient::new(http(10), &running.url());
    for case in cases {
        let (to, from) = (&case["to"], case["from"].as_str().unwrap());
        let to: Recipient = from_value(json!({ "phone": to })).unwrap();
        let number = from.parse().ok();
        let (sender, origin) = match &number {
            Some(number) => (Sender::Number(number), Origin::Number),
            None => {
                let registered = REGISTERED.contains(&from);
                (
                    Sender::Letters(from),
                    Origin::Letters {
                        sender: from,
                        registered,
                    },
                )
            }
        };
        let outcome = client.send(ACCOUNT, sender, &to, &text(BODY), key(), None).await;
        let code = match outcome {
            SendOutcome::Accepted { .. } => Value::Null,
            SendOutcome::Refused { code, .. } => json!(code),
            other => panic!("{other:?}"),
        };
        assert_eq!(code, case["code"], "{case}");
        let sms = Sms {
            country: to.country(),
            category: Category::Utility,
            origin,
            text: BODY,
            confirmed: &[],
        };
        let foreseen = sms.broken_rules().any(|rule| rule.kind() == RuleKind::Senders);
        assert_eq!(foreseen, !code.is_null(), "{case}");
    }
}
