//! Stages, the steps that a tenant's leads pass through.

use domain::people::{Stage, StageIn};
use domain::terms::StageId;

api::plain! {
    Stage, StageIn, StageId, StagesRead, StagesWrite;
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
