//! The timeline of a contact: calls, messages, changes of consent, notes, conversions and merges in one list. Its rows stand for
//! themselves, so that a page is shown with one request.

use api::{Allowed, Api, CallOut, Listed, Looks, MessageOut, Paging, Path, Query, Showing, found, permits};
use axum::{Extension, extract::State};
use domain::{
    accounts::audit::Look,
    base::ids::ContactId,
    calls::record::{ConsentEntry, Entry},
    contacts::{conversion::Conversion, note::Note},
};
use jiff::Timestamp;
use kit::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::contacts::timeline::{Kind, Placed, Position};

use crate::{itself, merging::MergeOut};

/// Kind of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TimelineKind {
    /// A call.
    Call,
    /// A message, out or in.
    Message,
    /// A change of consent.
    Consent,
    /// A note.
    Note,
    /// A conversion.
    Conversion,
    /// A merge of another contact into this one.
    Merge,
}

impl From<TimelineKind> for Kind {
    fn from(kind: TimelineKind) -> Self {
        match kind {
            TimelineKind::Call => Self::Call,
            TimelineKind::Message => Self::Message,
            TimelineKind::Consent => Self::Consent,
            TimelineKind::Note => Self::Note,
            TimelineKind::Conversion => Self::Conversion,
            TimelineKind::Merge => Self::Merge,
        }
    }
}

/// Filters of a timeline.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TimelineQuery {
    /// Only entries of this kind.
    #[serde(default)]
    #[schemars(with = "TimelineKind")]
    kind: Option<TimelineKind>,
}

/// An entry of a contact's timeline. It has the field that is named after its kind.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TimelineEntryOut {
    /// Kind of the entry.
    kind: TimelineKind,
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
    /// The note.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<Note>,
    /// The conversion.
    #[serde(skip_serializing_if = "Option::is_none")]
    conversion: Option<Conversion>,
    /// The merge.
    #[serde(skip_serializing_if = "Option::is_none")]
    merge: Option<MergeOut>,
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
    let empty = |kind: TimelineKind| TimelineEntryOut {
        kind,
        at: position.at(),
        call: None,
        message: None,
        consent: None,
        note: None,
        conversion: None,
        merge: None,
    };
    match entry {
        Entry::Call(found) => TimelineEntryOut {
            call: Some(showing.call(*found)),
            ..empty(TimelineKind::Call)
        },
        Entry::Sent(message) => TimelineEntryOut {
            message: Some(showing.sent(*message)),
            ..empty(TimelineKind::Message)
        },
        Entry::Received(message) => TimelineEntryOut {
            message: Some(showing.received(*message)),
            ..empty(TimelineKind::Message)
        },
        Entry::Consent(entry) => TimelineEntryOut {
            consent: Some(consent(entry)),
            ..empty(TimelineKind::Consent)
        },
        Entry::Note(note) => TimelineEntryOut {
            note: Some(note),
            ..empty(TimelineKind::Note)
        },
        Entry::Conversion(conversion) => TimelineEntryOut {
            conversion: Some(conversion),
            ..empty(TimelineKind::Conversion)
        },
        Entry::Merge(merge) => TimelineEntryOut {
            merge: Some(MergeOut::from(merge)),
            ..empty(TimelineKind::Merge)
        },
    }
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
    let (store, scope, only) = (api.store(), who.scope(), query.kind.map(Kind::from));
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
