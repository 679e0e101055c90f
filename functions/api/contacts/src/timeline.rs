//! The timeline of a contact: its whole history in one list.

use api::{
    Allowed, Api, AuditedReads, EntryId, Listed, Paging, Path, Query, TimelineEntryOut, TimelineOrder, permits,
    received_message, require_found,
};
use axum::Extension;
use axum::extract::State;
use domain::accounts::Look;
use domain::people::HistoryKind;
use domain::terms::ContactId;
use kit::Problem;
use schemars::JsonSchema;
use serde::Deserialize;
use store::contacts::TimelineWanted;

use crate::itself;

/// Filters of a timeline.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TimelineQuery {
    /// Only entries of this kind.
    #[serde(default)]
    #[schemars(with = "HistoryKind")]
    kind: Option<HistoryKind>,
    /// Order.
    #[serde(default)]
    order: TimelineOrder,
    /// Only entries behind this one in the order: the id of a call, a message or a note.
    #[serde(default)]
    #[schemars(with = "EntryId")]
    from: Option<EntryId>,
}

/// Reads the page and the names of the tenant's lines at once.
pub(crate) async fn get_timeline(
    who: Allowed<permits::ContactsRead>,
    State(api): State<Api>,
    Extension(reads): Extension<AuditedReads>,
    Path(contact_id): Path<ContactId>,
    Query(query): Query<TimelineQuery>,
    paging: Paging,
) -> Result<Listed<TimelineEntryOut>, Problem> {
    let (order, after) = query.order.behind(&paging, query.from)?;
    let wanted = TimelineWanted {
        only: query.kind,
        order,
        after,
        limit: paging.limit(),
    };
    let (store, scope) = (api.store(), who.scope());
    let page = store.timeline(scope, contact_id, wanted, who.now());
    let ((contact, page), showing) = tokio::try_join!(Box::pin(require_found(page)), Box::pin(api.showing(&who)))?;
    itself(contact_id, &contact)?;
    let received = page.items.iter().filter_map(received_message);
    let showing = Box::pin(api.showing_media(&who, showing, received)).await?;
    // Of any page: a position can be made up.
    reads.record(&api, &who, Look::Timeline, contact_id).await?;
    Ok(Listed::of(page, |placed| showing.entry(placed)))
}
