//! Requests with an idempotency key: each takes effect once, and its response is stored for repetitions.

use domain::Timestamp;
use domain::accounts::{Permission, Role};
use domain::terms::{Actor, UserId};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::table::keys::{self, Key};
use crate::table::row::{self, Condition, Row};
use crate::{Store, StoreError, TenantScope};

/// Retention of responses.
pub const LIFETIME: SignedDuration = SignedDuration::from_hours(24);

/// Maximum duration of a request. After it, the request counts as dead, and another may replace it.
pub const LEASE: SignedDuration = SignedDuration::from_secs(60);

/// Key of one request: the caller, and the SHA-256 of route and key in hex. Nobody else can name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKey(Key);

impl RequestKey {
    /// For a tenant's person or API key.
    pub fn of_tenant(scope: &TenantScope, who: Actor, sha256: &str) -> Self {
        Self(keys::idempotency(scope, &who.to_string(), sha256))
    }

    /// For a person without a tenant.
    pub fn outside(user: UserId, sha256: &str) -> Self {
        Self(keys::idempotency_outside(user, sha256))
    }
}

/// A stored response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptAnswer {
    pub status: u16,
    /// Headers worth repeating: `location`, `etag`, `content-type`.
    pub headers: Vec<(String, String)>,
    /// The body. `None` if it contained a secret that is shown once.
    pub body: Option<String>,
    /// Role and scopes of the tenant's caller who got it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_with: Option<(Role, Vec<Permission>)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// SHA-256 of the body, in hex.
    body_sha256: String,
    /// Seed of this request's new ids, so that a second attempt after a crash names the same objects.
    seed: Ulid,
    /// The running attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run_by: Option<Ulid>,
    /// End of the running attempt's lease.
    leased_until: Timestamp,
    /// The response, once there is one.
    answer: Option<KeptAnswer>,
}

/// The right to run a request, and to record its result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    request: RequestKey,
    body_sha256: String,
    seed: Ulid,
    version: u64,
}

impl Lease {
    /// Seed of this request's new ids: the same for every attempt.
    pub const fn seed(&self) -> Ulid {
        self.seed
    }

    /// Whether an earlier attempt ran before this one. It may have had its effect.
    pub const fn is_taken_over(&self) -> bool {
        self.version > FIRST
    }
}

/// Version of a row that a new request writes. Every later write raises it.
const FIRST: u64 = 1;

/// The result of beginning a request with a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// Run the request.
    Run(Lease),
    /// Another request with this key is still running.
    Running,
    /// The request was already answered.
    Answered(KeptAnswer),
    /// The key was used for another body.
    OtherBody,
}

impl Store {
    /// Begins a request with a key: one write, and a read if the key is known. `fresh` is unique to this attempt: it
    /// distinguishes the attempt's own writes from those of others, and is the request's seed if the key is new.
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
        let (mut condition, mut version) = (Condition::NewOrExpired(now), FIRST);
        // After a lost race for taking over a dead request, the second round finds out.
        for _round in 0..2 {
            let lease = Lease {
                request: request.clone(),
                body_sha256: body_sha256.to_owned(),
                seed: record.seed,
                version,
            };
            let row = Row::new(&request.0, KIND, &record, condition, DOING)?;
            let row = row.version(version).expires(now, LIFETIME);
            if self.database.try_put(row, DOING).await? {
                return Ok(Begun::Run(lease));
            }
            let item = self.database.get(&request.0, DOING).await?;
            let Some(known) = row::read_versioned::<Record>(item, Some(now), DOING)? else {
                // It expired or was given up in between: the caller may simply retry.
                return Ok(Begun::Running);
            };
            if known.value.body_sha256 != body_sha256 {
                return Ok(Begun::OtherBody);
            }
            if let Some(answer) = known.value.answer {
                return Ok(Begun::Answered(answer));
            }
            if known.value.run_by == Some(fresh) {
                // The response to our own write was lost, and the SDK wrote again.
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

    /// Stores the response. It is dropped if another attempt has taken over the lease.
    pub async fn finish_request(&self, lease: &Lease, answer: KeptAnswer, now: Timestamp) -> Result<(), StoreError> {
        self.end_request(lease, Some(answer), now, LIFETIME, "store the response to a request")
            .await
    }

    /// Ends a request that may have had its effect, in this attempt or an earlier one: it can be retried at once, with the same body and
    /// the same seed.
    pub async fn release_request(&self, lease: &Lease, now: Timestamp) -> Result<(), StoreError> {
        self.end_request(lease, None, now, LIFETIME, "release a request").await
    }

    /// Gives up a request without effect, so that the key can be used again with another body.
    pub async fn abandon_request(&self, lease: &Lease, now: Timestamp) -> Result<(), StoreError> {
        // Expired at once, so that the next request starts anew.
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
        self.database.try_put(row, doing).await.map(drop)
    }
}

/// Kind of the row.
const KIND: &str = "idempotency";
