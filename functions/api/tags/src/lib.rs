//! Tags, by which a tenant sorts its contacts.

use api::{Allowed, Api, Body, Created, IfMatch, Listed, NoContent, Paging, Patch, Path, Tagged, permits};
use axum::{Router, extract::State};
use domain::{
    base::ids::TagId,
    contacts::tag::{Tag, TagIn},
};
use kit::{ConfigError, Env, Problem};

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    Ok(api::serve(operations(), Api::new(env)?))
}

api::operations! {
    "tags": "Tags of a tenant, by which it sorts its contacts." {
        /// Create a tag
        ///
        /// Names are compared without regard to case and spelling in Unicode. A tenant has at most 1,000 tags.
        POST "/api/v1/tags" => create_tag, "The tag";

        /// List tags
        ///
        /// Oldest first.
        GET "/api/v1/tags" => list_tags, "A page of tags";

        /// Get a tag
        GET "/api/v1/tags/{tag_id}" => get_tag, "The tag";

        /// Update a tag
        PATCH "/api/v1/tags/{tag_id}" => update_tag, "The updated tag";

        /// Delete a tag
        ///
        /// Its name is free again.
        DELETE "/api/v1/tags/{tag_id}" => delete_tag, "The tag is deleted";
    }
}

type Reading = Allowed<permits::TagsRead>;
type Writing = Allowed<permits::TagsWrite>;

async fn create_tag(who: Writing, State(api): State<Api>, Body(fields): Body<TagIn>) -> Result<Created<Tag>, Problem> {
    api.create(&who, "/api/v1/tags", fields).await
}

async fn list_tags(who: Reading, State(api): State<Api>, paging: Paging) -> Result<Listed<Tag>, Problem> {
    api.list(&who, &paging).await
}

async fn get_tag(who: Reading, State(api): State<Api>, Path(id): Path<TagId>) -> Result<Tagged<Tag>, Problem> {
    api.read(&who, &id).await
}

async fn update_tag(
    who: Writing,
    State(api): State<Api>,
    Path(id): Path<TagId>,
    if_match: IfMatch,
    patch: Patch<TagIn>,
) -> Result<Tagged<Tag>, Problem> {
    api.update(&who, &id, &if_match, &patch).await
}

async fn delete_tag(
    who: Writing,
    State(api): State<Api>,
    Path(id): Path<TagId>,
    if_match: IfMatch,
) -> Result<NoContent, Problem> {
    api.remove::<Tag, _>(&who, &id, &if_match).await
}
