//! Steps of a drip: its messages, and what is between them. Somebody goes through them from the first to the last; a branch leads on
//! only, so nobody goes in a circle, and everybody comes to the end.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::campaigns::{CampaignMessage, Wait};
use crate::people::{Mentions, NoteText};
use crate::terms::{Actor, Distinct, Fault, FaultCode, FieldProblem, OneLine, StageId, TagId, UpTo, UserId};

/// Maximum steps of a drip.
pub const MAX_STEPS: usize = 50;

/// Maximum length of a step's name in characters.
const MAX_NAME: usize = 60;

/// Name of a step, for branches that lead to it.
pub type StepName = OneLine<1, MAX_NAME>;

/// A step of a drip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "DripStep"))]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Name, unique among the steps of the drip.
    #[cfg_attr(feature = "schema", schemars(example = &"welcome"))]
    pub name: StepName,
    /// Its action.
    pub does: Action,
}

/// The action of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "DripAction"))]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// Sends a message.
    Message {
        /// The message.
        message: Box<CampaignMessage>,
    },
    /// Waits.
    Wait {
        /// The wait.
        wait: Wait,
    },
    /// Goes on at another step.
    Branch {
        /// The condition.
        when: Condition,
        /// Name of a later step to go on with if the condition is fulfilled. `null`: the next one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(example = &"thanks"))]
        then: Option<StepName>,
        /// Name of a later step to go on with otherwise. `null`: the next one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(example = &"reminder"))]
        otherwise: Option<StepName>,
    },
    /// Gives the contact a tag, or takes it.
    Tag {
        /// The tag.
        #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
        tag: TagId,
        /// Whether the tag is taken.
        #[serde(default)]
        remove: bool,
    },
    /// Moves the contact to a stage.
    Stage {
        /// The stage.
        #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
        stage: StageId,
    },
    /// Tells people, by a note on the contact that mentions them.
    Notify {
        /// Text of the note.
        #[cfg_attr(feature = "schema", schemars(example = &"Has looked at the cakes. Please call."))]
        text: NoteText,
        /// Ids of the users, who find the note under `GET /api/v1/contacts/mentions`. Empty: the contact's owner.
        #[serde(default, skip_serializing_if = "Distinct::is_empty")]
        #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
        users: Mentions,
    },
    /// Ends the drip for the contact.
    Exit {},
}

/// A condition of a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "DripCondition"))]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Condition {
    /// The contact wrote after the drip's last message had been accepted. Reactions, edits, deletions and stop words are no answers.
    Replied {},
    /// Somebody followed a tracked link of the drip's last message.
    Clicked {},
    /// The drip's last message was read.
    Read {},
    /// The drip's last message was delivered.
    Delivered {},
    /// The contact has a tag.
    Tag {
        /// The tag.
        #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
        tag: TagId,
    },
    /// The contact is in a stage.
    Stage {
        /// The stage.
        #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
        stage: StageId,
    },
    /// A call of the contact was answered after the drip's last message had been accepted.
    Recovered {},
}

impl Condition {
    /// Whether it asks about the drip's last message.
    pub(crate) const fn is_of_message(self) -> bool {
        match self {
            Self::Replied {} | Self::Clicked {} | Self::Read {} | Self::Delivered {} | Self::Recovered {} => true,
            Self::Tag { .. } | Self::Stage { .. } => false,
        }
    }
}

/// The steps of a drip, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "DripSteps"))]
#[serde(transparent)]
pub struct Steps(UpTo<MAX_STEPS, Step>);

impl Steps {
    pub fn of(steps: Vec<Step>) -> Self {
        Self(steps.into())
    }

    /// The step at this place.
    pub fn at(&self, place: usize) -> Option<&Step> {
        self.0.get(place)
    }

    /// The place behind this one. `holds`: whether the condition is fulfilled, of a branch. `None`: the drip is over.
    pub fn after(&self, place: usize, holds: bool) -> Option<usize> {
        let next = match &self.at(place)?.does {
            Action::Exit {} => return None,
            Action::Branch { then, otherwise, .. } => {
                let named = if holds { then } else { otherwise };
                named.as_ref().and_then(|name| self.place_of(name))
            }
            Action::Message { .. }
            | Action::Wait { .. }
            | Action::Tag { .. }
            | Action::Stage { .. }
            | Action::Notify { .. } => None,
        };
        // A branch that leads back, which its author was told, leads on all the same.
        let next = next.filter(|next| place < *next).unwrap_or(place + 1);
        (next < self.0.len()).then_some(next)
    }

