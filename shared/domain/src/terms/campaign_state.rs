//! States of campaigns, and the table of allowed transitions.

use serde::{Deserialize, Serialize};

/// State of a campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CampaignState {
    /// Being written. Only a draft can be changed or deleted.
    #[default]
    Draft,
    /// Started, and waits for its time.
    Scheduled,
    /// Its messages are being made and sent.
    Running,
    /// Nothing is sent until it is resumed.
    Paused,
    /// All of its messages are made, and some of them are not in a final state.
    Finishing,
    /// Every recipient is in a final state.
    Completed,
    /// Ended before all recipients got it.
    Cancelled,
}

use CampaignState::{Cancelled, Completed, Draft, Finishing, Paused, Running, Scheduled};

#[rustfmt::skip]
pub const TRANSITIONS: [(CampaignState, CampaignState); 11] = [
    // By its start, also if it is to begin at once.
    (Draft, Scheduled),
    (Scheduled, Running), (Scheduled, Cancelled),
    (Running, Paused), (Running, Finishing), (Running, Cancelled),
    (Paused, Running), (Paused, Cancelled),
    // Messages that are made may still wait, so it can be paused. Once resumed, it finds that none is left to be made.
    (Finishing, Paused), (Finishing, Completed), (Finishing, Cancelled),
];

impl CampaignState {
    pub const ALL: [Self; 7] = [Draft, Scheduled, Running, Paused, Finishing, Completed, Cancelled];

    /// The name for software.
    pub const fn as_str(self) -> &'static str {
        match self {
            Draft => "draft",
            Scheduled => "scheduled",
            Running => "running",
            Paused => "paused",
            Finishing => "finishing",
            Completed => "completed",
            Cancelled => "cancelled",
        }
    }

    /// Whether this state may follow.
    pub fn may_become(self, next: Self) -> bool {
        TRANSITIONS.contains(&(self, next))
    }

    /// Whether messages of it may have been made.
    pub const fn has_begun(self) -> bool {
        !matches!(self, Draft | Scheduled)
    }

    /// Whether no other state follows.
    pub fn is_final(self) -> bool {
        TRANSITIONS.iter().all(|(from, _)| *from != self)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// Goes through the states that are asked for, as far as the table allows.
    fn go_through_states(wanted: impl IntoIterator<Item = CampaignState>) -> Vec<CampaignState> {
        let mut passed = vec![Draft];
        for next in wanted {
            let now = *passed.last().unwrap();
            if now.may_become(next) {
                passed.push(next);
            }
        }
        passed
    }

    #[test]
    fn only_completed_and_cancelled_are_final() {
        let last: Vec<_> = CampaignState::ALL
            .into_iter()
            .filter(|state| state.is_final())
            .collect();
        assert_eq!(last, [Completed, Cancelled]);
    }

    #[test]
    fn every_state_can_end_and_is_reached_from_a_draft() {
        let reached = |from: CampaignState| {
            let mut found = vec![from];
            let mut next = 0;
            while let Some(at) = found.get(next).copied() {
                let after = CampaignState::ALL.into_iter().filter(|state| at.may_become(*state));
                let new: Vec<_> = after.filter(|state| !found.contains(state)).collect();
                found.extend(new);
                next += 1;
            }
            found
        };
        for state in CampaignState::ALL {
            assert!(reached(Draft).contains(&state), "{state:?}");
            assert!(reached(state).iter().any(|state| state.is_final()), "{state:?}");
        }
    }

    #[test]
    fn name_for_software_is_the_one_in_rows() {
        for state in CampaignState::ALL {
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
        }
        let names: BTreeSet<_> = CampaignState::ALL.map(CampaignState::as_str).into();
        assert_eq!(names.len(), CampaignState::ALL.len());
    }

    proptest! {
        /// Nothing is sent before the start, a started one is no draft any more, none ends twice, and only a running one finishes.
        #[test]
        fn states_only_move_by_the_table(
            wanted in prop::collection::vec(prop::sample::select(CampaignState::ALL.to_vec()), 0..40),
        ) {
            let passed = go_through_states(wanted);
            let places = |state: CampaignState| passed.iter().filter(|at| **at == state).count();
            prop_assert_eq!(places(Draft), 1);
            prop_assert!(places(Completed) + places(Cancelled) <= 1);
            if passed.len() > 1 {
                prop_assert_eq!((passed[1], places(Scheduled)), (Scheduled, 1));
            }
            for pair in passed.windows(2) {
                prop_assert!(!pair[0].is_final());
                prop_assert!(pair[1] != Finishing || pair[0] == Running);
                prop_assert!(pair[1] != Completed || pair[0] == Finishing);
            }
        }
    }
}
