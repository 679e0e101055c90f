//! Teams: which conversations they get, and who of them attends to the next one.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::terms::{Distinct, Language, LineId, OneLine, TagId, TeamId, UserId, Whole};

/// Maximum members of a team.
pub const MAX_MEMBERS: usize = 100;

/// Maximum lines, languages and tags that choose conversations for a team.
pub const MAX_CONDITIONS: usize = 20;

resource! {
    /// A team of a tenant.
    pub struct Team of TeamId;

    /// The fields of a team.
    pub struct TeamIn {
        /// Name, unique among the tenant's teams, whatever its case.
        #[cfg_attr(feature = "schema", schemars(example = &"Orders", extend("x-unique" = true)))]
        pub name: OneLine<1, 60>,
        /// Ids of the users who are its members.
        #[serde(default, skip_serializing_if = "Distinct::is_empty")]
        #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
        pub members: Distinct<MAX_MEMBERS, UserId>,
        /// Ids of the lines whose conversations it gets. Empty: all, and those without a line.
        #[serde(default, skip_serializing_if = "Distinct::is_empty")]
        #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
        pub lines: Distinct<MAX_CONDITIONS, LineId>,
        /// Languages of the contacts whose conversations it gets (BCP 47); `en` includes `en-GB`. Empty: all.
        #[serde(default, skip_serializing_if = "Distinct::is_empty")]
        #[cfg_attr(feature = "schema", schemars(example = ["ar"]))]
        pub languages: Distinct<MAX_CONDITIONS, Language>,
        /// Ids of the tags of the contacts whose conversations it gets: one of them is enough. Empty: all.
        #[serde(default, skip_serializing_if = "Distinct::is_empty")]
        #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
        pub tags: Distinct<MAX_CONDITIONS, TagId>,
        /// How its conversations get a person.
        #[serde(default)]
        pub mode: AssignmentMode,
        /// Maximum open and pending conversations of a person who gets a further one by `mode`. `null`: no maximum.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(example = 20))]
        pub max_open: Option<Whole<1, 100>>,
    }
}

/// How a team's conversations get a person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AssignmentMode {
    /// Somebody takes them.
    #[default]
    ByHand,
    /// The available member whose turn is longest ago.
    InTurn,
    /// The available member with the fewest open and pending conversations.
    FewestOpen,
}

/// The place of a person in the inbox of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Desk {
    pub user: UserId,
    /// Whether conversations are assigned to them by the mode of their teams.
    pub available: bool,
    /// Time of the last change of that.
    pub since: Timestamp,
    /// Time of their latest turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn_at: Option<Timestamp>,
    /// Whether they attend to conversations no more: they have left the tenant, or only read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub left: bool,
    /// Time when their conversations are handed over, until all of them are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hand_over_at: Option<Timestamp>,
}

impl Desk {
    /// The place of a person before anything is known of them: they are available.
    pub const fn new(user: UserId, now: Timestamp) -> Self {
        Self {
            user,
            available: true,
            since: now,
            turn_at: None,
            left: false,
            hand_over_at: None,
        }
    }

    /// Whether conversations can be assigned to them by turn.
    pub const fn takes(&self) -> bool {
        self.available && !self.left
    }

    /// Notes whether they are available from now on, and if they are not, when the conversations whose customers wait go to others, if they
    /// do. A hand-over that has begun ends when they are available again.
    pub fn set_available(&mut self, available: bool, hand_over_at: Option<Timestamp>, now: Timestamp) {
        if self.available != available {
            (self.available, self.since) = (available, now);
        }
        // Whoever has left hands over everything.
        if available && !self.left {
            self.hand_over_at = None;
        } else {
            self.hand_over_at = self.hand_over_at.into_iter().chain(hand_over_at).min();
        }
    }

    /// Notes that they attend to conversations no more, or again. Whoever does not hands over all of them.
    pub fn set_left(&mut self, left: bool, now: Timestamp) {
        self.left = left;
        self.hand_over_at = left.then_some(now);
    }
}

/// A member who may get the next conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    pub user: UserId,
    /// Time of their latest turn.
    pub turn_at: Option<Timestamp>,
    /// Number of their open and pending conversations, as far as the team's mode needs it.
    pub open: usize,
}

impl Team {
    /// Maximum teams per tenant.
    pub const MAX: u32 = 50;

    /// Whether it gets the conversations with a customer of this language on this line.
    fn gets(&self, language: Option<&str>, line: Option<LineId>, tags: &[TagId]) -> bool {
        let speaks = |wanted: &Language| {
            let wanted = wanted.as_str();
            language.is_some_and(|spoken| {
                let rest = spoken.strip_prefix(wanted);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
            })
        };
        (self.lines.is_empty() || line.is_some_and(|line| self.lines.contains(&line)))
            && (self.languages.is_empty() || self.languages.iter().any(speaks))
            && (self.tags.is_empty() || self.tags.iter().any(|tag| tags.contains(tag)))
    }

