//! Requests with an idempotency key: each has its effect once, and its answer is kept for who asks again.

use domain::Timestamp;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::{
    Store, StoreError, TenantScope, keys,
    row::{self, Condition, Row},
};

/// Answers are kept this long.
pub const LIFETIME: SignedDuration = SignedDuration::from_hours(24);

/// A request that takes longer has died: another may take its place.
pub const LEASE: SignedDuration = SignedDuration::from_secs(60);

/// What names one request: who asks (`usr_…` or `key_…`), and the SHA-256 of route and key in hex.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKey {
    /// Who asks.
    pub who: String,
    /// SHA-256 of route and key, in hex.
    pub sha256: String,
}

/// A kept answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptAnswer {
    /// HTTP status.
    pub status: u16,
    /// Headers worth repeating: `location`, `etag`, `content-type`.
    pub headers: Vec<(String, String)>,
    /// The body. `None`: it held a secret that is shown once.
    pub body: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    /// SHA-256 of the body, in hex.
    body_sha256: String,
    /// From which new ids of this request are derived, so that a second try after a crash names the same objects.
    seed: String,
    /// Until when the request that runs may take.
    leased_until: Timestamp,
    /// The answer, once there is one.
    answer: Option<KeptAnswer>,
}

/// How a request with a key begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// Go on. New ids come from this seed, which is the same whenever this request is tried again.
    Run {
        /// The seed.
        seed: String,
        /// The record's version, for [`Store::finish_request`].
        version: u64,
    },
    /// Another one with this key is still running.
    Running,
    /// It was answered.
    Answered(KeptAnswer),
    /// The key was used for another body.
    OtherBody,
}

impl Store {
    /// Begins a request with a key: one write; a read besides where the key is known.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn begin_request(
        &self,
        scope: &TenantScope,
        request: &RequestKey,
        body_sha256: &str,
        seed: &str,
        now: Timestamp,
    ) -> Result<Begun, StoreError> {
        const DOING: &str = "begin a request with an idempotency key";
        let key = keys::idempotency(scope, &request.who, &request.sha256);
        let record = Record {
            body_sha256: body_sha256.to_owned(),
            seed: seed.to_owned(),
            leased_until: now + LEASE,
            answer: None,
        };
        let write = |record: &Record, condition, version| {
            let row = Row::new(&key, "idempotency", record, condition, DOING)?;
            Ok::<_, StoreError>(row.version(version).expires(now, LIFETIME))
        };
        let row = write(&record, Condition::NewOrExpired(now), 1)?;
        match self.database.put(row, DOING).await {
            Ok(()) => {
                return Ok(Begun::Run {
                    seed: record.seed,
                    version: 1,
                });
            }
            Err(error) if error.is_conflict() => {}
            Err(error) => return Err(error),
        }
        let item = self.database.get(&key, DOING).await?;
        let Some(known) = row::versioned::<Record>(item, Some(now), DOING)? else {
            // It expired or was given up in between: the caller may simply try again.
            return Ok(Begun::Running);
        };
        if known.value.body_sha256 != body_sha256 {
            return Ok(Begun::OtherBody);
        }
        if let Some(answer) = known.value.answer {
            return Ok(Begun::Answered(answer));
        }
        if known.value.leased_until > now {
            return Ok(Begun::Running);
        }
        let mut taken = known.value;
        taken.leased_until = now + LEASE;
        let version = known.version + 1;
        let row = write(&taken, Condition::Version(known.version), version)?;
        match self.database.put(row, DOING).await {
            Ok(()) => Ok(Begun::Run {
                seed: taken.seed,
                version,
            }),
            Err(error) if error.is_conflict() => Ok(Begun::Running),
            Err(error) => Err(error),
        }
    }

    /// Keeps the answer. One that comes after its lease was taken over by another is dropped.
    ///
    /// # Errors
    /// When the table does not answer.
    #[expect(clippy::too_many_arguments, reason = "what was begun, and what came of it")]
    pub async fn finish_request(
        &self,
        scope: &TenantScope,
        request: &RequestKey,
        body_sha256: &str,
        seed: &str,
        version: u64,
        answer: KeptAnswer,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "keep a request's answer";
        let key = keys::idempotency(scope, &request.who, &request.sha256);
        let record = Record {
            body_sha256: body_sha256.to_owned(),
            seed: seed.to_owned(),
            leased_until: now,
            answer: Some(answer),
        };
        let row = Row::new(&key, "idempotency", &record, Condition::Version(version), DOING)?;
        let row = row.version(version + 1).expires(now, LIFETIME);
        match self.database.put(row, DOING).await {
            Err(error) if error.is_conflict() => Ok(()),
            other => other,
        }
    }

    /// Ends a request of which nobody knows whether it had its effect: it can be tried again at once, with the same body and
    /// the same seed.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn release_request(
        &self,
        scope: &TenantScope,
        request: &RequestKey,
        body_sha256: &str,
        seed: &str,
        version: u64,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "release a request";
        let key = keys::idempotency(scope, &request.who, &request.sha256);
        let record = Record {
            body_sha256: body_sha256.to_owned(),
            seed: seed.to_owned(),
            leased_until: now,
            answer: None,
        };
        let row = Row::new(&key, "idempotency", &record, Condition::Version(version), DOING)?;
        let row = row.version(version + 1).expires(now, LIFETIME);
        match self.database.put(row, DOING).await {
            Err(error) if error.is_conflict() => Ok(()),
            other => other,
        }
    }

    /// Gives a request up that had no effect, so that it can be tried again with the same key and another body.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn abandon_request(
        &self,
        scope: &TenantScope,
        request: &RequestKey,
        version: u64,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "give up a request";
        let key = keys::idempotency(scope, &request.who, &request.sha256);
        let record = Record {
            body_sha256: String::new(),
            seed: String::new(),
            leased_until: now,
            answer: None,
        };
        // Past its time at once: the next one begins anew.
        let row = Row::new(&key, "idempotency", &record, Condition::Version(version), DOING)?;
        let row = row.version(version + 1).expires(now, SignedDuration::ZERO);
        match self.database.put(row, DOING).await {
            Err(error) if error.is_conflict() => Ok(()),
            other => other,
        }
    }
}
