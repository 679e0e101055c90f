//! The caps of a tenant: how many messages it may send in an hour, a day or a month, or what they may cost.

mod models;

use std::sync::OnceLock;

use api::{Allowed, Api, Body, Listed, NoContent, Path, RACES, permits, require_found};
use axum::extract::State;
use axum::{Json, Router};
use domain::accounts::{Account, ApiKey, Member};
use domain::money::{Cap, CapName, MAX_CAPS, Scope, day_of, loosened_cap, put_cap};
use domain::reports::{all_caps_of, caps_of};
use domain::tenants::{Line, Tenant};
use domain::terms::{Actor, Fault, FaultCode};
use jobs::{Author, Mail, MailJob};
use kit::{ConfigError, Env, Problem};
use store::StoreError;
use store::table::rates::Limit;

use crate::models::{CapIn, CapOut};

kit::function!(serve_http, routes);

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    Ok(api::serve(operations(), Api::with_mails(env)?))
}

api::operations! {
    "caps": "Caps: how many messages a tenant may send in an hour, a day or a month, or what they may cost." {
        /// Set a cap
        ///
        /// Sets the maximum of the cap with this name, and keeps its count. A cap that does not exist yet is added, and counts from now on.
        /// A maximum below the count, or of 0, stops such messages at once: they are blocked, and not delayed. A cap of money counts the
        /// expected cost of messages by the price lists, which must have prices in its currency. It is corrected when providers report
        /// their prices. A tenant has at most 20 caps. Hours, days and months are in UTC. A mail tells the administrators of a cap that is
        /// raised.
        POST "/api/v1/caps" => set_cap, "The cap";

        /// List caps
        ///
        /// Returns each cap with its present count. If several caps apply to a message, each must have room for it. Every tenant has caps
        /// from the start: 200 follow-ups an hour and 1,000 a day, 500 and 2,000 messages by the API, and 20 and 50 messages to countries
        /// of none of its lines. Caps of the plan come last; only the platform changes them. The list has one page.
        GET "/api/v1/caps" => list_caps, "All caps";

        /// Remove a cap
        ///
        /// The cap no longer counts messages. The other caps stay. A mail tells the administrators.
        DELETE "/api/v1/caps/{cap}" => remove_cap, "The cap is removed";
    }
}

type Reading = Allowed<permits::CapsRead>;
type Writing = Allowed<permits::CapsWrite>;

async fn list_caps(who: Reading, State(api): State<Api>) -> Result<Listed<CapOut>, Problem> {
    let (store, scope, now) = (api.store(), who.scope(), who.now());
    let counts = async { Ok(Some(store.cap_counts(scope, now).await?)) };
    let (tenant, counts) = tokio::try_join!(require_found(store.tenant(scope)), require_found(counts))?;
    let items = all_caps_of(&tenant)
        .into_iter()
        .map(|cap| CapOut::of(&cap, &counts, now));
    Ok(Listed {
        items: items.collect(),
        next_cursor: None,
    })
}

async fn set_cap(who: Writing, State(api): State<Api>, Body(input): Body<CapIn>) -> Result<Json<CapOut>, Problem> {
    let (api, who, name) = (&api, &who, &input.cap);
    let (store, scope, now) = (api.store(), who.scope(), who.now());
    if let Scope::Line(line) = name.scope
        && store.get::<Line>(scope, &line).await?.is_none()
    {
        let fault = Fault::new(FaultCode::NotFound, "The tenant has no such line.");
        return Err(Problem::field("cap", fault.and("id", line.to_string())));
    }
    if let Some(currency) = &name.currency {
        let book = store.current_prices().await?;
        if book.dearest(None, currency, day_of(now)).is_none() {
            let detail = "No price list is in this currency, so what messages cost in it is not known.";
            let fault = Fault::new(FaultCode::NotFound, detail);
            return Err(Problem::field("cap", fault.and("id", currency.as_str())));
        }
    }
    let set = change(api, who, |caps| {
        if !put_cap(caps, name, input.maximum.get(), now) {
            let advice = "Remove one that is not needed.";
            return Err(Problem::at_most("limit_reached", MAX_CAPS, "caps", advice));
        }
        Ok(caps.iter().find(|cap| cap.name() == *name).cloned())
    });
    let set = set.await?.ok_or_else(Problem::internal)?;
    let counts = store.cap_counts(scope, now).await?;
    Ok(Json(CapOut::of(&set, &counts, now)))
}

