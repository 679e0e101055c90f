//! The function with a secret of its own, and people who sign up through it.

use std::collections::BTreeMap;

use access::{Authenticator, Credentials};
use auth::routes;
use domain::accounts::{Account, Role};
use domain::terms::UserId;
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
    /// The authentication of people by other functions.
    pub(crate) authenticator: Authenticator,
    secret: String,
}

/// Somebody who signed up and followed the link.
pub(crate) struct Newcomer {
    pub(crate) email: String,
    pub(crate) user: UserId,
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl Newcomer {
    /// The person with this address who gets this session.
    pub(crate) fn of(email: &str, session: &Value) -> Self {
        Self {
            email: email.to_owned(),
            user: text(&session["user"]["id"]).parse().expect("an id"),
            access: text(&session["access_token"]),
            refresh: text(&session["refresh_token"]),
        }
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(&[]).await
    }

    /// With a person whose business is `saffron`.
    pub(crate) async fn with_newcomer() -> (Self, Newcomer) {
        let world = Self::new().await;
        let maya = world.newcomer("saffron").await;
        (world, maya)
    }

    /// For tests of many people at once: limits a thousand times as high.
    pub(crate) async fn with_high_limits() -> Self {
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
            authenticator: Authenticator::new(aws.store()),
            aws,
            secret,
        }
    }

    /// Another process of the function.
    pub(crate) fn start_process(&self, variables: &[(&str, &str)]) -> Function {
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
        self.call(&with_token(call, token)).await
    }

    pub(crate) async fn get_as(&self, token: &str, path: &str) -> Answer {
        self.call_as(token, Call::get(path)).await
    }

    /// The answers to calls at the same time.
    pub(crate) async fn all(&self, calls: impl IntoIterator<Item = Call>) -> Vec<Answer> {
        let calls: Vec<_> = calls.into_iter().collect();
        join_all(calls.iter().map(|call| self.function.call(call))).await
    }

    /// The number of these answers by status.
    pub(crate) async fn statuses(&self, calls: impl IntoIterator<Item = Call>) -> BTreeMap<u16, usize> {
        let mut counts = BTreeMap::new();
        for answer in self.all(calls).await {
            *counts.entry(answer.status()).or_default() += 1;
        }
        counts
    }

    /// The number of these answers with this status.
    pub(crate) async fn count(&self, status: u16, calls: impl IntoIterator<Item = Call>) -> usize {
        let statuses = self.statuses(calls).await;
        statuses.get(&status).copied().unwrap_or_default()
    }

    /// The role of this token's user in another function and this tenant, if the token is accepted.
    pub(crate) async fn role_in(&self, tenant: Option<&str>, token: &str) -> Option<Role> {
        let sent = Credentials {
            bearer: Some(token),
            tenant,
            ..Credentials::default()
        };
        let principal = self.authenticator.principal(sent, self.aws.now()).await;
        principal.ok().map(|principal| principal.role())
    }

    pub(crate) async fn mails(&self) -> Vec<MailJob> {
        self.aws.take_mails().await
    }

    pub(crate) async fn only_mail(&self) -> MailJob {
        let mut mails = self.mails().await;
        assert_eq!(mails.len(), 1, "{mails:?}");
        mails.remove(0)
    }

    /// The token in the link of the only mail.
    pub(crate) async fn link(&self) -> String {
        token_of(&self.only_mail().await)
    }

    /// A person with a business of this name.
    pub(crate) async fn newcomer(&self, slug: &str) -> Newcomer {
        let email = format!("maya@{slug}.example");
        // Each from an address of their own: there are limits.
        let answer = self.call(&sign_up(slug, &email).from_address(&address(slug))).await;
        answer.is(202);
        let answer = self.call(&confirm(&self.link().await, PASSWORD)).await;
        Newcomer::of(&email, &answer.is(201).json())
    }

    pub(crate) async fn log_in(&self, email: &str) -> Value {
        self.call(&log_in(email, PASSWORD)).await.is(200).json()
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
    let mut all = vec![
        ("AUTH_SECRET_ID", secret),
        ("APP_URL", "https://app.example"),
        ("SIGN_UP", "open"),
    ];
    all.extend(variables);
    aws.env_with(&all)
}

pub(crate) fn post(path: &str, body: &Value) -> Call {
    Call::json(path, body.to_string())
}

/// A call of this method with a body of JSON.
pub(crate) fn call_with(method: &str, path: &str, body: &Value) -> Call {
    let call = Call::new(method, path).header("content-type", "application/json");
    call.body(body.to_string())
}

pub(crate) fn with_token(call: Call, token: &str) -> Call {
    call.header("authorization", &format!("Bearer {token}"))
}

/// The token in a mail's link.
pub(crate) fn token_of(job: &MailJob) -> String {
    match &job.mail {
        Mail::VerifyEmail { link, .. } | Mail::ResetPassword { link } => {
            let url = link.url().expect("the link is open");
            url.split_once("?token=").expect("the link has a token").1.to_owned()
        }
        other => panic!("{other:?}"),
    }
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

/// A request for a link to set a new password.
pub(crate) fn forgot(email: &str) -> Call {
    post("/api/v1/auth/forgot-password", &json!({"email": email}))
}

pub(crate) fn reset(token: &str, password: &str) -> Call {
    post(
        "/api/v1/auth/reset-password",
        &json!({"token": token, "password": password}),
    )
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}