    /// The message of the step at this place, if it has one.
    pub fn message_at(&self, place: usize) -> Option<&CampaignMessage> {
        match &self.at(place)?.does {
            Action::Message { message } => Some(message),
            _ => None,
        }
    }

    /// Tags that they name.
    pub fn tags(&self) -> impl Iterator<Item = TagId> {
        self.iter().filter_map(|step| match &step.does {
            Action::Tag { tag, .. } => Some(*tag),
            Action::Branch {
                when: Condition::Tag { tag },
                ..
            } => Some(*tag),
            _ => None,
        })
    }

    /// Stages that they name.
    pub fn stages(&self) -> impl Iterator<Item = StageId> {
        self.iter().filter_map(|step| match &step.does {
            Action::Stage { stage } => Some(*stage),
            Action::Branch {
                when: Condition::Stage { stage },
                ..
            } => Some(*stage),
            _ => None,
        })
    }

    /// Users whom they tell something.
    pub fn users(&self) -> impl Iterator<Item = UserId> {
        let told = self.iter().map(|step| match &step.does {
            Action::Notify { users, .. } => users.to_vec(),
            _ => Vec::new(),
        });
        told.flatten()
    }

    /// The messages among them.
    pub fn messages(&self) -> impl Iterator<Item = &CampaignMessage> {
        (0..self.0.len()).filter_map(|place| self.message_at(place))
    }

    pub fn iter(&self) -> impl Iterator<Item = &Step> {
        self.0.iter()
    }

    fn place_of(&self, name: &StepName) -> Option<usize> {
        self.0.iter().position(|step| step.name == *name)
    }

    /// Problems that they have by themselves, each with its field.
    pub fn problems(&self) -> Vec<FieldProblem> {
        let mut found = Vec::new();
        let mut messages = 0;
        for (place, step) in self.0.iter().enumerate() {
            let mut add =
                |field: &str, fault: Fault| found.push(FieldProblem::new(format!("steps[{place}].{field}"), fault));
            if self.place_of(&step.name) != Some(place) {
                add(
                    "name",
                    Fault::new(
                        FaultCode::GivenTwice,
                        "Another step has this name. Choose a different one.",
                    ),
                );
            }
            match &step.does {
                Action::Message { .. } => messages += 1,
                Action::Wait { wait } => {
                    if let Some(fault) = wait.problem() {
                        add("does.wait", fault);
                    }
                }
                Action::Branch { when, then, otherwise } => {
                    if when.is_of_message() && messages == 0 {
                        let detail = "No message comes before this step, so it cannot depend on one.";
                        add(
                            "does.when",
                            Fault::new(FaultCode::WrongOrder, detail).and("other", "steps"),
                        );
                    }
                    for (field, named) in [("does.then", then), ("does.otherwise", otherwise)] {
                        let Some(name) = named else { continue };
                        match self.place_of(name) {
                            None => {
                                let detail = "There is no step of this name.";
                                add(field, Fault::new(FaultCode::NotFound, detail).and("id", name.as_str()));
                            }
                            Some(target) if target <= place => {
                                let detail =
                                    "A branch leads to a later step, so that nobody gets a message again and again.";
                                add(field, Fault::new(FaultCode::WrongOrder, detail).and("other", "name"));
                            }
                            Some(_) => {}
                        }
                    }
                }
                Action::Tag { .. } | Action::Stage { .. } | Action::Notify { .. } | Action::Exit {} => {}
            }
        }
        if messages == 0 {
            let detail = "A drip has at least one message.";
            found.push(FieldProblem::new("steps", Fault::new(FaultCode::Required, detail)));
        }
        found
    }
}

