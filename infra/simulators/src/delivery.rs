//! Webhooks to Ringback, repeated until it answers 2xx. Twilio's are repeated only as often as their URLs ask for.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reqwest::header::CONTENT_TYPE;
use serde::Serialize;
use tokio::sync::{Semaphore, watch};

use crate::clock::Clock;
use crate::config::Delivery;
use crate::twilio::Overrides;
use crate::{lock, signatures};

/// A webhook before it is signed. Each attempt is signed separately, because Standard Webhooks signs the time of the attempt.
#[derive(Clone, Debug)]
pub(crate) struct Webhook {
    /// For people: `status delivered`, `voice`, `call.ended`.
    pub(crate) what: String,
    pub(crate) tenant: String,
    pub(crate) url: String,
    pub(crate) body: Body,
}

#[derive(Clone, Debug)]
pub(crate) enum Body {
    Meta {
        app_secret: String,
        json: Vec<u8>,
    },
    Twilio {
        auth_token: String,
        form: Vec<(String, String)>,
        idempotency_token: String,
    },
    Telephony {
        secret: String,
        id: String,
        json: Vec<u8>,
    },
    /// Not signed: the proof is in the body.
    Json {
        json: Vec<u8>,
    },
    /// Not signed: the proof is in the URL.
    Get,
    Vonage {
        signature_secret: String,
        api_key: String,
        application_id: String,
        json: Vec<u8>,
    },
    Plivo {
        auth_token: String,
        form: Vec<(String, String)>,
    },
}

/// Result of one webhook.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// The last answer; 0 when there was none.
    pub(crate) status: u16,
    pub(crate) body: String,
    cause: Cause,
}

/// Result of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// An answer with this status.
    Status(u16),
    /// The connection was refused.
    Connect,
    /// No answer in time.
    Read,
    /// An answer that ended too early.
    BrokenOff,
}

impl Outcome {
    pub(crate) fn was_delivered(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

#[derive(Debug)]
pub(crate) struct Deliveries {
    http: reqwest::Client,
    slots: Semaphore,
    counts: Mutex<Counts>,
    clock: Arc<Clock>,
    stop: watch::Receiver<bool>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Counts {
    /// Not yet answered 2xx and not given up.
    pub(crate) pending: u64,
    pub(crate) delivered: u64,
    /// Given up after the last attempt, or refused permanently.
    pub(crate) failed: u64,
    pub(crate) attempts: u64,
    /// Failed webhooks, newest last, at most fifty, without bodies and numbers.
    pub(crate) failures: Vec<Failure>,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Failure {
    what: String,
    tenant: String,
    status: u16,
    attempts: u32,
}

/// Counts a webhook as pending while it exists, so that a cancelled task does not stay pending forever.
struct Pending<'a>(&'a Deliveries);

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        lock(&self.0.counts).pending -= 1;
    }
}

impl Deliveries {
    pub(crate) fn new(
        http: reqwest::Client,
        concurrency: usize,
        clock: Arc<Clock>,
        stop: watch::Receiver<bool>,
    ) -> Self {
        Self {
            http,
            slots: Semaphore::new(concurrency.max(1)),
            counts: Mutex::default(),
            clock,
            stop,
        }
    }

    pub(crate) fn counts(&self) -> Counts {
        lock(&self.counts).clone()
    }

    /// Delivers one webhook, however long it takes.
    pub(crate) async fn deliver(&self, webhook: &Webhook, how: Delivery) -> Outcome {
        lock(&self.counts).pending += 1;
        let _pending = Pending(self);
        let is_twilio = matches!(webhook.body, Body::Twilio { .. });
        let patience = if is_twilio { how.twilio_patience } else { 1 };
        let twilio = is_twilio.then(|| Overrides::of(&webhook.url).with_patience(patience));
        let patient = |milliseconds| Duration::from_millis(milliseconds) * patience;
        let (mut pause, timeout) = (patient(how.first_backoff_ms), patient(how.timeout_ms));
        let (mut attempt, mut spent) = (1, Duration::ZERO);
        loop {
            let next = twilio.as_ref().map(|overrides| overrides.next_try(spent));
            let (outcome, took) = self
                .attempt(webhook, next.map_or(timeout, |next| next.min(timeout)))
                .await;
            // Twilio does not document the time between attempts.
            spent += took + pause;
            lock(&self.counts).attempts += 1;
            if outcome.was_delivered() {
                lock(&self.counts).delivered += 1;
                return outcome;
            }
            let for_good = match (&twilio, &webhook.body) {
                (Some(overrides), _) => !overrides.may_retry(attempt, spent, outcome.cause),
                (None, Body::Telephony { .. }) => matches!(outcome.status, 413 | 422),
                _ => false,
            };
            if for_good || attempt >= how.attempts || *self.stop.borrow() {
                self.give_up(webhook, outcome.status, attempt);
                return outcome;
            }
            let mut stop = self.stop.clone();
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = stop.wait_for(|stop| *stop) => {}
            }
            pause = (pause * 2).min(patient(how.max_backoff_ms));
            attempt += 1;
        }
    }

