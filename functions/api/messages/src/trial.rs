//! Tests of campaigns: a broadcast's message to one person, before it goes to all.

use std::sync::Arc;

use api::{Api, Body, Path, require_found};
use axum::Extension;
use axum::extract::State;
use domain::accounts::Permission;
use domain::campaigns::{Campaign, CampaignType, MAX_VARIANTS, VariantNumber};
use domain::terms::{CampaignId, ContactId, Fault, Phone, Whole};
use kit::Problem;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::send::{Placed, Sending, Sends, answer};

/// A test of a campaign, to exactly one of `contact_id` and `phone`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CampaignTestIn")]
pub(crate) struct TestIn {
    /// Contact who gets the message, such as a colleague.
    #[serde(default)]
    #[schemars(extend("x-refers" = true))]
    contact_id: Option<ContactId>,
    /// Telephone number that gets the message.
    #[serde(default)]
    #[schemars(example = "+971501234567")]
    phone: Option<Phone>,
    /// Number of the variant, from 1. 0, the default: the campaign's message.
    #[serde(default)]
    #[schemars(example = 0)]
    variant: Whole<0, { MAX_VARIANTS as u32 }>,
}

pub(crate) async fn test_campaign(
    who: Sends,
    State(api): State<Api>,
    Extension(sending): Extension<Arc<Sending>>,
    Path(id): Path<CampaignId>,
    Body(TestIn {
        contact_id,
        phone,
        variant,
    }): Body<TestIn>,
) -> Result<Placed, Problem> {
    if !who.principal().may(Permission::CampaignsRead) {
        return Err(Problem::forbidden(
            "A test shows what a campaign says: it needs the permission campaigns:read, too.",
        ));
    }
    let campaign: Campaign = require_found(api.store().get(who.scope(), &id)).await?.value;
    if campaign.kind != CampaignType::Broadcast {
        let detail = "The campaign is a drip, whose messages are steps. Enrol yourself to see them.";
        return Err(Problem::conflict("campaign_type", detail));
    }
    let number: VariantNumber = usize::try_from(variant.get()).unwrap_or(usize::MAX);
    let Some(request) = campaign.trial(number, contact_id, phone) else {
        let last = campaign.variants.len();
        let detail = format!("The campaign has {last} variants.");
        return Err(Problem::field(
            "variant",
            Fault::out_of_range(0_u64, last as u64, detail),
        ));
    };
    let (known, config) = Box::pin(sending.send(&api, &who, &request, false)).await?;
    Ok(answer(&who, known, &config))
}
