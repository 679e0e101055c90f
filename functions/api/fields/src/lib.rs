//! Fields: a tenant's own values of its contacts, beyond the ones that every contact has.

use std::future::ready;

use api::{Allowed, Api, Body, Created, IfMatch, Listed, NoContent, Paging, Patch, Path, Tagged, permits};
use axum::Router;
use axum::extract::State;
use domain::people::{Field, FieldIn};
use domain::terms::{FieldId, Resource};
use kit::{ConfigError, Env, Problem};

kit::function!(serve_http, routes);

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    Ok(api::serve(operations(), Api::new(env)?))
}

api::operations! {
    "fields": "Fields that a tenant defines for its contacts." {
        /// Create a field
        ///
        /// A tenant has at most 50 fields, at most 10 of them searchable. A field of the type `choice` has 1 to 50 options.
        POST "/api/v1/fields" => create_field, "The field";

        /// List fields
        ///
        /// Oldest first.
        GET "/api/v1/fields" => list_fields, "A page of fields";

        /// Get a field
        GET "/api/v1/fields/{field_id}" => get_field, "The field";

        /// Update a field
        ///
        /// `key` and `type` cannot change: create another field instead. `options` is replaced as a whole.
        PATCH "/api/v1/fields/{field_id}" => update_field, "The updated field";

        /// Delete a field
        ///
        /// Its key is free again.
        DELETE "/api/v1/fields/{field_id}" => delete_field, "The field is deleted";
    }
}

type Reading = Allowed<permits::FieldsRead>;
type Writing = Allowed<permits::FieldsWrite>;

async fn create_field(
    who: Writing,
    State(api): State<Api>,
    Body(fields): Body<FieldIn>,
) -> Result<Created<Field>, Problem> {
    let field = Field::new(who.ulid(), fields, who.now());
    let found = field.problems();
    if !found.is_empty() {
        return Err(found.into());
    }
    api.create(&who, "/api/v1/fields", field.fields()).await
}

async fn list_fields(who: Reading, State(api): State<Api>, paging: Paging) -> Result<Listed<Field>, Problem> {
    api.list(&who, &paging).await
}

async fn get_field(who: Reading, State(api): State<Api>, Path(id): Path<FieldId>) -> Result<Tagged<Field>, Problem> {
    api.read(&who, &id).await
}

async fn update_field(
    who: Writing,
    State(api): State<Api>,
    Path(id): Path<FieldId>,
    if_match: IfMatch,
    patch: Patch<FieldIn>,
) -> Result<Tagged<Field>, Problem> {
    let allow = |before: Field, after: Field| {
        let found = before.problems_of_change(&after);
        ready(if found.is_empty() { Ok(()) } else { Err(found.into()) })
    };
    api.update_if(&who, &id, &if_match, &patch, allow).await
}

async fn delete_field(
    who: Writing,
    State(api): State<Api>,
    Path(id): Path<FieldId>,
    if_match: IfMatch,
) -> Result<NoContent, Problem> {
    api.remove::<Field, _>(&who, &id, &if_match).await
}