async fn remove_cap(who: Writing, State(api): State<Api>, Path(name): Path<CapName>) -> Result<NoContent, Problem> {
    let removed = change(&api, &who, |caps| {
        let count = caps.len();
        caps.retain(|cap| cap.name() != name);
        if caps.len() == count {
            return Err(Problem::not_found());
        }
        Ok(NoContent)
    });
    removed.await
}

/// Changes the tenant's caps, on condition that nobody else does.
async fn change<T>(
    api: &Api,
    who: &Writing,
    change: impl Fn(&mut Vec<Cap>) -> Result<T, Problem>,
) -> Result<T, Problem> {
    let (store, scope, change) = (api.store(), who.scope(), &change);
    // Of the first attempt: if its answer is lost, the next one finds its own change made.
    let told = &OnceLock::new();
    let changed = RACES.until_won(|| async move {
        let before = require_found(store.tenant(scope)).await?;
        let known = caps_of(&before);
        let mut caps = known.clone();
        let changed = change(&mut caps)?;
        if before.caps.as_deref() != Some(&caps) {
            let after = Tenant {
                caps: Some(caps.clone().into()),
                ..before
            };
            if let Some((cap, maximum)) = loosened_cap(&known, &caps)
                && told.get().is_none()
            {
                api.limit(who, "CAP_MAILS", MAILS).await?;
                told.get_or_init(|| (after.name.clone(), cap.clone(), maximum));
            }
            store.change_tenant(scope, &after, &who.stamp()).await?;
        }
        Ok(changed)
    });
    let changed = changed.await?;
    if let Some((business, before, maximum)) = told.get().cloned() {
        let mail = tell(api, who, business, before, maximum);
        // The change stands.
        if Box::pin(mail).await.is_err() {
            tracing::error!("the administrators are not told that a cap was raised or removed");
        }
    }
    Ok(changed)
}

/// Maximum caps that are raised or removed, so that changing caps all day floods nobody with mails. Beyond it, they stay as they are: no
/// cap is loosened unless the administrators are told.
const MAILS: Limit = Limit::per_hour(20);

/// Tells the administrators that a cap was raised, or removed, by a mail that nobody can turn off: it may be the work of a stolen session.
async fn tell(api: &Api, who: &Writing, business: String, before: Cap, maximum: Option<u32>) -> Result<(), Problem> {
    let (store, scope, at) = (api.store(), who.scope(), who.now());
    let (by, admins) = tokio::try_join!(Box::pin(author(api, who)), store.admin_accounts(scope))?;
    let job = |admin: &Account| MailJob {
        tenant: Some(scope.tenant()),
        correlation_id: who.correlation_id().to_owned(),
        id: who.ulid().to_string().to_ascii_lowercase(),
        to: admin.email.as_str().to_owned(),
        language: admin.language.clone(),
        mail: Mail::CapLoosened {
            business: business.clone(),
            by: by.clone(),
            before: before.clone(),
            maximum,
            at,
        },
    };
    // The address of an account whose password nobody has chosen is not proved yet.
    let known = admins.iter().filter(|admin| !admin.awaits_password);
    api.send_mails(known.map(job).collect()).await
}

async fn author(api: &Api, who: &Writing) -> Result<Author, StoreError> {
    let (store, scope) = (api.store(), who.scope());
    Ok(match who.actor() {
        Actor::User(user) => {
            let member = store.get::<Member>(scope, &user).await?;
            Author::Person(member.map(|member| member.value.name).unwrap_or_default())
        }
        Actor::ApiKey(key) => {
            let key = store.get::<ApiKey>(scope, &key).await?;
            Author::ApiKey(key.map(|key| key.value.name).unwrap_or_default())
        }
        Actor::Platform(_) | Actor::Operator => Author::Platform,
    })
}
