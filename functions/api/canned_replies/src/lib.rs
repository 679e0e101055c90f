//! Canned replies: texts of a team for questions that many customers ask.

use std::future::ready;

use api::{Allowed, Api, Body, Created, IfMatch, Listed, NoContent, Paging, Patch, Path, Tagged, permits};
use axum::Router;
use axum::extract::State;
use domain::inbox::{CannedReply, CannedReplyIn};
use domain::terms::{CannedReplyId, Resource as _};
use kit::{ConfigError, Env, Problem};

kit::function!(serve_http, routes);

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    Ok(api::serve(operations(), Api::new(env)?))
}

api::operations! {
    "canned replies": "Canned replies of a tenant: texts with which its team answers what many customers ask." {
        /// Create a canned reply
        ///
        /// Names are compared without regard to case and spelling in Unicode. A text with an unknown value, or one of a call, is refused. A
        /// tenant has at most 200 canned replies.
        POST "/api/v1/canned-replies" => create_canned_reply, "The canned reply";

        /// List canned replies
        ///
        /// Oldest first.
        GET "/api/v1/canned-replies" => list_canned_replies, "A page of canned replies";

        /// Get a canned reply
        GET "/api/v1/canned-replies/{canned_reply_id}" => get_canned_reply, "The canned reply";

        /// Update a canned reply
        ///
        /// Texts by language are merged: a text that is `null` is removed. Drafts and messages that were made from it do not change.
        PATCH "/api/v1/canned-replies/{canned_reply_id}" => update_canned_reply, "The updated canned reply";

        /// Delete a canned reply
        ///
        /// Its name is free again.
        DELETE "/api/v1/canned-replies/{canned_reply_id}" => delete_canned_reply, "The canned reply is deleted";
    }
}

type Reading = Allowed<permits::CannedRepliesRead>;
type Writing = Allowed<permits::CannedRepliesWrite>;

async fn create_canned_reply(
    who: Writing,
    State(api): State<Api>,
    Body(fields): Body<CannedReplyIn>,
) -> Result<Created<CannedReply>, Problem> {
    let new = CannedReply::new(who.ulid(), fields, who.now());
    check(&new)?;
    api.create_this(&who, "/api/v1/canned-replies", new).await
}

async fn list_canned_replies(
    who: Reading,
    State(api): State<Api>,
    paging: Paging,
) -> Result<Listed<CannedReply>, Problem> {
    api.list(&who, &paging).await
}

async fn get_canned_reply(
    who: Reading,
    State(api): State<Api>,
    Path(id): Path<CannedReplyId>,
) -> Result<Tagged<CannedReply>, Problem> {
    api.read(&who, &id).await
}

async fn update_canned_reply(
    who: Writing,
    State(api): State<Api>,
    Path(id): Path<CannedReplyId>,
    if_match: IfMatch,
    patch: Patch<CannedReplyIn>,
) -> Result<Tagged<CannedReply>, Problem> {
    let allow = |_: CannedReply, after: CannedReply| ready(check(&after));
    api.update_if(&who, &id, &if_match, &patch, allow).await
}

async fn delete_canned_reply(
    who: Writing,
    State(api): State<Api>,
    Path(id): Path<CannedReplyId>,
    if_match: IfMatch,
) -> Result<NoContent, Problem> {
    api.remove::<CannedReply, _>(&who, &id, &if_match).await
}

/// Refuses texts that no reply could have.
fn check(reply: &CannedReply) -> Result<(), Problem> {
    let problems = reply.problems();
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems.into())
    }
}
