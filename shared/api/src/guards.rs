//! Guards: the type of a handler's first argument says who may call it.

use std::fmt;
use std::marker::PhantomData;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use access::{Credentials, PlatformAdmin, Principal, SignedIn};
use aws_lc_rs::digest;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use domain::accounts::permits::Permit;
use domain::accounts::{Account, Permission, Role};
use domain::terms::{Actor, ContactId, SessionId, Stamp, TenantId, UserId, derive_id};
use domain::webhooks::WebhookRun;
use jiff::Timestamp;
use kit::http::Source;
use kit::{Ids, Problem};
use store::table::rates::Allowance;
use store::{TenantScope, Versioned};
use ulid::Ulid;

/// Kinds of callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A user or API key of a tenant with this permission.
    Tenant(Permission),
    Person,
    Platform,
    /// Without authentication.
    Anyone,
}

impl Kind {
    /// True if its `POST`s accept an `Idempotency-Key`.
    pub(crate) const fn takes_key(self) -> bool {
        matches!(self, Self::Tenant(_) | Self::Platform)
    }

    /// Value of `x-permission` in the document.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tenant(permission) => permission.as_str(),
            Self::Person => "person",
            Self::Platform => "platform",
            Self::Anyone => "public",
        }
    }
}

/// Type of a handler's first argument.
pub trait Guard: Sized + Send + 'static {
    /// Kind of callers that it admits.
    const KIND: Kind;

    /// Whether it also admits the tokens of runs of webhooks, and has the handler name the contact that it acts on.
    const TAKES_RUNS: bool = false;

    #[doc(hidden)]
    fn admit(asked: Asked, proven: Proven) -> Option<Self>;
}

/// The request and what is already decided about its answer.
#[doc(hidden)]
#[derive(Clone)]
pub struct Asked(Arc<Question>);

struct Question {
    now: Timestamp,
    correlation_id: String,
    ids: Ids,
    /// Seed of this request's ids, if it has an idempotency key.
    seed: Option<Ulid>,
    made: AtomicU64,
    device: Device,
    sent: Sent,
}

impl Asked {
    pub(crate) fn new(
        now: Timestamp,
        correlation_id: String,
        ids: Ids,
        seed: Option<Ulid>,
        device: Device,
        sent: Sent,
    ) -> Self {
        Self(Arc::new(Question {
            now,
            correlation_id,
            ids,
            seed,
            made: AtomicU64::new(0),
            device,
            sent,
        }))
    }

    fn ulid(&self) -> Ulid {
        let Some(seed) = self.0.seed else {
            return self.0.ids.ulid();
        };
        match self.0.made.fetch_add(1, Ordering::Relaxed) {
            0 => seed,
            n => derive_further_id(seed, n),
        }
    }
}

/// Origin of a request. Never logged as it is; [`access::AddressTrace`] is.
#[derive(Clone, PartialEq, Eq)]
pub struct Device {
    /// User agent of the browser or app, shortened.
    pub name: Option<String>,
    pub address: Option<IpAddr>,
}

impl Device {
    /// Length of the user agent that people need to recognise a browser.
    const MAX_NAME_LENGTH: usize = 120;

    /// Origin of a request with these headers, from this address.
    pub(crate) fn of(headers: &HeaderMap, address: Option<IpAddr>) -> Self {
        let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
        let name: String = agent.unwrap_or_default().chars().take(Self::MAX_NAME_LENGTH).collect();
        Self {
            name: (!name.is_empty()).then_some(name),
            address,
        }
    }

