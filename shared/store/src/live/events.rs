//! The meaning of changes of rows to those who follow a tenant.

use domain::{
    base::ids::TenantId,
    calls::record::Received,
    campaigns::campaign::Campaign,
    contacts::{history::HistoryKind, note::Note},
    inbox::conversation::Conversation,
    live::event::Meaning,
    templates::template::TemplateDefinition,
    tenants::connection::Connection,
};
use serde_dynamo::Item;

use crate::{
    Owned as _, StoreError,
    table::{
        changes::{DOING, call, data, message, shown, text},
        compact, keys,
        row::ALIAS,
    },
};

/// The meaning of a change of a row. `None`: it has none, as deletions and changes of most rows.
///
/// # Errors
/// If a row of a kind that means something does not have the expected form.
pub fn meaning(before: &Item, after: &Item) -> Result<Option<(TenantId, Meaning)>, StoreError> {
    let (Some(pk), Some(kind)) = (text(after, "pk"), text(after, "kind")) else {
        return Ok(None);
    };
    let Some(tenant) = keys::tenant_of(pk) else {
        return Ok(None);
    };
    let inserted = before.is_empty();
    let was = |image: &Item| (!image.is_empty()).then(|| image.clone());
    let meaning = match kind {
        "received" if inserted => Some(Meaning::of_received(&data::<Received>(after)?)),
        "message" => {
            let before = was(before).map(|before| message(&before)).transpose()?;
            Meaning::of_message(before.as_ref(), &message(after)?)
        }
        "call" => {
            let before = was(before).map(|before| call(&before)).transpose()?;
            Meaning::of_call(before.as_ref(), &call(after)?)
        }
        "conversation" => {
            let before = was(before).map(|before| data::<Conversation>(&before)).transpose()?;
            Meaning::of_conversation(before.as_ref(), &data(after)?)
        }
        "contact" => {
            let contact = |image: Item| compact::contact(image.into(), DOING);
            // One whose merge is undone was the row of another kind.
            let before = was(before).filter(|before| text(before, "kind") == Some(kind));
            let before = before.map(contact).transpose()?;
            Meaning::of_contact(before.as_ref(), &contact(after.clone())?)
        }
        "profile" | ALIAS => keys::contact_of(pk).map(Meaning::of_profile),
        "operation" => {
            let before = was(before).map(|before| data(&before)).transpose()?;
            Meaning::of_operation(before.as_ref(), &data(after)?)
        }
        Campaign::KIND => Some(Meaning::of_campaign(data::<Campaign>(after)?.id)),
        TemplateDefinition::KIND => Meaning::of_template(&data(after)?),
        Connection::KIND => {
            let (before, after) = (shown::<Connection>(before)?, shown::<Connection>(after)?);
            after.and_then(|after| Meaning::of_connection(before.as_ref(), &after))
        }
        word if inserted && word == HistoryKind::Note.word() => Some(Meaning::of_note(data::<Note>(after)?.id)),
        _ => None,
    };
    Ok(meaning.map(|meaning| (tenant, meaning)))
}
