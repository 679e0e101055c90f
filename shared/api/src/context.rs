//! Shared state of the API's functions: the table and authentication.

use std::fmt::{self, Display};
use std::sync::{Arc, OnceLock};

use access::Authenticator;
use domain::accounts::permits::Permit;
use kit::{ConfigError, Env, LateStore, Links, Mails, Problem};
use store::Store;
use store::contacts::{FieldCache, Fields};
use store::reports::Stored;
use store::table::rates::{Allowance, Limit};

use crate::guards::Allowed;

/// Shared state of the API's functions, which every handler takes. Cheap to clone.
#[derive(Clone)]
pub struct Api(Arc<Inner>);

struct Inner {
    env: Env,
    store: LateStore,
    fields: FieldCache,
    authenticator: OnceLock<Authenticator>,
    mailing: Option<Mailing>,
}

/// Dependencies of a function that sends mails.
struct Mailing {
    mails: Mails,
    links: Links,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Api")
    }
}

impl Api {
    /// From `TABLE_NAME`. Clients are made on first use.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        Self::with_mailing(env, None)
    }

    /// Like [`Self::new`], for a function that sends mails. Also reads the variables of [`Mails`] and [`Links`].
    pub fn with_mails(env: &Env) -> Result<Self, ConfigError> {
        let mailing = Mailing {
            mails: Mails::new(env)?,
            links: Links::new(env)?,
        };
        Self::with_mailing(env, Some(mailing))
    }

    fn with_mailing(env: &Env, mailing: Option<Mailing>) -> Result<Self, ConfigError> {
        Ok(Self(Arc::new(Inner {
            env: env.clone(),
            store: LateStore::new(env)?,
            fields: FieldCache::default(),
            authenticator: OnceLock::new(),
            mailing,
        })))
    }

    pub fn store(&self) -> &Store {
        self.0.store.get()
    }

    /// The fields that the caller's tenant defines for its contacts, as they are now.
    pub async fn fields<P: Permit>(&self, who: &Allowed<P>) -> Result<Fields, Problem> {
        Ok(self.store().fields(who.scope(), &self.0.fields).await?)
    }

    /// The fields in a version of the configuration that was just read. Costs nothing if this process knows that
    /// version.
    pub async fn fields_as_of<P: Permit>(&self, who: &Allowed<P>, version: u64) -> Result<Fields, Problem> {
        let fields = self.store().fields_as_of(who.scope(), &self.0.fields, version);
        Ok(fields.await?)
    }

    /// Answers by the tenant's fields without reading them first: `answer` gets the fields that this process read last, and returns
    /// the version of the configuration that it has read along with its data. If the fields were outdated, it answers once more, by
    /// the current ones.
    ///
    /// # Errors
    /// The errors of `answer`; 503 when the table does not answer.
    pub async fn by_fields<P: Permit, T, A>(
        &self,
        who: &Allowed<P>,
        answer: impl Fn(Fields) -> A,
    ) -> Result<(T, Fields), Problem>
    where
        A: Future<Output = Result<(T, u64), Problem>>,
    {
        let at_hand = self.store().fields_at_hand(who.scope(), &self.0.fields).await?;
        let current = match Box::pin(answer(at_hand.clone())).await {
            Ok((answer, version)) if version == at_hand.version() => return Ok((answer, at_hand)),
            Ok((_, version)) => self.fields_as_of(who, version).await?,
            // Perhaps it was refused only because of outdated fields.
            Err(problem) => {
                let current = self.fields(who).await?;
                if current.version() == at_hand.version() {
                    return Err(problem);
                }
                current
            }
        };
        let (answer, _) = Box::pin(answer(current.clone())).await?;
        Ok((answer, current))
    }

    /// Configuration of the function.
    pub fn env(&self) -> &Env {
        &self.0.env
    }

    /// The queue of mails.
    ///
    /// # Panics
    /// If this was not created by [`Api::with_mails`].
    pub fn mails(&self) -> &Mails {
        &self.mailing().mails
    }

    /// Links in mails.
    ///
    /// # Panics
    /// If this was not created by [`Api::with_mails`].
    pub fn links(&self) -> &Links {
        &self.mailing().links
    }

    fn mailing(&self) -> &Mailing {
        let mailing = self.0.mailing.as_ref();
        mailing.expect("a function that sends mails begins with Api::with_mails")
    }

    pub(crate) fn authenticator(&self) -> &Authenticator {
        self.0
            .authenticator
            .get_or_init(|| Authenticator::new(self.store().clone()))
    }

    /// Counts one use of a limit of the caller's tenant. `name` identifies the limit.
    ///
    /// # Errors
    /// 429 with `Retry-After` when the limit is reached; 503 when the table does not answer.
    pub async fn limit<P: Permit>(&self, who: &Allowed<P>, name: &str, limit: Limit) -> Result<(), Problem> {
        within(self.store().take(who.scope(), name, limit, who.now()).await?).map(drop)
    }

    /// Takes room for what is to be stored, of what the tenant's plan allows. `things`: its name for people.
    ///
    /// # Errors
    /// 409 `limit_reached`; 503 when the table does not answer.
    pub async fn take_room<P: Permit>(
        &self,
        who: &Allowed<P>,
        what: Stored,
        amount: u64,
        most: u64,
        things: &str,
    ) -> Result<(), Problem> {
        match self.store().take_room(who.scope(), what, amount, most).await? {
            Ok(()) => Ok(()),
            Err(left) => Err(beyond_plan(format!(
                "{most} {things}, of which {left} are left. Delete some, or"
            ))),
        }
    }

    /// Gives back room of what was not stored, or is gone. If that fails, it is counted anew within a day.
    pub async fn give_room_back<P: Permit>(&self, who: &Allowed<P>, what: Stored, amount: u64) {
        if let Err(error) = self.store().give_room_back(who.scope(), what, amount).await {
            tracing::warn!(error = kit::chain(&error), ?what, "room is not given back");
        }
    }

    /// Counts one use of what the tenant's plan allows so many times a day, in UTC.
    ///
    /// # Errors
    /// 409 `limit_reached`; 503 when the table does not answer.
    pub async fn take_of_day<P: Permit>(
        &self,
        who: &Allowed<P>,
        name: &str,
        most: u32,
        things: &str,
    ) -> Result<(), Problem> {
        let limit = Limit::per_day(most);
        if most > 0
            && self
                .store()
                .take(who.scope(), name, limit, who.now())
                .await?
                .is_within()
        {
            return Ok(());
        }
        let allowed = format!("{most} {things} a day. Try again after midnight UTC, or");
        Err(beyond_plan(allowed))
    }

    /// Counts one use of a limit of somebody without a tenant. `name` identifies the limit, `hashed` the caller by a hash such as
    /// [`crate::Anyone::address`] or the SHA-256 of an address. Returns the remaining allowance.
    ///
    /// # Errors
    /// 429 with `Retry-After` when the limit is reached; 503 when the table does not answer.
    pub async fn limit_outside(&self, name: &str, hashed: &str, limit: Limit) -> Result<Allowance, Problem> {
        let now = self.env().clock().now();
        let who = format!("{name}#{hashed}");
        within(self.store().take_outside(&who, limit, now).await?)
    }
}

/// The answer to a request for more than the plan allows.
pub fn beyond_plan(allowed: impl Display) -> Problem {
    let detail = format!("The plan allows {allowed} ask the operator of the platform for a larger plan.");
    Problem::conflict("limit_reached", detail)
}

fn within(allowance: Allowance) -> Result<Allowance, Problem> {
    if allowance.is_within() {
        Ok(allowance)
    } else {
        Err(Problem::too_many(allowance))
    }
}