    /// Identity of a device across log-ins: the user agent without version numbers, and the large network. A hash of both.
    pub fn mark(&self) -> String {
        let name = self.name.as_deref().unwrap_or_default();
        let versionless = name.chars().filter(|letter| !letter.is_ascii_digit() && *letter != '.');
        let mut marked: Vec<u8> = versionless.collect::<String>().into_bytes();
        marked.push(0);
        // As large as what a provider hands to its customers in turn.
        marked.extend(match self.address.map(|address| address.to_canonical()) {
            Some(IpAddr::V4(address)) => address.octets()[..2].to_vec(),
            Some(IpAddr::V6(address)) => address.octets()[..4].to_vec(),
            None => Vec::new(),
        });
        let digest = digest::digest(&digest::SHA256, &marked);
        hex::encode(&digest.as_ref()[..16])
    }
}

/// The n-th id of a request with an idempotency key. Every attempt gets the same id, with the same time.
fn derive_further_id(seed: Ulid, n: u64) -> Ulid {
    let mut bytes = seed.0.to_be_bytes().to_vec();
    bytes.extend(n.to_be_bytes());
    derive_id(seed.timestamp_ms(), &bytes)
}

/// Credentials of a request. Never logged.
#[derive(Default)]
pub(crate) struct Sent {
    bearer: Option<String>,
    api_key: Option<String>,
    tenant: Option<String>,
    pub(crate) address: Option<IpAddr>,
}

impl Sent {
    pub(crate) fn of(headers: &HeaderMap, address: Option<IpAddr>) -> Self {
        let text = |name: &str| {
            let value = headers.get(name)?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let bearer = text(header::AUTHORIZATION.as_str()).and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
        });
        Self {
            bearer,
            api_key: text("x-api-key"),
            tenant: text("x-tenant-id"),
            address,
        }
    }

    pub(crate) fn credentials(&self) -> Credentials<'_> {
        self.credentials_for(false)
    }

    /// The credentials for an operation that takes the tokens of runs of webhooks, or does not.
    pub(crate) fn credentials_for(&self, takes_runs: bool) -> Credentials<'_> {
        Credentials {
            bearer: self.bearer.as_deref(),
            api_key: self.api_key.as_deref(),
            tenant: self.tenant.as_deref(),
            address: self.address,
            takes_runs,
        }
    }
}

/// The authenticated caller, before the handler runs.
#[doc(hidden)]
#[derive(Clone)]
pub enum Proven {
    Tenant(Box<Principal>),
    Person(Box<SignedIn>),
    Platform(PlatformAdmin),
    Anyone,
}

impl Proven {
    /// Remaining allowance of the caller.
    pub(crate) fn allowance(&self) -> Option<Allowance> {
        match self {
            Self::Tenant(principal) => Some(principal.allowance()),
            Self::Person(person) => Some(person.allowance),
            Self::Platform(admin) => Some(admin.allowance()),
            Self::Anyone => None,
        }
    }

    /// The run of a webhook whose token the caller has, if it is one.
    pub(crate) fn run(&self) -> Option<&WebhookRun> {
        match self {
            Self::Tenant(principal) => principal.run(),
            Self::Person(_) | Self::Platform(_) | Self::Anyone => None,
        }
    }

    /// Words of the log line about the caller: who it is, what remains of the address, and the event that it answers by a callback.
    pub fn notes(&self) -> Vec<(&'static str, String)> {
        let (actor, trace) = match self {
            Self::Tenant(principal) => (principal.actor().to_string(), principal.trace()),
            Self::Person(person) => (person.account.value.id.to_string(), person.trace.as_ref()),
            Self::Platform(admin) => (admin.user().to_string(), admin.trace()),
            Self::Anyone => return Vec::new(),
        };
        let mut notes = vec![("actor", actor)];
        if let Some(trace) = trace {
            notes.push(("network", trace.network.to_string()));
            notes.push(("address_hash", trace.hash.clone()));
        }
        if let Some(run) = self.run() {
            notes.push(("webhook_endpoint", run.endpoint.to_string()));
            notes.push(("event", run.event.to_string()));
        }
        notes
    }
}

/// State that the layer around a handler passes to its guard.
#[derive(Clone)]
pub(crate) struct Admission {
    pub(crate) asked: Asked,
    pub(crate) proven: Proven,
}

