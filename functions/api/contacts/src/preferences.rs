//! Links to the preference page of a contact.

use api::{Allowed, Api, Once, Path, permits, require_found};
use axum::extract::State;
use axum::{Extension, Json};
use domain::accounts::AuditEntry;
use domain::people::{LinkCode, LinkOrigin, MADE_LINK_LIFETIME};
use domain::terms::ContactId;
use jiff::Timestamp;
use kit::http::Target;
use kit::{Pages, Problem};
use schemars::JsonSchema;
use serde::Serialize;
use store::consent::LinkWrite;
use store::table::rates::Limit;

use crate::itself;

/// Links of one user or API key per hour: enough for conversations, not for a list of customers.
const LINKS: Limit = Limit::per_hour(30);

/// A link to the preference page of a contact.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PreferenceLinkOut {
    /// The link. Its holder can see and change the contact's wishes, so give it to the contact only.
    #[schemars(example = "https://api.example.com/p/7k3m9q2w8x5y4z6t")]
    url: String,
    /// Time of expiry.
    #[schemars(example = "2026-11-20T13:00:00Z")]
    expires_at: Timestamp,
}

pub(crate) async fn create_preference_link(
    who: Allowed<permits::ContactsWrite>,
    State(api): State<Api>,
    Path(contact_id): Path<ContactId>,
    Extension(pages): Extension<Pages>,
    Extension(target): Extension<Target>,
) -> Result<Once<Json<PreferenceLinkOut>>, Problem> {
    let (store, scope, now) = (api.store(), who.scope(), who.now());
    let contact = require_found(store.contact(scope, contact_id)).await?;
    itself(contact_id, &contact)?;
    if contact.deleted_at.is_some() || contact.erasing {
        return Err(Problem::not_found());
    }
    api.limit(&who, &format!("PREFERENCE_LINKS#{}", who.actor()), LINKS)
        .await?;
    let link = LinkWrite {
        code: LinkCode::of(api.secret()?),
        contact: contact_id,
        origin: LinkOrigin::Actor(who.actor()),
    };
    // First: no link is given out that is not in the log.
    let name = link.code.name();
    let entry = AuditEntry::of_link(&name, contact_id, who.stamp());
    store
        .record_audit(scope, &format!("preference_link-{name}"), &entry)
        .await?;
    store.create_preference_link(scope, &link, now).await?;
    Ok(Once(Json(PreferenceLinkOut {
        url: pages.preferences(&link.code, &target),
        expires_at: now + MADE_LINK_LIFETIME,
    })))
}
