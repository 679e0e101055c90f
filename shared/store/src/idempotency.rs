//! Requests with an idempotency key: each has its effect once, and its answer is kept for who asks again.

use domain::{Timestamp, actor::Actor, ids::UserId};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::{
    Store, StoreError, TenantScope,
    keys::{self, Key},
    row::{self, Condition, Row},
};

/// Answers are kept this long.
pub const LIFETIME: SignedDuration = SignedDuration::from_hours(24);

/// A request that takes longer has died: another may take its place.
pub const LEASE: SignedDuration = SignedDuration::from_secs(60);

/// What names one request: who asks, and the SHA-256 of route and key in hex. Nobody else can name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKey(Key);

impl RequestKey {
    /// Of a tenant's person or API key.
    #[must_use]
    pub fn of_tenant(scope: &TenantScope, who: Actor, sha256: &str) -> Self {
        Self(keys::idempotency(scope, &who.to_string(), sha256))
    }

    /// Of a person who asks for no tenant.
    #[must_use]
    pub fn outside(user: UserId, sha256: &str) -> Self {
        Self(keys::idempotency_outside(user, sha256))
    }
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
pub(crate) struct Record {
    /// SHA-256 of the body, in hex.
    body_sha256: String,
    /// From which new ids of this request are derived, so that a second try after a crash names the same objects.
    seed: Ulid,
    /// The try that runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run_by: Option<Ulid>,
    /// Until when the try that runs may take.
    leased_until: Timestamp,
    /// The answer, once there is one.
    answer: Option<KeptAnswer>,
}

/// The right to run a request, and to say what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    request: RequestKey,
    body_sha256: String,
    seed: Ulid,
    version: u64,
}

impl Lease {
    /// From which new ids of this request are derived: the same whenever it is tried again.
    #[must_use]
    pub const fn seed(&self) -> Ulid {
        self.seed
    }
}

/// How a request with a key begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// Go on.
    Run(Lease),
    /// Another one with this key is still running.
    Running,
    /// It was answered.
    Answered(KeptAnswer),
    /// The key was used for another body.
    OtherBody,
}

impl Store {
    /// Begins a request with a key: one write; a read besides where the key is known. `fresh` is of this try alone: it
    /// tells the try's own writes from those of others, and is the request's seed where the key is new.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn begin_request(
        &self,
        request: &RequestKey,
        body_sha256: &str,
        fresh: Ulid,
        now: Timestamp,
    ) -> Result<Begun, StoreError> {
        const DOING: &str = "begin a request with an idempotency key";
        let mut record = Record {
            body_sha256: body_sha256.to_owned(),
            seed: fresh,
            run_by: Some(fresh),
            leased_until: now + LEASE,
            answer: None,
        };
        let (mut condition, mut version) = (Condition::NewOrExpired(now), 1);
        // Where somebody else took a dead request over first, the second round says so.
        for _round in 0..2 {
            let lease = Lease {
                request: request.clone(),
                body_sha256: body_sha256.to_owned(),
                seed: record.seed,
                version,
            };
            let row = Row::new(&request.0, KIND, &record, condition, DOING)?;
            match self
                .database
                .put(row.version(version).expires(now, LIFETIME), DOING)
                .await
            {
                Ok(()) => return Ok(Begun::Run(lease)),
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error),
            }
            let item = self.database.get(&request.0, DOING).await?;
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
            if known.value.run_by == Some(fresh) {
                // The answer to our own write was lost, and the SDK wrote again.
                return Ok(Begun::Run(lease));
            }
            if known.value.leased_until > now {
                return Ok(Begun::Running);
            }
            record.seed = known.value.seed;
            condition = Condition::Version(known.version);
            version = known.version + 1;
        }
        Ok(Begun::Running)
    }

    /// Keeps the answer. One that comes after its lease was taken over by another is dropped.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn finish_request(&self, lease: &Lease, answer: KeptAnswer, now: Timestamp) -> Result<(), StoreError> {
        self.end_request(lease, Some(answer), now, LIFETIME, "keep a request's answer")
            .await
    }

    /// Ends a request of which nobody knows whether it had its effect: it can be tried again at once, with the same body
    /// and the same seed.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn release_request(&self, lease: &Lease, now: Timestamp) -> Result<(), StoreError> {
        self.end_request(lease, None, now, LIFETIME, "release a request").await
    }

    /// Gives a request up that had no effect, so that it can be tried again with the same key and another body.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn abandon_request(&self, lease: &Lease, now: Timestamp) -> Result<(), StoreError> {
        // Past its time at once: the next one begins anew.
        self.end_request(lease, None, now, SignedDuration::ZERO, "give up a request")
            .await
    }

    async fn end_request(
        &self,
        lease: &Lease,
        answer: Option<KeptAnswer>,
        now: Timestamp,
        lifetime: SignedDuration,
        doing: &'static str,
    ) -> Result<(), StoreError> {
        let record = Record {
            body_sha256: lease.body_sha256.clone(),
            seed: lease.seed,
            run_by: None,
            leased_until: now,
            answer,
        };
        let row = Row::new(
            &lease.request.0,
            KIND,
            &record,
            Condition::Version(lease.version),
            doing,
        )?;
        let row = row.version(lease.version + 1).expires(now, lifetime);
        match self.database.put(row, doing).await {
            Err(error) if error.is_conflict() => Ok(()),
            other => other,
        }
    }
}

/// What the row is to others.
const KIND: &str = "idempotency";
