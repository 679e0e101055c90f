//! The suppression list: addresses of people who are no contacts and must not be messaged.

mod models;

use api::{
    Allowed, Api, Body, Created, IfMatch, Listed, NoContent, Paging, Path, RACES, Setback, Tagged, permits,
    require_found,
};
use axum::Router;
use axum::extract::State;
use domain::people::Address;
use domain::terms::SuppressionId;
use kit::{ConfigError, Env, Problem};
use store::Versioned;
use store::consent::SuppressError;

use crate::models::{SuppressionIn, SuppressionOut};

kit::function!(serve_http, routes);

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    Ok(api::serve(operations(), Api::new(env)?))
}

api::operations! {
    "suppressions": "The suppression list of a tenant: addresses of people who are no contacts and must not be messaged." {
        /// Suppress an address
        ///
        /// Refuses messages to an address that has no contact yet. When a contact gets this address, by a call, a message or the
        /// API, it inherits the refusals, and the address leaves the list. An address that is on the list already gets a further
        /// refusal, which only replaces an older one of the same channel, category and party. Record the refusal of a contact at
        /// the contact instead.
        POST "/api/v1/suppressions" => create_suppression, "The suppressed address", problems "is_contact";

        /// List suppressed addresses
        ///
        /// Sorted by address: e-mail addresses, then telephone numbers. A page can hold fewer addresses than `limit`, or none, without
        /// being the last one: only a `next_cursor` of `null` ends the list. New addresses appear within seconds.
        GET "/api/v1/suppressions" => list_suppressions, "A page of suppressed addresses";

        /// Get a suppressed address
        ///
        /// 404 means that it is not on the list; it may be a contact's.
        GET "/api/v1/suppressions/{address}" => get_suppression, "The suppressed address";

        /// Remove an address from the suppression list
        ///
        /// All refusals of the address end. Messages to it are possible again, if there is a ground for them.
        DELETE "/api/v1/suppressions/{address}" => delete_suppression, "The address is removed";
    }
}

type Reading = Allowed<permits::SuppressionsRead>;
type Writing = Allowed<permits::SuppressionsWrite>;

/// The path of an address. Characters with a meaning in paths are encoded.
fn path_of(address: &Address) -> String {
    let mut path = "/api/v1/suppressions/".to_owned();
    for byte in address.as_str().bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~@+".contains(&byte) {
            path.push(char::from(byte));
        } else {
            path.push_str(&format!("%{byte:02X}"));
        }
    }
    path
}

fn setback(error: SuppressError) -> Setback {
    match error {
        SuppressError::Contact(contact) => {
            let place = format!("/api/v1/contacts/{contact}/consent");
            let detail = format!("The address belongs to a contact. Record the refusal at `{place}`.");
            Problem::conflict("is_contact", detail).into()
        }
        SuppressError::Store(error) => error.into(),
    }
}

async fn create_suppression(
    who: Writing,
    State(api): State<Api>,
    Body(input): Body<SuppressionIn>,
) -> Result<Created<SuppressionOut>, Problem> {
    let (address, refused) = input.into_refusal(who.actor(), who.now())?;
    let (store, scope, stamp) = (api.store(), who.scope(), &who.stamp());
    let (address, refused, fresh) = (&address, &refused, SuppressionId::new(who.ulid()));
    let created = RACES.until_won(|| async move {
        let suppressed = store.suppress(scope, address, fresh, refused, stamp).await;
        suppressed.map_err(setback)
    });
    let Versioned { version, value } = created.await?;
    Ok(Created {
        location: path_of(address),
        version,
        body: value.into(),
    })
}

async fn list_suppressions(
    who: Reading,
    State(api): State<Api>,
    paging: Paging,
) -> Result<Listed<SuppressionOut>, Problem> {
    let page = api.store().suppressions(who.scope(), paging.after(), paging.limit());
    Ok(Listed::of(page.await?, |found| found.value.into()))
}

async fn get_suppression(
    who: Reading,
    State(api): State<Api>,
    Path(address): Path<Address>,
) -> Result<Tagged<SuppressionOut>, Problem> {
    require_found(api.store().suppression(who.scope(), &address))
        .await
        .map(Tagged::of)
}

async fn delete_suppression(
    who: Writing,
    State(api): State<Api>,
    Path(address): Path<Address>,
    if_match: IfMatch,
) -> Result<NoContent, Problem> {
    let (store, scope, stamp) = (api.store(), who.scope(), who.stamp());
    let (address, if_match, stamp) = (&address, &if_match, &stamp);
    let removed = RACES.until_won(|| async move {
        let before = require_found(store.suppression(scope, address)).await?;
        if_match.check(before.version)?;
        store.unsuppress(scope, &before, stamp).await?;
        Ok(NoContent)
    });
    removed.await
}