fn take<G: Guard>(parts: &mut Parts) -> Result<G, Problem> {
    let admission = parts.extensions.remove::<Admission>();
    let guard = admission.and_then(|Admission { asked, proven }| G::admit(asked, proven));
    guard.ok_or_else(|| {
        tracing::error!("a guarded handler is served without api::serve");
        Problem::internal()
    })
}

macro_rules! guard {
    ([$($generics:tt)*] $guard:ty, $kind:expr, $proven:pat => $made:expr, $asked:ident) => {
        impl<$($generics)*> $guard {
            /// Time of the request.
            pub fn now(&self) -> Timestamp {
                self.asked.0.now
            }

            /// Correlation id of the request, its logs, jobs and answer.
            pub fn correlation_id(&self) -> &str {
                &self.asked.0.correlation_id
            }

            /// Origin of the request.
            pub fn device(&self) -> &Device {
                &self.asked.0.device
            }

            /// A new id. A repeated request with an idempotency key gets the same ids in the same order.
            pub fn ulid(&self) -> Ulid {
                self.asked.ulid()
            }
        }

        impl<$($generics)*> fmt::Debug for $guard {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(<Self as Guard>::KIND.as_str())
            }
        }

        impl<$($generics)*> Guard for $guard {
            const KIND: Kind = $kind;

            fn admit($asked: Asked, proven: Proven) -> Option<Self> {
                #[allow(unreachable_patterns, reason = "the pattern may be the only one")]
                match proven {
                    $proven => Some($made),
                    _ => None,
                }
            }
        }

        impl<$($generics)* S: Send + Sync> FromRequestParts<S> for $guard {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
                take(parts)
            }
        }
    };
}

/// A user or API key of a tenant, with the permission `P`.
pub struct Allowed<P> {
    asked: Asked,
    principal: Box<Principal>,
    permit: PhantomData<fn() -> P>,
}

guard!([P: Permit,] Allowed<P>, Kind::Tenant(P::PERMISSION), Proven::Tenant(principal) => Self { asked, principal, permit: PhantomData }, asked);

impl<P: Permit> Allowed<P> {
    /// The right to touch the tenant's data.
    pub fn scope(&self) -> &TenantScope {
        self.principal.scope()
    }

    /// The caller with all their attributes.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// Id of the caller.
    pub fn actor(&self) -> Actor {
        self.principal.actor()
    }

    /// Role of the caller.
    pub fn role(&self) -> Role {
        self.principal.role()
    }

    /// Stamp of a change by this caller.
    pub fn stamp(&self) -> Stamp {
        self.principal.stamp(self.now(), self.correlation_id())
    }
}

/// A user or API key of a tenant with the permission `P`, or the receiver of a webhook who calls back as such a key. The handler gets it only for
/// the contact that it acts on, so that no callback can be about another one.
pub struct AllowedOrRun<P>(Allowed<P>);

impl<P: Permit> AllowedOrRun<P> {
    /// The caller, if it may act on this contact. A callback may act on the contact of its event only; `None` is refused, too.
    ///
    /// # Errors
    /// 403 for a callback about anything else.
    pub fn about(self, contact: impl Into<Option<ContactId>>) -> Result<Allowed<P>, Problem> {
        let (Self(allowed), contact) = (self, contact.into());
        match allowed.principal.run() {
            Some(run) if !run.is_about(contact) => Err(Problem::forbidden(
                "The token of a callback is limited to the contact of its event. Name the event's `contact_id`.",
            )),
            _ => Ok(allowed),
        }
    }
}

impl<P: Permit> Guard for AllowedOrRun<P> {
    const KIND: Kind = Allowed::<P>::KIND;
    const TAKES_RUNS: bool = true;

    fn admit(asked: Asked, proven: Proven) -> Option<Self> {
        Allowed::admit(asked, proven).map(Self)
    }
}

