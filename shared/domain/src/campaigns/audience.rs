//! Audiences of campaigns: contacts with a tag or within the conditions of segments, as they are at one time.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::campaigns::Audience;
use crate::people::{Conditions, Field, Filter, Person, Search};

/// The conditions of an audience.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudienceConditions {
    /// Conditions of the segment, or the tag.
    pub segment: Conditions,
    /// Conditions of the segments whose contacts are left out.
    pub excluded: Vec<Conditions>,
}

impl AudienceConditions {
    /// Whether a condition is one on a field, whose definition is needed then.
    pub fn names_field(&self) -> bool {
        let mut all = self.excluded.iter().chain([&self.segment]);
        all.any(|conditions| conditions.field.is_some())
    }

    /// The contacts chosen by these conditions, with the tags of the audience. `None`: a field that one of them names
    /// is not there any more, or of another type.
    pub fn choice<'a>(&self, audience: &'a Audience, definitions: &[Field]) -> Option<Choice<'a>> {
        let excluded = self.excluded.iter();
        let excluded = excluded.map(|conditions| conditions.filter(definitions).ok());
        Some(Choice {
            search: self.segment.filter(definitions).ok()?.search()?,
            excluded: excluded.collect::<Option<_>>()?,
            audience,
        })
    }
}

/// Contacts chosen by an audience: its segment without its exclusions.
#[derive(Debug)]
pub struct Choice<'a> {
    /// The search that finds them, and others.
    pub search: Search,
    excluded: Vec<Filter>,
    audience: &'a Audience,
}

impl Choice<'_> {
    /// Whether a contact that the search finds is chosen at this time. One that was created later is not.
    pub fn takes(&self, person: &Person, at: Timestamp) -> bool {
        let mut tags = self.audience.excluded_tags.iter();
        self.search.is_meant_contact(person, at)
            && !tags.any(|tag| person.profile.tags.contains(tag))
            && !self.excluded.iter().any(|filter| filter.takes(person))
    }
}
