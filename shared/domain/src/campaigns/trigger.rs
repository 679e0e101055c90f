//! Contacts who enter drips by themselves, by what happens to them.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::campaigns::{Campaign, Enrolment, Round, Triggers};
use crate::people::Person;
use crate::terms::{CampaignId, ContactId, StageId, TagId};

/// Minimum time between two entries of a contact into a drip by itself: two drips that tag contacts for each other go no faster than that.
pub const AT_MOST_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// A drip that contacts enter by themselves, as it was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Triggered {
    pub campaign: CampaignId,
    pub by: Triggers,
    /// The next day whose contacts enter, if they enter on a date of theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round: Option<Round>,
}

impl Triggered {
    /// The drip, if contacts enter it by themselves, as it is when it is started.
    pub fn of(campaign: &Campaign) -> Option<Self> {
        campaign.drips().filter(|_| !campaign.triggers.is_none())?;
        let begins = campaign.starts_at.max(Some(campaign.updated_at));
        Some(Self {
            campaign: campaign.id,
            by: campaign.triggers.clone(),
            round: campaign.triggers.date.and(begins).map(Round::new),
        })
    }
}

/// Something that happened to a contact and may make it enter drips.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occasion {
    pub contact: ContactId,
    pub at: Timestamp,
    /// Whether the contact is new.
    pub new: bool,
    /// Tags that it got.
    pub tags: BTreeSet<TagId>,
    /// The stage into which it got.
    pub stage: Option<StageId>,
}

impl Occasion {
    pub fn is_any(&self) -> bool {
        self.new || self.stage.is_some() || !self.tags.is_empty()
    }

    /// Whether it lets the contact enter a drip.
    pub fn triggers(&self, by: &Triggers) -> bool {
        let in_stage = self.stage.is_some_and(|stage| by.stages.contains(&stage));
        self.new && by.new_contact || in_stage || by.tags.iter().any(|tag| self.tags.contains(tag))
    }

    /// The occasion as far as it still holds: a tag may be gone again, and a stage left, since.
    #[must_use]
    pub fn still(mut self, person: &Person) -> Self {
        self.tags.retain(|tag| person.profile.tags.contains(tag));
        let stage = person.profile.stage.map(|staged| staged.stage);
        self.stage = self.stage.filter(|_| stage == self.stage);
        self
    }

    /// The enrolment of this person who enters a drip now. `known`: the former one. Anything before the drip began is no occasion.
    ///
    /// It begins now, and not with the occasion: a message that made the contact new is no reply to the drip.
    pub fn enters(
        &self,
        drip: &Campaign,
        person: &Person,
        known: Option<&Enrolment>,
        now: Timestamp,
    ) -> Option<Enrolment> {
        if drip.began_at.is_none_or(|began| self.at < began) {
            return None;
        }
        let lately = known.is_some_and(|known| self.at < known.at + AT_MOST_EVERY);
        if lately || person.contact.deleted_at.is_some() || !self.triggers(&drip.triggers) {
            return None;
        }
        drip.enrol_contact(&person.contact, known, now).ok()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use ulid::Ulid;

    use super::*;
    use crate::campaigns::CampaignIn;
    use crate::people::{Contact, Profile, Staged};
    use crate::samples::{Case, at};
    use crate::terms::{CampaignState, Resource as _};

    fn tag(number: u128) -> TagId {
        TagId::new(Ulid::from_parts(1, number))
    }

    fn stage(number: u128) -> StageId {
        StageId::new(Ulid::from_parts(2, number))
    }

    fn occasion(new: bool, tags: &[TagId], stage: Option<StageId>) -> Occasion {
        Occasion {
            contact: ContactId::new(Ulid(1)),
            at: at("2026-11-20T10:00:00Z"),
            new,
            tags: tags.iter().copied().collect(),
            stage,
        }
    }

    #[test]
    fn any_of_the_triggers_lets_a_contact_enter() {
        let by: Triggers = serde_json::from_value(json!({"tags": [tag(1), tag(2)], "stages": [stage(1)]})).unwrap();
        let new: Triggers = serde_json::from_value(json!({"new_contact": true})).unwrap();
        for (what, by_these, if_new) in [
            (occasion(true, &[], None), false, true),
            (occasion(true, &[tag(3), tag(2)], None), true, true),
            (occasion(false, &[tag(3)], Some(stage(2))), false, false),
            (occasion(false, &[], Some(stage(1))), true, false),
            (occasion(false, &[], None), false, false),
        ] {
            assert_eq!(
                (what.triggers(&by), what.triggers(&new)),
                (by_these, if_new),
                "{what:?}"
            );
        }
    }

    #[test]
    fn contact_enters_once_a_day_as_long_as_it_holds() {
        let case = Case::new();
        let fields: CampaignIn = serde_json::from_value(json!({
            "type": "drip", "name": "Welcome", "reentry": true, "triggers": {"tags": [tag(1)], "stages": [stage(1)]},
        }))
        .unwrap();
        let mut drip = Campaign::new(Ulid::from_parts(7, 9), fields, case.now);
        drip.state = CampaignState::Running;
        drip.steps_version = Some(3);
        drip.began_at = Some(at("2026-11-20T10:00:00Z"));
        assert_eq!(Triggered::of(&drip).unwrap().by, drip.triggers);
        let mut person = Person {
            contact: case.contact.clone(),
            profile: Profile::default(),
        };
        let both = occasion(false, &[tag(1)], Some(stage(1)));
        assert!(!both.clone().still(&person).is_any());
        person.profile.tags.insert(tag(1));
        person.profile.stage = Some(Staged {
            stage: stage(2),
            since: case.now,
        });
        let tagged = both.still(&person);
        assert_eq!((tagged.tags.len(), tagged.stage), (1, None));
        // It becomes known a little later, and so does the message that the person wrote.
        let now = tagged.at + SignedDuration::from_secs(30);
        person.contact.last_inbound_at = Some(tagged.at + SignedDuration::from_millis(100));
        let first = tagged.enters(&drip, &person, None, now).unwrap();
        assert_eq!((first.at, first.contact), (now, person.contact.id));
        assert_eq!(drip.exits.reason(&person.contact, first.at), None);
        assert_eq!(
            tagged.enters(&drip, &person, Some(&first), now),
            None,
            "the same once more"
        );
        let earlier = Occasion {
            at: tagged.at - SignedDuration::from_secs(1),
            ..tagged.clone()
        };
        assert_eq!(
            earlier.enters(&drip, &person, None, now),
            None,
            "the drip had not begun"
        );
        let over = Enrolment {
            passage: None,
            ..first.clone()
        };
        let later = |hours: i64| Occasion {
            at: tagged.at + SignedDuration::from_hours(hours),
            ..tagged.clone()
        };
        for (hours, known, enters) in [
            (0, &over, false),
            (23, &over, false),
            (25, &over, true),
            (25, &first, false),
        ] {
            let later = later(hours);
            let entered = later.enters(&drip, &person, Some(known), later.at);
            assert_eq!(entered.is_some(), enters, "{hours} {known:?}");
        }
        let gone = Person {
            contact: Contact {
                deleted_at: Some(case.now),
                ..person.contact.clone()
            },
            ..person.clone()
        };
        assert_eq!(tagged.enters(&drip, &gone, None, now), None);
        drip.state = CampaignState::Completed;
        assert_eq!(tagged.enters(&drip, &person, None, now), None);
    }
}
