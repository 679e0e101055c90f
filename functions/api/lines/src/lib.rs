//! Lines: the numbers that customers call, with what answers them. Rules, calls and messages name them by id.

use std::future::ready;

use api::{Allowed, Api, Body, Created, IfMatch, Listed, NoContent, Paging, Patch, Path, Tagged, permits};
use axum::Router;
use axum::extract::State;
use domain::accounts::permits::Permit;
use domain::tenants::{ConnectionSummary, Line, LineIn, line_problems};
use domain::terms::{FieldProblem, LineId, Resource, added_problems};
use kit::{ConfigError, Env, Problem};

kit::function!(serve_http, routes);

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    Ok(api::serve(operations(), Api::new(env)?))
}

api::operations! {
    "lines": "Lines of a tenant: numbers that customers call, and what answers them." {
        /// Create a line
        ///
        /// A line is a number that customers call, with the WhatsApp number and the SMS sender that answer its calls. `whatsapp` and
        /// `sms` name connections of the tenant. If the tenant has connections that report calls, one of them must have the number or
        /// take calls to all numbers, else the field's error is `not_connected`: add the number to the connection first. The first line
        /// is created together with a connection. A tenant has at most 50 lines.
        POST "/api/v1/lines" => create_line, "The line";

        /// List lines
        ///
        /// Oldest first.
        GET "/api/v1/lines" => list_lines, "A page of lines";

        /// Get a line
        GET "/api/v1/lines/{line_id}" => get_line, "The line";

        /// Update a line
        ///
        /// Applies to calls that are decided from now on. `sms` and `business_hours` are merged.
        PATCH "/api/v1/lines/{line_id}" => update_line, "The updated line";

        /// Delete a line
        ///
        /// Calls to its number are then handled by rules without `lines`. A rule that names only deleted lines matches no call.
        DELETE "/api/v1/lines/{line_id}" => delete_line, "The line is deleted";
    }
}

type Reading = Allowed<permits::LinesRead>;
type Writing = Allowed<permits::LinesWrite>;

/// Problems of a line, given these connections. A number that another line has is found when the line is written.
fn problems(line: &Line, connections: &[ConnectionSummary]) -> Vec<FieldProblem> {
    line_problems(line, &[], connections)
}

async fn connections<P: Permit>(api: &Api, who: &Allowed<P>) -> Result<Vec<ConnectionSummary>, Problem> {
    let connections = api.store().connections(who.scope()).await?;
    Ok(connections.iter().map(ConnectionSummary::from).collect())
}

async fn create_line(
    who: Writing,
    State(api): State<Api>,
    Body(fields): Body<LineIn>,
) -> Result<Created<Line>, Problem> {
    let line = Line::new(who.ulid(), fields, who.now());
    let found = problems(&line, &connections(&api, &who).await?);
    if !found.is_empty() {
        return Err(found.into());
    }
    api.create(&who, "/api/v1/lines", line.fields()).await
}

async fn list_lines(who: Reading, State(api): State<Api>, paging: Paging) -> Result<Listed<Line>, Problem> {
    api.list(&who, &paging).await
}

async fn get_line(who: Reading, State(api): State<Api>, Path(id): Path<LineId>) -> Result<Tagged<Line>, Problem> {
    api.read(&who, &id).await
}

async fn update_line(
    who: Writing,
    State(api): State<Api>,
    Path(id): Path<LineId>,
    if_match: IfMatch,
    patch: Patch<LineIn>,
) -> Result<Tagged<Line>, Problem> {
    let connections = connections(&api, &who).await?;
    // A connection that the line names may be deleted by now, or have lost the line's number. The sentences contain id and number.
    let allow = |before: Line, after: Line| {
        let found = added_problems(&problems(&before, &connections), problems(&after, &connections));
        ready(if found.is_empty() { Ok(()) } else { Err(found.into()) })
    };
    api.update_if(&who, &id, &if_match, &patch, allow).await
}

async fn delete_line(
    who: Writing,
    State(api): State<Api>,
    Path(id): Path<LineId>,
    if_match: IfMatch,
) -> Result<NoContent, Problem> {
    api.remove::<Line, _>(&who, &id, &if_match).await
}
