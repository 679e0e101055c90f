//! Segments: saved filters of contacts.

use api::{
    Allowed, Api, Body, ContactOut, Created, IfMatch, Listed, NoContent, OperationOut, Paging, Patch, Path, References,
    Tagged, With, permits, position, require_found, start_and_answer,
};
use axum::extract::State;
use axum::{Extension, Json, Router};
use domain::accounts::permits::Permit;
use domain::people::{Conditions, CountSegment, Segment, SegmentIn};
use domain::terms::{OperationKind, SegmentId};
use kit::{Bus, ConfigError, Env, Problem};
use store::Versioned;
use store::table::rates::Limit;

kit::function!(serve_http, routes);

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    Ok(api::serve(operations(), Api::new(env)?).layer(Extension(Bus::new(env)?)))
}

api::operations! {
    "segments": "Segments of a tenant's contacts: saved filters." {
        /// Create a segment
        ///
        /// The filter has the conditions of `GET /api/v1/contacts`, except `deleted`, `duplicates` and conditions that name a person.
        /// At least one of them must have a list: `tag`, `stage`, or `field`; otherwise, the answer is 400. A filter without conditions
        /// means all contacts. A segment cannot name another one. A tenant has at most 100 segments.
        POST "/api/v1/segments" => create_segment, "The segment";

        /// List segments
        ///
        /// Oldest first.
        GET "/api/v1/segments" => list_segments, "A page of segments";

        /// Get a segment
        GET "/api/v1/segments/{segment_id}" => get_segment, "The segment";

        /// Update a segment
        ///
        /// `filter` is merged: a condition that is `null` is removed. Operations that are running for the segment are not affected.
        PATCH "/api/v1/segments/{segment_id}" => update_segment, "The updated segment";

        /// Delete a segment
        ///
        /// Its name is free again. Its contacts stay.
        DELETE "/api/v1/segments/{segment_id}" => delete_segment, "The segment is deleted";

        /// List the contacts of a segment
        ///
        /// In the order of the list that one of the conditions reads, as in `GET /api/v1/contacts`. A page can hold fewer contacts than
        /// `limit`, or none, without being the last one: only a `next_cursor` of `null` ends the list. If the tag, stage or field of a
        /// condition was deleted, the answer is 409 `segment_unusable`.
        GET "/api/v1/segments/{segment_id}/contacts" => list_segment_contacts, "A page of contacts",
            409 "The segment refers to something that was deleted.", problems "segment_unusable";

        /// Count the contacts of a segment
        ///
        /// The answer is the operation that counts them. Its progress is the number so far, its result has the number as `contacts`.
        /// While contacts change, the number is an approximation. A tenant can count 60 times an hour.
        POST "/api/v1/segments/{segment_id}/count" => count_segment, "The operation that counts the contacts",
            problems "segment_unusable" "too_many_operations";
    }
}

type Reading = Allowed<permits::SegmentsRead>;
type Writing = Allowed<permits::SegmentsWrite>;

/// Maximum counts per tenant and hour: each may read all contacts.
const COUNTS: Limit = Limit::per_hour(60);

async fn create_segment(
    who: Writing,
    State(api): State<Api>,
    Body(fields): Body<SegmentIn>,
) -> Result<Created<Segment>, Problem> {
    check(&api, &who, &fields.filter).await?;
    api.create(&who, "/api/v1/segments", fields).await
}

async fn list_segments(who: Reading, State(api): State<Api>, paging: Paging) -> Result<Listed<Segment>, Problem> {
    api.list(&who, &paging).await
}

async fn get_segment(
    who: Reading,
    State(api): State<Api>,
    Path(id): Path<SegmentId>,
) -> Result<Tagged<Segment>, Problem> {
    api.read(&who, &id).await
}

async fn update_segment(
    who: Writing,
    State(api): State<Api>,
    Path(id): Path<SegmentId>,
    if_match: IfMatch,
    patch: Patch<SegmentIn>,
) -> Result<Tagged<Segment>, Problem> {
    let (api, who) = (&api, &who);
    // A filter that has become unusable prevents no other change.
    let allow = |before: Segment, after: Segment| async move {
        if after.filter == before.filter {
            return Ok(());
        }
        check(api, who, &after.filter).await
    };
    api.update_if(who, &id, &if_match, &patch, allow).await
}

async fn delete_segment(
    who: Writing,
    State(api): State<Api>,
    Path(id): Path<SegmentId>,
    if_match: IfMatch,
) -> Result<NoContent, Problem> {
    api.remove::<Segment, _>(&who, &id, &if_match).await
}

async fn list_segment_contacts(
    who: Allowed<permits::ContactsRead>,
    State(api): State<Api>,
    Path(id): Path<SegmentId>,
    paging: Paging,
) -> Result<Listed<ContactOut>, Problem> {
    let (store, scope) = (api.store(), who.scope());
    let segment: Versioned<Segment> = require_found(store.get(scope, &id)).await?;
    let (api, who, segment, paging) = (&api, &who, &segment.value, &paging);
    let found = api.by_fields(who, |definitions| async move {
        let search = api.search_of(who, segment, &definitions).await?;
        let after = position(paging, &search)?;
        let found = store.search_contacts_as_of(scope, &search, after.as_ref(), paging.limit(), false);
        Ok(found.await?)
    });
    let (page, definitions) = found.await?;
    Ok(Listed::of(page, |person| ContactOut::of(person, &definitions)))
}

async fn count_segment(
    who: Reading,
    State(api): State<Api>,
    Extension(bus): Extension<Bus>,
    Path(id): Path<SegmentId>,
) -> Result<With<202, Json<OperationOut>>, Problem> {
    let (store, scope, stamp) = (api.store(), who.scope(), who.stamp());
    let segment: Versioned<Segment> = require_found(store.get(scope, &id)).await?;
    let definitions = api.fields(&who).await?;
    api.search_of(&who, &segment.value, &definitions).await?;
    api.limit(&who, "SEGMENT_COUNTS", COUNTS).await?;
    let params = CountSegment {
        segment: id,
        filter: segment.value.filter,
    };
    let operation = api.new_operation(&who, OperationKind::CountSegment, &params).await?;
    store.create_operation(scope, &operation, &stamp).await?;
    Ok(start_and_answer(&who, &bus, operation).await)
}

/// Refuses a filter that cannot be used: one that names what does not exist, or that no list serves.
async fn check<P: Permit>(api: &Api, who: &Allowed<P>, filter: &Conditions) -> Result<(), Problem> {
    let named = References {
        tags: ("filter.tag", filter.tag.into_iter().collect()),
        stage: ("filter.stage", filter.stage),
        owner: ("filter.owner", filter.owner),
    };
    let mut wrong = api.missing(who, &named).await?;
    let definitions = match filter.field {
        Some(_) => Some(api.fields(who).await?),
        None => None,
    };
    let meant = filter.filter(definitions.as_deref().unwrap_or_default());
    let meant = meant.map_err(|problem| wrong.push(problem.within("filter"))).ok();
    if !wrong.is_empty() {
        return Err(wrong.into());
    }
    let search = meant.and_then(|filter| filter.search());
    search.map(drop).ok_or_else(|| {
        Problem::bad_request(format!(
            "No list has these contacts. Add at least one of the conditions {} to `filter`.",
            Conditions::DRIVERS
        ))
    })
}
