//! Counts of a template's messages, for each of its contents: messages sent, their states, and customers' answers.
//!
//! The names of the counters, and which change raises them, are in [`crate::reports::Raise`].

use serde::{Deserialize, Serialize};

use crate::messages::{Attempt, AttemptState, InboundMessage, Leg, Message, OptFlag};
use crate::templates::{TemplateId, TemplateKey};
use crate::terms::{MessageId, is_zero};

/// A content of a template.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TemplateEdition {
    pub template: TemplateId,
    /// Number of contents before this one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub edition: u32,
}

impl TemplateEdition {
    /// The template of a leg; `None` if it sends something else.
    pub fn of(leg: &Leg) -> Option<Self> {
        let filled = leg.content.template()?;
        Some(Self {
            template: TemplateId {
                connection: leg.connection,
                key: TemplateKey::new(&filled.name, &filled.language)?,
            },
            edition: filled.edition,
        })
    }
}

/// A message of ours with the template that carried it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Templated {
    pub message: MessageId,
    pub of: TemplateEdition,
}

/// A template that a customer's message answers. Stored with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnsweredTemplate {
    pub of: TemplateEdition,
    /// Whether it is a reply. A stop word is none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replied: bool,
    /// Whether it is the press of a button.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub clicked: bool,
}

impl Message {
    /// The template of an attempt; `None` if it sends something else.
    pub fn template_of(&self, attempt: &Attempt) -> Option<Templated> {
        let of = TemplateEdition::of(self.plan.get(usize::from(attempt.leg))?)?;
        Some(Templated { message: self.id, of })
    }

    /// The template that reached the provider last, if one did.
    pub fn sent_template(&self) -> Option<Templated> {
        let sent = |attempt: &&Attempt| attempt.state.was_accepted() && attempt.state != AttemptState::Failed;
        let last = self.attempts.iter().rev().find(sent)?;
        self.template_of(last)
    }
}

/// The templates that a customer's message answers: the one of the message that it names, and those of the `open` follow-ups that it
/// closes. Each of our messages counts once for one of theirs. A reaction answers none.
pub fn answered_by_message(
    message: &InboundMessage,
    flag: Option<OptFlag>,
    named: Option<Templated>,
    open: Vec<Templated>,
) -> Vec<AnsweredTemplate> {
    if !message.is_written() {
        return Vec::new();
    }
    let (replied, clicked) = (flag != Some(OptFlag::Stop), message.payload.is_some());
    let known = named.as_ref().map(|named| named.message);
    let others = open.into_iter().filter(|open| replied && Some(open.message) != known);
    let named = named.filter(|_| replied || clicked).map(|named| AnsweredTemplate {
        of: named.of,
        replied,
        clicked,
    });
    let others = others.map(|open| AnsweredTemplate {
        of: open.of,
        replied,
        clicked: false,
    });
    named.into_iter().chain(others).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;
    use crate::samples::{Case, NOON, accept, at, message_of};

    fn message_by_template(message: &str, edition: u32) -> Templated {
        Templated {
            message: format!("msg_00000000000000000000000001{message:0>26}").parse().unwrap(),
            of: TemplateEdition {
                template: "conn_00000000000000000000000002.order_1.en".parse().unwrap(),
                edition,
            },
        }
    }

    fn inbound(payload: Option<&str>, opens_window: bool) -> InboundMessage {
        from_value(json!({
            "channel": "whatsapp", "provider_ref": "wamid.2", "from": {"phone": "+971501234567"}, "kind": "button",
            "at": "2026-11-20T12:00:00Z", "text": "Yes", "payload": payload, "opens_window": opens_window,
        }))
        .unwrap()
    }

    /// Editions, with whether they count as replied and clicked.
    fn list_editions(found: Vec<AnsweredTemplate>) -> Vec<(u32, bool, bool)> {
        let each = found.into_iter();
        each.map(|one| (one.of.edition, one.replied, one.clicked)).collect()
    }

    #[test]
    fn named_message_and_open_ones_are_answered_once() {
        let (named, other) = (message_by_template("1", 1), message_by_template("2", 2));
        let open = || vec![named.clone(), other.clone()];
        let of = |message: &InboundMessage, flag, named: Option<&Templated>| {
            list_editions(answered_by_message(message, flag, named.cloned(), open()))
        };
        let (words, press, reaction) = (inbound(None, true), inbound(Some("yes"), true), inbound(None, false));
        assert_eq!(of(&words, None, Some(&named)), [(1, true, false), (2, true, false)]);
        assert_eq!(of(&press, None, Some(&named)), [(1, true, true), (2, true, false)]);
        assert_eq!(of(&words, None, None), [(1, true, false), (2, true, false)]);
        assert_eq!(of(&words, Some(OptFlag::Stop), Some(&named)), []);
        assert_eq!(of(&press, Some(OptFlag::Stop), Some(&named)), [(1, false, true)]);
        assert_eq!(of(&reaction, None, Some(&named)), []);
    }

    /// An SMS that took over is no message of the template.
    #[test]
    fn template_of_a_message_is_that_of_its_last_sent_leg() {
        let now = at(NOON);
        let mut message = message_of(Case::new().plan(), now);
        assert_eq!(message.sent_template(), None);
        accept(&mut message, now);
        let sent = message.sent_template().unwrap();
        assert_eq!(sent.message, message.id);
        assert_eq!(
            sent.of.template.to_string(),
            "conn_00000000000000000000000002.missed_call_followup.en_GB"
        );
        message.attempts[0].state = AttemptState::Failed;
        assert_eq!(message.sent_template(), None);
        message.attempts.push(Attempt {
            number: 2,
            leg: 1,
            state: AttemptState::Accepted,
            ..message.attempts[0].clone()
        });
        assert_eq!(message.sent_template(), None);
    }
}
