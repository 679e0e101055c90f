//! Operations of what a tenant owns one by one. A handler names the guard, and the rest is here: 404, `ETag`, `If-Match`, lost
//! races, limits, values that must be unique, and requests that come twice.

use std::fmt::Display;
use std::future::ready;

use domain::accounts::permits::Permit;
use domain::terms::{Fault, FaultCode, Fields, Resource};
use kit::Problem;
use serde::Serialize;
use store::{Owned, OwnedError, Versioned};

use crate::change::{Patchable, require_found};
use crate::context::Api;
use crate::guards::Allowed;
use crate::paging::Paging;
use crate::patch::Patch;
use crate::races::{RACES, Setback};
use crate::replies::{Created, IfMatch, Listed, NoContent, Tagged};

/// Maximum size as JSON, in bytes: a page of 100 must fit in an answer of Lambda, which is 6 MB.
const LARGEST: usize = 32 * 1024;

impl<F: Fields> Patchable for F {
    type Of = F::Of;

    fn of(resource: &F::Of) -> Self {
        resource.fields()
    }

    fn onto(self, before: &F::Of) -> Result<F::Of, Problem> {
        fitting(before.with(self))
    }
}

/// The resource, if it is not too large.
pub fn fitting<T: Serialize>(resource: T) -> Result<T, Problem> {
    let size = serde_json::to_vec(&resource).map_or(usize::MAX, |json| json.len());
    if size > LARGEST {
        let detail =
            format!("The resource has {size} bytes as JSON, of at most {LARGEST}. Shorten or remove some of it.");
        let fault = Fault::new(FaultCode::TooLarge, detail);
        return Err(Problem::field(
            "",
            fault.and("bytes", size).and("maximum_bytes", LARGEST),
        ));
    }
    Ok(resource)
}

/// 409: the tenant has as many of this kind as it may.
pub fn limit_reached<T: Owned>() -> Problem {
    at_most(T::MAX, T::NAME, "Delete one first.")
}

fn at_most(most: u32, name: &str, advice: &str) -> Problem {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    Problem::at_most("limit_reached", most, &plural(name), advice)
}

/// Several of this name: keys, replies.
fn plural(name: &str) -> String {
    let stem = name
        .strip_suffix('y')
        .filter(|stem| !stem.ends_with(['a', 'e', 'i', 'o', 'u']));
    stem.map_or_else(|| format!("{name}s"), |stem| format!("{stem}ies"))
}

/// The reason why nothing was written. A limit or a taken value is no lost race.
pub fn setback<T: Owned>(error: OwnedError) -> Setback {
    match error {
        OwnedError::Full => limit_reached::<T>().into(),
        OwnedError::ShareFull => {
            let (most, name) = T::SHARE.map_or((T::MAX, T::NAME), |share| (share.most, share.name));
            at_most(most, name, "Change or delete one first.").into()
        }
        OwnedError::Taken => {
            let detail = format!("Another {} has this `{}`. Choose another value.", T::NAME, T::UNIQUE);
            Problem::conflict("taken", detail).into()
        }
        OwnedError::Store(error) => error.into(),
    }
}

impl Api {
    /// A page of the tenant's, by id, which is by time of creation.
    pub async fn list<T: Owned, P: Permit>(&self, who: &Allowed<P>, paging: &Paging) -> Result<Listed<T>, Problem> {
        let page = self.store().page(who.scope(), paging.after(), paging.limit()).await?;
        Ok(Listed::of(page, |found: Versioned<T>| found.value))
    }

    /// Reads a resource of the tenant, with its version.
    ///
    /// # Errors
    /// 404; 503 when the table does not answer.
    pub async fn read<T: Owned, P: Permit>(
        &self,
        who: &Allowed<P>,
        id: &(impl Display + Sync),
    ) -> Result<Tagged<T>, Problem> {
        require_found(self.store().get::<T>(who.scope(), id))
            .await
            .map(Tagged::of)
    }

    /// Creates one with these fields. It is found at `path/<id>`.
    ///
    /// A request with an idempotency key that was interrupted after it had written finds what it created.
    ///
    /// # Errors
    /// 409 `limit_reached` and `taken`; 422 when it is too large; 503 when the table does not answer.
    pub async fn create<T: Owned + Resource, P: Permit>(
        &self,
        who: &Allowed<P>,
        path: &str,
        fields: T::Fields,
    ) -> Result<Created<T>, Problem> {
        self.create_this(who, path, T::new(who.ulid(), fields, who.now())).await
    }

