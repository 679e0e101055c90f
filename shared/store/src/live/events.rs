//! The meaning of changes of rows to those who follow a tenant, and to those who have no page open.

use domain::accounts::{ApiKey, Member};
use domain::calls::Received;
use domain::campaigns::Campaign;
use domain::live::{About, Meaning};
use domain::notices::NoticeState;
use domain::people::{ConsentEntry, Conversion, HistoryKind, Note, Order};
use domain::templates::TemplateDefinition;
use domain::tenants::Connection;
use domain::terms::TenantId;
use jiff::Timestamp;
use serde_dynamo::Item;

use crate::table::changes::{DOING, call, data, message, of_tenant, text, visible_row};
use crate::table::row::ALIAS;
use crate::table::{compact, keys};
use crate::{Owned as _, StoreError};

/// The tenant of a change that may have ended somebody's rights: of the row of a member, a key, or the tenant.
pub fn ends_rights(before: &Item, after: &Item) -> Option<TenantId> {
    let kind = text(before, "kind")?;
    let known = [Member::KIND, ApiKey::KIND, "tenant"].contains(&kind);
    if !known || before.get("data") == after.get("data") {
        return None;
    }
    keys::tenant_of(text(before, "pk")?)
}

/// The meaning of a change of a row. `None`: it has none, as deletions and changes of most rows.
///
/// # Errors
/// If a row of a kind that means something does not have the expected form.
pub fn event_meaning(before: &Item, after: &Item) -> Result<Option<(TenantId, Meaning)>, StoreError> {
    let Some((tenant, pk, kind)) = of_tenant(after) else {
        return Ok(None);
    };
    let inserted = before.is_empty();
    let was = (!inserted).then_some(before);
    let meaning = match kind {
        "received" if inserted => Some(Meaning::of_received(&data::<Received>(after)?)),
        "message" => Meaning::of_message(was.map(message).transpose()?.as_ref(), &message(after)?),
        "call" => Meaning::of_call(was.map(call).transpose()?.as_ref(), &call(after)?),
        "conversation" => {
            let read = |image: &Item| compact::conversation(image.clone().into(), DOING).map(|known| known.value);
            Meaning::of_conversation(was.map(read).transpose()?.as_ref(), &read(after)?)
        }
        "contact" => {
            let contact = |image: &Item| compact::contact(image.clone().into(), DOING);
            let after = contact(after)?;
            // One whose merge is undone was the row of another kind.
            let before = was.filter(|before| text(before, "kind") == Some(kind));
            if inserted {
                Some(Meaning::of_new_contact(after.id))
            } else {
                Meaning::of_contact(before.map(contact).transpose()?.as_ref(), &after)
            }
        }
        "profile" | ALIAS => keys::contact_of(pk).map(Meaning::of_profile),
        "operation" => Meaning::of_operation(was.map(data).transpose()?.as_ref(), &data(after)?),
        Campaign::KIND => Some(Meaning::of_campaign(data::<Campaign>(after)?.id)),
        TemplateDefinition::KIND => Meaning::of_template(&data(after)?),
        Connection::KIND => {
            let (before, after) = (visible_row::<Connection>(before)?, visible_row::<Connection>(after)?);
            after.and_then(|after| Meaning::of_connection(before.as_ref(), &after))
        }
        word if inserted && word == HistoryKind::Note.word() => Some(Meaning::of_note(data::<Note>(after)?.id)),
        word if inserted && word == HistoryKind::Conversion.word() => {
            Some(Meaning::of_conversion(&data::<Conversion>(after)?))
        }
        word if word == HistoryKind::Order.word() => {
            let (before, after) = (visible_row::<Order>(before)?, visible_row::<Order>(after)?);
            after.and_then(|after| Meaning::of_order(before.as_ref(), &after))
        }
        "consent" if inserted => match keys::contact_of(pk) {
            Some(contact) => Meaning::of_consent(contact, &data::<ConsentEntry>(after)?),
            None => None,
        },
        _ => None,
    };
    Ok(meaning.map(|meaning| (tenant, meaning)))
}

/// An event that people are told of at once on their devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AtOnce {
    /// The tenant, read from the row's key.
    pub tenant: TenantId,
    pub about: About,
    /// Time when it happened.
    pub happened_at: Timestamp,
}

/// The event that people are told of because a row changed at this time.
///
/// # Errors
/// If the row of such an event does not have the expected form.
pub fn told_at_once(before: &Item, after: &Item, at: Timestamp) -> Result<Option<AtOnce>, StoreError> {
    let Some((tenant, _, kind)) = of_tenant(after) else {
        return Ok(None);
    };
    let told = match kind {
        word if word == HistoryKind::Note.word() => {
            let (before, after) = (visible_row::<Note>(before)?, visible_row::<Note>(after)?);
            after.and_then(|after| Some((About::of_note(before.as_ref(), &after)?, after.updated_at)))
        }
        "call" => {
            let was = (!before.is_empty()).then(|| call(before)).transpose()?;
            let after = call(after)?;
            About::of_call(was.as_ref(), &after).map(|about| (about, after.happened_at()))
        }
        "notice" => {
            let (before, after) = (visible_row::<NoticeState>(before)?, visible_row::<NoticeState>(after)?);
            after.and_then(|after| Some((About::of_notice(before.as_ref(), &after, at)?, at)))
        }
        _ => None,
    };
    Ok(told.map(|(about, happened_at)| AtOnce {
        tenant,
        about,
        happened_at,
    }))
}
