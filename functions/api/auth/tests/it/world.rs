//! The function with a secret of its own, and people who sign up through it.

use std::collections::BTreeMap;

use auth::routes;
use domain::{accounts::account::Account, base::ids::UserId};
use futures::future::join_all;
use jobs::{Mail, MailJob};
use kit::Env;
use serde_json::{Value, json};
use store::Versioned;
use testkit::{Answer, Aws, Call, Function};

pub(crate) const PASSWORD: &str = "seven quiet lanterns";

/// A table and a secret for one test.
pub(crate) struct World {
    pub(crate) aws: Aws,
    pub(crate) function: Function,
    secret: String,
}

/// Somebody who signed up and followed the link.
pub(crate) struct Newcomer {
    pub(crate) email: String,
    pub(crate) user: UserId,
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(&[]).await
    }

    /// For tests of many people at once: limits a thousand times as high.
    pub(crate) async fn unlimited() -> Self {
        Self::with(&[("AUTH_LIMIT_FACTOR", "1000")]).await
    }

    async fn with(variables: &[(&str, &str)]) -> Self {
        let aws = Aws::new().await;
        let secret = format!("test-auth-{}", aws.ids().ulid());
        let made = aws.env().secrets_manager().create_secret().name(&secret);
        let made = made.secret_string(r#"{"signing_keys": [], "sealing_key": "of a test"}"#);
        made.send().await.expect("the secret is made");
        let env = env(&aws, &secret, variables);
        Self {
            function: Function::new(&env, routes),
            aws,
            secret,
        }
    }

    /// Another process of the function.
    pub(crate) fn another(&self, variables: &[(&str, &str)]) -> Function {
        Function::new(&env(&self.aws, &self.secret, variables), routes)
    }

    pub(crate) async fn call(&self, call: &Call) -> Answer {
        self.function.call(call).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(&post(path, &body)).await
    }

    pub(crate) async fn post_as(&self, token: &str, path: &str, body: Value) -> Answer {
        self.call_as(token, post(path, &body)).await
    }

    pub(crate) async fn call_as(&self, token: &str, call: Call) -> Answer {
        let call = call.header("authorization", &format!("Bearer {token}"));
        self.call(&call).await
    }

    pub(crate) async fn get_as(&self, token: &str, path: &str) -> Answer {
        self.call_as(token, Call::get(path)).await
    }

    pub(crate) async fn all(&self, calls: &[Call]) -> Vec<Answer> {
        join_all(calls.iter().map(|call| self.function.call(call))).await
    }

    pub(crate) async fn mails(&self) -> Vec<MailJob> {
        self.aws.take_mails().await
    }

    /// The token in the link of the only mail.
    pub(crate) async fn link(&self) -> String {
        let mut mails = self.mails().await;
        assert_eq!(mails.len(), 1, "{mails:?}");
        match mails.remove(0).mail {
            Mail::VerifyEmail { link, .. } | Mail::ResetPassword { link } => {
                let url = link.url().expect("the link is open");
                url.split_once("?token=").expect("the link has a token").1.to_owned()
            }
            other => panic!("{other:?}"),
        }
    }

    /// A person with a business of this name.
    pub(crate) async fn newcomer(&self, slug: &str) -> Newcomer {
        let email = format!("maya@{slug}.example");
        // Each from an address of their own: there are limits.
        let answer = self.call(&sign_up(slug, &email).from_address(&address(slug))).await;
        answer.is(202);
        let answer = self.call(&confirm(&self.link().await, PASSWORD)).await;
        let body = answer.is(201).json();
        Newcomer {
            email,
            user: text(&body["user"]["id"]).parse().expect("an id"),
            access: text(&body["access_token"]),
            refresh: text(&body["refresh_token"]),
        }
    }

    pub(crate) async fn log_in(&self, email: &str) -> Value {
        let answer = self
            .post("/api/v1/auth/log-in", json!({"email": email, "password": PASSWORD}))
            .await;
        answer.is(200).json()
    }

    pub(crate) async fn refresh(&self, token: &str) -> Answer {
        self.post("/api/v1/auth/refresh", json!({"refresh_token": token})).await
    }

    pub(crate) async fn account(&self, user: UserId) -> Versioned<Account> {
        let account = self.aws.store().account(user).await.expect("the table answers");
        account.expect("there is an account")
    }

    /// The whole table, as text.
    pub(crate) async fn table(&self) -> String {
        format!("{:?}", self.aws.rows().await)
    }
}

fn env(aws: &Aws, secret: &str, variables: &[(&str, &str)]) -> Env {
    let mut all = vec![("AUTH_SECRET_ID", secret), ("APP_URL", "https://app.example")];
    all.extend(variables);
    aws.env_with(&all)
}

pub(crate) fn post(path: &str, body: &Value) -> Call {
    Call::json(path, body.to_string())
}

/// An IP address derived from a word.
fn address(word: &str) -> String {
    let sum = word
        .bytes()
        .fold(7u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    let [_, b, c, d] = sum.to_be_bytes();
    format!("10.{b}.{c}.{d}")
}

pub(crate) fn sign_up_body(slug: &str, email: &str) -> Value {
    json!({
        "business": "Saffron Bakery",
        "slug": slug,
        "email": email,
        "name": "Maya Haddad",
        "password": PASSWORD,
        "time_zone": "Asia/Dubai",
    })
}

pub(crate) fn sign_up(slug: &str, email: &str) -> Call {
    post("/api/v1/auth/sign-up", &sign_up_body(slug, email))
}

pub(crate) fn confirm(token: &str, password: &str) -> Call {
    post(
        "/api/v1/auth/verify-email",
        &json!({"token": token, "password": password}),
    )
}

pub(crate) fn log_in(email: &str, password: &str) -> Call {
    post("/api/v1/auth/log-in", &json!({"email": email, "password": password}))
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// Number of answers by status.
pub(crate) fn statuses(answers: &[Answer]) -> BTreeMap<u16, usize> {
    let mut counts = BTreeMap::new();
    for answer in answers {
        *counts.entry(answer.status()).or_default() += 1;
    }
    counts
}