    /// Creates a resource that has more than its fields. Its id is the first one of the request.
    pub async fn create_this<T: Owned + Resource, P: Permit>(
        &self,
        who: &Allowed<P>,
        path: &str,
        new: T,
    ) -> Result<Created<T>, Problem> {
        let (store, scope, stamp) = (self.store(), who.scope(), who.stamp());
        let new = fitting(new)?;
        let (new, id, stamp) = (&new, &Owned::id(&new), &stamp);
        let created = RACES.until_won(|| async move {
            match store.create(scope, new, stamp).await {
                Ok(()) => Ok(Versioned {
                    version: 1,
                    value: new.clone(),
                }),
                // Ids are nobody else's, so this is the one that the interrupted request created.
                Err(OwnedError::Store(lost)) if lost.is_conflict() => store.get(scope, id).await?.ok_or(Setback::Lost),
                Err(error) => Err(setback::<T>(error)),
            }
        });
        let Versioned { version, value } = created.await?;
        Ok(Created {
            location: format!("{path}/{id}"),
            version,
            body: value,
        })
    }

    /// Changes the fields that the patch names.
    ///
    /// # Errors
    /// 404, 412, 422; 409 `taken` and `limit_reached`, or `conflict` when all attempts lose; 503 when the table does not answer.
    pub async fn update<T: Owned + Resource, P: Permit>(
        &self,
        who: &Allowed<P>,
        id: &(impl Display + Sync),
        if_match: &IfMatch,
        patch: &Patch<T::Fields>,
    ) -> Result<Tagged<T>, Problem> {
        self.update_if(who, id, if_match, patch, |_, _| ready(Ok(()))).await
    }

    /// Like [`Api::update`], if `allow` accepts the resource before and after the change. It may read what they refer
    /// to.
    ///
    /// # Errors
    /// As [`Api::update`], and the errors of `allow`.
    pub async fn update_if<T: Owned + Resource, P: Permit, A: Future<Output = Result<(), Problem>>>(
        &self,
        who: &Allowed<P>,
        id: &(impl Display + Sync),
        if_match: &IfMatch,
        patch: &Patch<T::Fields>,
        allow: impl Fn(T, T) -> A,
    ) -> Result<Tagged<T>, Problem> {
        let (store, scope, stamp, allow) = (self.store(), who.scope(), &who.stamp(), &allow);
        let read = || store.get(scope, id);
        let write = |before: Versioned<T>, after: T| async move {
            allow(before.value.clone(), after.clone()).await?;
            let after = after.changed_at(stamp.at);
            let written = store.change(scope, &before, &after, stamp).await;
            let version = written.map_err(setback::<T>)?;
            Ok(Versioned { version, value: after })
        };
        let changed = patch.change(if_match, read, |_, _| Ok(()), write);
        changed.await.map(Tagged::of)
    }

    /// Deletes one.
    ///
    /// # Errors
    /// 404, 412; 409 when all attempts lose; 503 when the table does not answer.
    pub async fn remove<T: Owned, P: Permit>(
        &self,
        who: &Allowed<P>,
        id: &(impl Display + Sync),
        if_match: &IfMatch,
    ) -> Result<NoContent, Problem> {
        self.remove_if(who, id, if_match, |_: &T| Ok(())).await
    }

    /// Like [`Api::remove`], if `allow` accepts the deletion.
    ///
    /// # Errors
    /// As [`Api::remove`], and the errors of `allow`.
    pub async fn remove_if<T: Owned, P: Permit>(
        &self,
        who: &Allowed<P>,
        id: &(impl Display + Sync),
        if_match: &IfMatch,
        allow: impl Fn(&T) -> Result<(), Problem>,
    ) -> Result<NoContent, Problem> {
        let allow = &allow;
        let (store, scope, stamp) = (self.store(), who.scope(), &who.stamp());
        let removed = RACES.until_won(|| async move {
            let before: Versioned<T> = require_found(store.get(scope, id)).await?;
            if_match.check(before.version)?;
            allow(&before.value)?;
            store.remove(scope, &before, stamp).await?;
            Ok(NoContent)
        });
        removed.await
    }
}
