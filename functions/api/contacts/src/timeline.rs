//! The timeline of a contact: its whole history in one list. Its rows stand for themselves, so that a page is shown with one request.

use api::{Allowed, Api, CallOut, Listed, Looks, MessageOut, Paging, Path, Query, Showing, found, permits};
use axum::{Extension, extract::State};
use domain::{
    accounts::audit::Look,
    base::ids::ContactId,
    calls::record::{ConsentEntry, Entry},
    contacts::history::{HistoryKind, RecordShown},
};
use jiff::Timestamp;
use kit::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::contacts::timeline::{Placed, Position};

use crate::itself;

/// Filters of a timeline.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TimelineQuery {
    /// Only entries of this kind.
    #[serde(default)]
    #[schemars(with = "HistoryKind")]
    kind: Option<HistoryKind>,
}

/// An entry of a contact's timeline. It has the field that is named after its kind.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TimelineEntryOut {
    /// Kind of the entry.
    kind: HistoryKind,
    /// Time by which the timeline is sorted: of a call and its message that of the call's first report, of a customer's message
    /// that of writing, of the others that of recording.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    at: Timestamp,
    /// The call.
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<CallOut>,
    /// The message.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<MessageOut>,
    /// The change of consent.
    #[serde(skip_serializing_if = "Option::is_none")]
    consent: Option<TimelineConsent>,
    /// What else is recorded.
    #[serde(flatten)]
    record: RecordShown,
}

/// A change of consent in a timeline.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TimelineConsent {
    /// The change as a word, such as `stop`, `start`, `marketing_stop`, `marketing_start`.
    #[schemars(example = &"stop")]
    code: String,
    /// Source of the change, in words.
    #[schemars(example = &"asked for no more messages by SMS")]
    source: String,
    /// Time of the change.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    changed_at: Timestamp,
}

fn consent(entry: ConsentEntry) -> TimelineConsent {
    TimelineConsent {
        code: entry.what(),
        source: entry.source,
        changed_at: entry.at,
    }
}

fn shown(Placed { position, entry }: Placed, showing: &Showing) -> TimelineEntryOut {
    let mut shown = TimelineEntryOut {
        kind: position.kind(),
        at: position.at(),
        call: None,
        message: None,
        consent: None,
        record: RecordShown::default(),
    };
    match entry {
        Entry::Call(found) => shown.call = Some(showing.call(*found)),
        Entry::Sent(message) => shown.message = Some(showing.sent(*message)),
        Entry::Received(message) => shown.message = Some(showing.received(*message)),
        Entry::Consent(entry) => shown.consent = Some(consent(entry)),
        Entry::Record(record) => shown.record = record.into(),
    }
    shown
}

/// Reads the page and the names of the tenant's lines at once.
pub(crate) async fn get_timeline(
    who: Allowed<permits::ContactsRead>,
    State(api): State<Api>,
    Extension(looks): Extension<Looks>,
    Path(contact_id): Path<ContactId>,
    Query(query): Query<TimelineQuery>,
    paging: Paging,
) -> Result<Listed<TimelineEntryOut>, Problem> {
    let after = paging.position::<Position>()?;
    let (store, scope, only) = (api.store(), who.scope(), query.kind);
    let page = store.timeline(scope, contact_id, only, after, paging.limit(), who.now());
    let ((contact, page), showing) = tokio::try_join!(Box::pin(found(page)), Box::pin(api.showing(&who)))?;
    itself(contact_id, &contact)?;
    let received = page.items.iter().filter_map(|placed| match &placed.entry {
        Entry::Received(message) => Some(&**message),
        _ => None,
    });
    let showing = Box::pin(api.showing_media(&who, showing, received)).await?;
    // Of any page: a position can be made up.
    looks.record(&api, &who, Look::Timeline, contact_id).await?;
    Ok(Listed::of(page, |placed| shown(placed, &showing)))
}