    /// A plain GET, once: the webhook handshake.
    pub(crate) async fn get(&self, url: &str) -> Result<(u16, String), reqwest::Error> {
        let answer = self.http.get(url).timeout(Duration::from_secs(15)).send().await?;
        Ok((answer.status().as_u16(), answer.text().await?))
    }

    fn give_up(&self, webhook: &Webhook, status: u16, attempts: u32) {
        let mut counts = lock(&self.counts);
        counts.failed += 1;
        if counts.failures.len() == 50 {
            counts.failures.remove(0);
        }
        counts.failures.push(Failure {
            what: webhook.what.clone(),
            tenant: webhook.tenant.clone(),
            status,
            attempts,
        });
    }

    /// Makes an attempt. Returns its duration, too.
    async fn attempt(&self, webhook: &Webhook, timeout: Duration) -> (Outcome, Duration) {
        let _slot = self.slots.acquire().await.expect("the semaphore is never closed");
        let began = Instant::now();
        let outcome = match self.request(webhook) {
            Ok(request) => send_request(request.timeout(timeout)).await,
            Err(reason) => Outcome {
                status: 0,
                body: reason,
                cause: Cause::Connect,
            },
        };
        (outcome, began.elapsed())
    }

    fn request(&self, webhook: &Webhook) -> Result<reqwest::RequestBuilder, String> {
        // Twilio signs the URL without its fragment, which never travels.
        let url = webhook.url.split('#').next().unwrap_or_default();
        let json = |json: &[u8]| {
            let request = self.http.post(url).header(CONTENT_TYPE, "application/json");
            request.body(json.to_vec())
        };
        let form = |kind: &str, form: &[(String, String)]| {
            let request = self.http.post(url).header(CONTENT_TYPE, kind);
            request.body(encode_pairs(form))
        };
        Ok(match &webhook.body {
            Body::Meta {
                app_secret,
                json: event,
            } => json(event).header("X-Hub-Signature-256", signatures::meta(app_secret, event)),
            Body::Twilio {
                auth_token,
                form: fields,
                idempotency_token,
            } => form("application/x-www-form-urlencoded; charset=UTF-8", fields)
                .header("x-twilio-signature", signatures::twilio(auth_token, url, fields))
                .header("i-twilio-idempotency-token", idempotency_token)
                .header("User-Agent", "TwilioProxy/1.1"),
            Body::Json { json: event } => json(event),
            Body::Get => self.http.get(url),
            Body::Vonage {
                signature_secret,
                api_key,
                application_id,
                json: event,
            } => {
                let now = self.clock.now();
                let (iat, jti) = (now.as_second(), now.as_nanosecond().to_string());
                let token = signatures::vonage(signature_secret, api_key, application_id, iat, &jti, event);
                json(event).header("authorization", token)
            }
            Body::Plivo {
                auth_token,
                form: fields,
            } => {
                let nonce = self.clock.now().as_nanosecond().to_string();
                form("application/x-www-form-urlencoded", fields)
                    .header(
                        "x-plivo-signature-v3",
                        signatures::plivo(auth_token, url, fields, &nonce),
                    )
                    .header("x-plivo-signature-v3-nonce", nonce)
            }
            Body::Telephony {
                secret,
                id,
                json: event,
            } => {
                let timestamp = self.clock.now().as_second();
                let signature = signatures::standard_webhooks(secret, id, timestamp, event)?;
                json(event)
                    .header("webhook-id", id)
                    .header("webhook-timestamp", timestamp.to_string())
                    .header("webhook-signature", signature)
            }
        })
    }
}

/// Names and values as a form or a query.
pub(crate) fn encode_pairs<N: AsRef<str>, V: AsRef<str>>(pairs: &[(N, V)]) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(pairs).finish()
}

async fn send_request(request: reqwest::RequestBuilder) -> Outcome {
    let none = |cause: Cause, error: &reqwest::Error| Outcome {
        status: 0,
        body: error.to_string(),
        cause,
    };
    match request.send().await {
        Ok(answer) => {
            let status = answer.status().as_u16();
            // A body that ends early is no answer.
            match answer.text().await {
                Ok(body) => Outcome {
                    status,
                    body,
                    cause: Cause::Status(status),
                },
                Err(error) => none(Cause::BrokenOff, &error),
            }
        }
        Err(error) if error.is_connect() => none(Cause::Connect, &error),
        Err(error) => none(Cause::Read, &error),
    }
}

/// JSON as Meta writes it, with everything beyond ASCII and every `/` escaped, which exposes receivers that re-serialize the body
/// before checking the signature.
pub(crate) fn meta_json(value: &serde_json::Value) -> Vec<u8> {
    let plain = value.to_string();
    let mut escaped = String::with_capacity(plain.len());
    for c in plain.chars() {
        match c {
            '/' => escaped.push_str("\\/"),
            c if c.is_ascii() => escaped.push(c),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    escaped.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    escaped.into_bytes()
}