impl<P: Permit, S: Send + Sync> FromRequestParts<S> for AllowedOrRun<P> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        take(parts)
    }
}

/// A logged-in person, in any tenant.
pub struct Person {
    asked: Asked,
    person: Box<SignedIn>,
}

guard!([] Person, Kind::Person, Proven::Person(person) => Self { asked, person }, asked);

impl Person {
    /// The person's current account.
    pub fn account(&self) -> &Versioned<Account> {
        &self.person.account
    }

    /// Session of their token.
    pub fn session(&self) -> SessionId {
        self.person.session
    }

    /// Tenant of their token.
    pub fn tenant(&self) -> Option<TenantId> {
        self.person.tenant
    }

    /// True if their session began with a second factor, which is still on.
    pub fn second_factor(&self) -> bool {
        self.person.second_factor
    }

    /// Stamp of a change by this caller.
    pub fn stamp(&self) -> Stamp {
        stamp(&self.asked, self.person.account.value.id)
    }
}

/// Stamp of a change by this person.
fn stamp(asked: &Asked, user: UserId) -> Stamp {
    Stamp {
        actor: Actor::User(user),
        at: asked.0.now,
        correlation_id: asked.0.correlation_id.clone(),
    }
}

/// A platform administrator who makes a request.
pub struct Platform {
    asked: Asked,
    admin: PlatformAdmin,
}

guard!([] Platform, Kind::Platform, Proven::Platform(admin) => Self { asked, admin }, asked);

impl Platform {
    /// Id of the administrator.
    pub fn admin(&self) -> &PlatformAdmin {
        &self.admin
    }

    /// Stamp of a change by this caller.
    pub fn stamp(&self) -> Stamp {
        self.admin.stamp(self.now(), self.correlation_id())
    }
}

/// A caller without authentication.
pub struct Anyone {
    asked: Asked,
}

guard!([] Anyone, Kind::Anyone, Proven::Anyone => Self { asked }, asked);

impl Anyone {
    /// Hash of the caller's IP address, to count attempts.
    pub fn address(&self) -> String {
        Source(self.asked.0.device.address).sha256()
    }

    /// Stamp of a change by this person, identified by a link.
    pub fn stamp_as(&self, user: UserId) -> Stamp {
        stamp(&self.asked, user)
    }

    /// The credentials of the request, not verified.
    pub fn credentials(&self) -> Credentials<'_> {
        self.asked.0.sent.credentials()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_the_same_after_an_update_and_another_elsewhere() {
        let device = |name: &str, address: &str| Device {
            name: Some(name.to_owned()),
            address: address.parse().ok(),
        };
        let mark = |name: &str, address: &str| device(name, address).mark();
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
        let usual = mark(firefox, "198.51.100.7");
        assert_eq!(usual, mark(&firefox.replace("145", "146"), "198.51.7.1"));
        assert_eq!(usual, mark(firefox, "::ffff:198.51.100.7"));
        assert_ne!(usual, mark("curl/8.17.0", "198.51.100.7"));
        assert_ne!(usual, mark(firefox, "203.0.113.7"));
        assert_eq!(mark(firefox, "2001:db8:1::1"), mark(firefox, "2001:db8:2::2"));
        assert_ne!(mark(firefox, "2001:db8:1::1"), mark(firefox, "2001:db9:1::1"));
        assert_ne!(mark(firefox, ""), usual);
    }

    #[test]
    fn further_ids_of_a_request_are_derived_and_differ() {
        let seed = Ulid::from_parts(7, 9);
        let ids: Vec<_> = (1..4).map(|n| derive_further_id(seed, n)).collect();
        assert_eq!(ids, (1..4).map(|n| derive_further_id(seed, n)).collect::<Vec<_>>());
        assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids.iter().all(|id| id.timestamp_ms() == 7));
    }
}
