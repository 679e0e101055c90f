//! The time of an answer must not reveal whether an address has an account. The requests to AWS are counted per process, so no
//! other test of this binary may make any.

use domain::accounts::Role;
use serde_json::{Value, json};
use store::table::usage::{Usage, take};
use testkit::Aws;
use testkit::api::{PASSWORD, Town};

const UNKNOWN: &str = "nobody@nowhere.example";

async fn measure_usage(town: &Town<'_>, path: &str, body: Value, status: u16) -> Usage {
    let _before = take();
    let answer = town.anyone().post(path, body).await;
    assert_eq!(answer.status(), status, "{}", answer.text());
    take()
}

#[tokio::test]
async fn unknown_addresses_take_the_work_of_known_ones() {
    let aws = Aws::new().await;
    let secret = format!("test-auth-{}", aws.ids().ulid());
    let made = aws.env().secrets_manager().create_secret().name(&secret);
    let made = made.secret_string(r#"{"signing_keys": [], "sealing_key": "of a test"}"#);
    made.send().await.expect("the secret is made");
    let variables = [
        ("AUTH_SECRET_ID", secret.as_str()),
        ("AUTH_LIMIT_FACTOR", "100"),
        ("SIGN_UP", "open"),
    ];
    let env = aws.env_with(&variables);
    let town = Town::with_env(&aws, &env, crate::routes).await;
    // A process that has just begun reads the mails' secret for either. Only the known one's link is written, counted and sent.
    let forgot = |email: &str| json!({"email": email});
    let path = "/api/v1/auth/forgot-password";
    let nobodys = measure_usage(&town, path, forgot(UNKNOWN), 202).await;
    assert_eq!(
        nobodys.actions.get("secretsmanager:GetSecretValue"),
        Some(&1),
        "{nobodys:?}"
    );
    let known = town.home.person(Role::Admin).email.as_str();
    let mut told = measure_usage(&town, path, forgot(known), 202).await.actions;
    for (action, times) in [
        ("dynamodb:PutItem", 1),
        ("sqs:SendMessage", 1),
        ("dynamodb:UpdateItem", 2),
    ] {
        *told.get_mut(action).expect("it is asked for") -= times;
    }
    told.retain(|_, times| *times > 0);
    told.insert("secretsmanager:GetSecretValue", 1);
    assert_eq!(nobodys.actions, told);
    let known = town.home.person(Role::Admin).email.as_str();
    let log_in = |email: &str| json!({"email": email, "password": format!("not {PASSWORD}")});
    let path = "/api/v1/auth/log-in";
    let wrong = measure_usage(&town, path, log_in(known), 401).await;
    assert_eq!(wrong, measure_usage(&town, path, log_in(UNKNOWN), 401).await);
    assert!(wrong.requests > 2, "{wrong:?}");
    let sign_up = |email: &str, slug: &str| {
        json!({
            "business": "Saffron Bakery", "slug": slug, "email": email, "name": "Maya",
            "password": "seven quiet lanterns", "time_zone": "Asia/Dubai",
        })
    };
    let path = "/api/v1/auth/sign-up";
    // What a process reads once is no difference.
    measure_usage(&town, path, sign_up("warm@nowhere.example", "warm"), 202).await;
    let told = measure_usage(&town, path, sign_up(known, "saffron"), 202).await;
    let begun = measure_usage(&town, path, sign_up(UNKNOWN, "saffron-2"), 202).await;
    // One transaction either way, of one row or two.
    let mut expected = told.actions;
    *expected.entry("dynamodb:PutItem").or_default() += 1;
    assert_eq!(begun.actions, expected);
}
