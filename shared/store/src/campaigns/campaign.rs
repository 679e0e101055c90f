//! Campaigns as people write them.

use domain::{
    campaigns::{Campaign, Exits},
    terms::CampaignState,
};

use crate::{Owned, Part, Share};

/// The form of campaigns' rows before drips had triggers, and exits on conversions.
const BEFORE_TRIGGERS: u64 = 2;
/// The form before dates were triggers.
const BEFORE_DATES: u64 = 3;
/// The form before broadcasts began by the recipients' clocks, and had variants, and before they said when they were started, and until when they
/// wait: a version that reads no newer one would begin at once, send everybody the same, or know nothing of a field.
const BEFORE_VARIANTS: u64 = 4;
/// The form before a tag could be the audience: a version that reads no newer one knows nothing of the field.
const BEFORE_TAGS: u64 = 5;

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

    fn form(&self) -> Option<u64> {
        if self.audience.tag.is_some() {
            return None;
        }
        let chooses = self.hold_percent.is_some() || self.winner.is_some();
        let says_more = chooses || self.started_at.is_some() || self.limited_until.is_some();
        if self.starts_at_local.is_some() || !self.variants.is_empty() || says_more {
            return Some(BEFORE_TAGS);
        }
        if self.triggers.is_none() && self.exits == Exits::default() {
            return Some(BEFORE_TRIGGERS);
        }
        Some(if self.triggers.date.is_none() {
            BEFORE_DATES
        } else {
            BEFORE_VARIANTS
        })
    }

    fn is_of_share(&self) -> bool {
        self.state == CampaignState::Draft
    }
}
