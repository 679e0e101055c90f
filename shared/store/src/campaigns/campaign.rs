//! Campaigns as people write them.

use domain::campaigns::Campaign;
use domain::terms::CampaignState;

use crate::{Owned, Part, Share};

impl Owned for Campaign {
    const KIND: &'static str = "campaign";
    const PART: Part = Part::Configuration;
    const PREFIX: &'static str = "CAMPAIGN#";
    const MAX: u32 = Self::MAX;
    const SHARE: Option<Share> = Some(Share {
        name: "draft campaign",
        most: Self::MAX_DRAFTS,
    });

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn is_of_share(&self) -> bool {
        self.state == CampaignState::Draft
    }
}
