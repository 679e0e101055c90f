//! Stages, the steps that a tenant's leads pass through.

use serde::{Deserialize, Serialize};

use crate::terms::{OneLine, StageId, Whole};

resource! {
    /// A stage of a tenant's leads.
    pub struct Stage of StageId;

    /// The fields of a stage.
    pub struct StageIn {
        /// Name, unique among the tenant's stages, whatever its case.
        #[cfg_attr(feature = "schema", schemars(example = "Quote sent", extend("x-unique" = true)))]
        pub name: OneLine<1, 60>,
        /// Place among the stages: they are shown by it, the lowest first.
        #[cfg_attr(feature = "schema", schemars(example = 20))]
        pub position: Whole<0, 1_000>,
        /// Whether a lead in this stage is still open.
        #[serde(default)]
        pub kind: StageKind,
    }
}

impl Stage {
    /// Maximum stages per tenant.
    pub const MAX: u32 = 30;
}

/// Whether the leads in a stage are open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum StageKind {
    /// Nothing is decided yet.
    #[default]
    Open,
    /// The customer has bought.
    Won,
    /// The customer will not buy.
    Lost,
}
