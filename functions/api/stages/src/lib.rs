//! Stages, the steps that a tenant's leads pass through.

use api::{Allowed, Api, Body, Created, IfMatch, Listed, NoContent, Paging, Patch, Path, Tagged, permits};
use axum::{Router, extract::State};
use domain::{
    base::ids::StageId,
    contacts::stage::{Stage, StageIn},
};
use kit::{ConfigError, Env, Problem};

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    Ok(api::serve(operations(), Api::new(env)?))
}

api::operations! {
    "stages": "Stages of a tenant, the steps that its leads pass through." {
        /// Create a stage
        ///
        /// Names are compared without regard to case and spelling in Unicode. A tenant has at most 30 stages.
        POST "/api/v1/stages" => create_stage, "The stage";

        /// List stages
        ///
        /// Oldest first. To show them, sort them by `position`.
        GET "/api/v1/stages" => list_stages, "A page of stages";

        /// Get a stage
        GET "/api/v1/stages/{stage_id}" => get_stage, "The stage";

        /// Update a stage
        PATCH "/api/v1/stages/{stage_id}" => update_stage, "The updated stage";

        /// Delete a stage
        ///
        /// Its name is free again.
        DELETE "/api/v1/stages/{stage_id}" => delete_stage, "The stage is deleted";
    }
}

type Reading = Allowed<permits::StagesRead>;
type Writing = Allowed<permits::StagesWrite>;

async fn create_stage(
    who: Writing,
    State(api): State<Api>,
    Body(fields): Body<StageIn>,
) -> Result<Created<Stage>, Problem> {
    api.create(&who, "/api/v1/stages", fields).await
}

async fn list_stages(who: Reading, State(api): State<Api>, paging: Paging) -> Result<Listed<Stage>, Problem> {
    api.list(&who, &paging).await
}

async fn get_stage(who: Reading, State(api): State<Api>, Path(id): Path<StageId>) -> Result<Tagged<Stage>, Problem> {
    api.read(&who, &id).await
}

async fn update_stage(
    who: Writing,
    State(api): State<Api>,
    Path(id): Path<StageId>,
    if_match: IfMatch,
    patch: Patch<StageIn>,
) -> Result<Tagged<Stage>, Problem> {
    api.update(&who, &id, &if_match, &patch).await
}

async fn delete_stage(
    who: Writing,
    State(api): State<Api>,
    Path(id): Path<StageId>,
    if_match: IfMatch,
) -> Result<NoContent, Problem> {
    api.remove::<Stage, _>(&who, &id, &if_match).await
}