    /// The team that gets the conversations with a customer of this language on this line: of several, the one with the most kinds of conditions, then the
    /// oldest.
    pub fn of<'a>(teams: &'a [Self], language: Option<&str>, line: Option<LineId>, tags: &[TagId]) -> Option<&'a Self> {
        let getting = teams.iter().filter(|team| team.gets(language, line, tags));
        getting.max_by_key(|team| {
            let conditions = [team.lines.is_empty(), team.languages.is_empty(), team.tags.is_empty()];
            let number = conditions.into_iter().filter(|none| !none).count();
            (number, std::cmp::Reverse(team.id))
        })
    }

    /// Whether its mode gives conversations to people.
    pub fn gives(&self) -> bool {
        self.mode != AssignmentMode::ByHand
    }

    /// Whether it needs to know how many conversations its members have.
    pub fn counts(&self) -> bool {
        self.mode == AssignmentMode::FewestOpen || self.max_open.is_some()
    }

    /// The member who gets the next conversation. `None`: nobody can.
    pub fn next(&self, candidates: impl IntoIterator<Item = Candidate>) -> Option<UserId> {
        let max = self.max_open.map(|max| max.get() as usize);
        let able = candidates
            .into_iter()
            .filter(|one| max.is_none_or(|max| one.open < max));
        let chosen = able.min_by_key(|one| {
            let open = if self.mode == AssignmentMode::FewestOpen {
                one.open
            } else {
                0
            };
            (open, one.turn_at, one.user)
        });
        chosen.map(|chosen| chosen.user)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};
    use ulid::Ulid;

    use super::*;
    use crate::samples::at;

    fn user(number: u128) -> UserId {
        UserId::new(Ulid::from_parts(1, number))
    }

    fn team(number: u128, fields: &Value) -> Team {
        let mut all = json!({"id": TeamId::new(Ulid::from_parts(1, number)), "name": "Orders"});
        all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        from_value(all).unwrap()
    }

    #[test]
    fn conversation_goes_to_the_most_specific_team_then_the_oldest() {
        let (line, tag) = (LineId::new(Ulid::from_parts(1, 7)), TagId::new(Ulid::from_parts(1, 8)));
        let teams = [
            team(1, &json!({})),
            team(2, &json!({"lines": [line]})),
            team(3, &json!({"languages": ["ar"]})),
            team(4, &json!({"lines": [line], "tags": [tag]})),
        ];
        let of = |teams: &[Team], language: Option<&str>, line: Option<LineId>, tags: &[TagId]| {
            let team = Team::of(teams, language, line, tags);
            team.map(|team| team.id.ulid().random())
        };
        for (language, on, tags, expected) in [
            (None, None, &[][..], 1),
            (None, Some(line), &[], 2),
            (Some("ar-AE"), None, &[], 3),
            (Some("arn"), None, &[], 1),
            (Some("ar"), Some(line), &[], 2),
            (Some("ar"), Some(line), &[tag], 4),
            (None, None, &[tag], 1),
        ] {
            assert_eq!(of(&teams, language, on, tags), Some(expected), "{language:?} {on:?}");
        }
        assert_eq!(of(&teams[1..], None, None, &[]), None);
    }

    #[test]
    fn next_one_is_whose_turn_is_longest_ago_or_who_has_fewest() {
        let candidate = |number, minute: Option<i64>, open| Candidate {
            user: user(number),
            turn_at: minute.map(|minute| at("2026-11-20T10:00:00Z") + jiff::SignedDuration::from_mins(minute)),
            open,
        };
        let all = [
            candidate(1, Some(2), 1),
            candidate(2, Some(1), 5),
            candidate(3, Some(3), 0),
            candidate(4, Some(9), 0),
        ];
        let in_turn = team(1, &json!({"mode": "in_turn"}));
        assert_eq!(in_turn.next(all), Some(user(2)));
        assert_eq!(
            in_turn.next(all.into_iter().chain([candidate(5, None, 9)])),
            Some(user(5)),
            "never had a turn"
        );
        let limited = team(1, &json!({"mode": "in_turn", "max_open": 5}));
        assert_eq!(limited.next(all), Some(user(1)));
        let fewest = team(1, &json!({"mode": "fewest_open"}));
        assert_eq!(fewest.next(all), Some(user(3)), "of two, the turn decides");
        let full = team(1, &json!({"mode": "fewest_open", "max_open": 1}));
        assert_eq!(full.next(all[..2].to_vec()), None);
    }
}