/// A version of the steps of a drip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenSteps {
    pub steps: Steps,
    /// Their author. The steps change contacts in that name.
    pub by: Actor,
    /// Time when they were written.
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn steps(of: Value) -> Steps {
        serde_json::from_value(of).unwrap()
    }

    fn message(name: &str) -> Value {
        json!({"name": name, "does": {"type": "message", "message": {"channels": ["sms"], "sms_text": "Hello"}}})
    }

    fn branch(name: &str, when: &str, then: Option<&str>, otherwise: Option<&str>) -> Value {
        json!({"name": name, "does": {"type": "branch", "when": {"type": when}, "then": then, "otherwise": otherwise}})
    }

    /// A welcome, two days later a reminder to whoever has not answered, and thanks to all others.
    fn example() -> Value {
        json!([
            message("welcome"),
            {"name": "two days", "does": {"type": "wait", "wait": {"until": "passed", "days": 2}}},
            branch("answered?", "replied", Some("thanks"), None),
            message("reminder"),
            {"name": "end", "does": {"type": "exit"}},
            message("thanks"),
        ])
    }

    #[test]
    fn branches_lead_on_and_others_to_the_next_step() {
        let steps = steps(example());
        assert_eq!(steps.problems(), []);
        let after = |place, holds| steps.after(place, holds);
        assert_eq!((after(0, false), after(1, true)), (Some(1), Some(2)));
        assert_eq!((after(2, true), after(2, false)), (Some(5), Some(3)));
        assert_eq!((after(4, false), after(5, false), after(6, false)), (None, None, None));
    }

    #[test]
    fn what_is_wrong_is_named_by_field() {
        let steps = steps(json!([
            branch("a", "clicked", Some("gone"), Some("a")),
            message("b"),
            message("b"),
            {"name": "c", "does": {"type": "wait", "wait": {"until": "passed"}}},
            branch("d", "read", Some("b"), None),
        ]));
        let found: Vec<(String, FaultCode)> = steps
            .problems()
            .into_iter()
            .map(|problem| (problem.field, problem.code))
            .collect();
        let expected = [
            ("steps[0].does.when", FaultCode::WrongOrder),
            ("steps[0].does.then", FaultCode::NotFound),
            ("steps[0].does.otherwise", FaultCode::WrongOrder),
            ("steps[2].name", FaultCode::GivenTwice),
            ("steps[3].does.wait", FaultCode::OutOfRange),
            ("steps[4].does.then", FaultCode::WrongOrder),
        ];
        assert_eq!(found, expected.map(|(field, code)| (field.to_owned(), code)));
        let none = Steps::default().problems();
        assert_eq!((none[0].field.as_str(), none[0].code), ("steps", FaultCode::Required));
    }

    #[test]
    fn steps_are_limited_and_have_no_unknown_parts() {
        let many = |count: usize| {
            Value::from(
                (0..count)
                    .map(|number| message(&number.to_string()))
                    .collect::<Vec<_>>(),
            )
        };
        assert!(serde_json::from_value::<Steps>(many(MAX_STEPS)).is_ok());
        assert!(serde_json::from_value::<Steps>(many(MAX_STEPS + 1)).is_err());
        for wrong in [
            json!([{"name": "a", "does": {"type": "exit", "now": true}}]),
            json!([{"name": "a", "does": {"type": "branch", "when": {"type": "read", "by": "anybody"}}}]),
            json!([{"name": "a", "does": {"type": "sleep"}}]),
            json!([{"name": "", "does": {"type": "exit"}}]),
            json!([{"name": "a", "does": {"type": "branch", "when": {"type": "tag"}}}]),
        ] {
            assert!(serde_json::from_value::<Steps>(wrong.clone()).is_err(), "{wrong}");
        }
        let written = serde_json::to_value(steps(example())).unwrap();
        assert_eq!(steps(written.clone()), steps(example()), "{written}");
    }

    proptest! {
        /// Whatever branches name, also earlier steps and none.
        #[test]
        fn everybody_comes_to_the_end(
            targets in prop::collection::vec((0_usize..12, 0_usize..12), 1..12),
            answers in prop::collection::vec(any::<bool>(), 12),
        ) {
            let named = |target: usize| Some(target.to_string());
            let all: Vec<Value> = targets
                .iter()
                .enumerate()
                .map(|(place, (then, otherwise))| {
                    branch(&place.to_string(), "read", named(*then).as_deref(), named(*otherwise).as_deref())
                })
                .collect();
            let steps = steps(all.into());
            let (mut place, mut visited) = (Some(0), 0);
            while let Some(at) = place {
                visited += 1;
                prop_assert!(visited <= targets.len());
                place = steps.after(at, answers[at]);
            }
        }
    }
}
