//! `why`: everything that happened with a customer, in order, with every decision and its reason.

use anyhow::{Context as _, Result, bail};
use domain::Timestamp;
use domain::calls::{Call, Entry};
use domain::messages::{Ended, Message, Remark};
use domain::people::Identity;
use domain::telephony::{Direction, Party};
use domain::terms::{Phone, TenantId};
use store::Store;

/// Maximum rows of a contact's history.
const MAX: i32 = 200;

/// A line of a timeline.
pub struct Line {
    /// Time of what happened.
    pub at: Timestamp,
    /// A sentence about it.
    pub text: String,
}

impl Line {
    const fn new(at: Timestamp, text: String) -> Self {
        Self { at, text }
    }
}

/// The timeline of the customer with this number, oldest first.
pub async fn timeline(store: &Store, tenant: TenantId, phone: &str) -> Result<Vec<Line>> {
    let scope = access::operator::scope(tenant);
    let phone: Phone = phone
        .parse()
        .with_context(|| format!("{phone:?} is not a number in E.164, such as +447700900123"))?;
    let contact = store
        .contact_of(&scope, &Identity::Phone(phone.clone()))
        .await
        .context("looking for the contact")?;
    let Some(contact) = contact else {
        bail!("{tenant} does not know {phone}");
    };
    let history = store
        .history(&scope, contact.id, MAX, Timestamp::now())
        .await
        .context("reading the history")?;
    let mut lines = Vec::new();
    // Calls come before the messages that follow them.
    for entry in history.iter().rev() {
        match entry {
            Entry::Call(call) => of_call(call, &mut lines),
            Entry::Sent(message) => of_message(message, &mut lines),
            Entry::Received(received) => {
                let message = &received.message;
                // Customers' texts are not shown: this is an operator's view.
                let wrote = format!("wrote by {} ({})", message.channel.name(), message.kind);
                lines.push(Line::new(message.at, wrote));
                lines.extend(remarks(&received.remarks));
            }
            Entry::Consent(consent) => {
                let text = format!("consent: {} ({})", consent.what(), consent.source);
                lines.push(Line::new(consent.at, text));
            }
            // Not part of what is read here.
            Entry::Record(_) => {}
        }
    }
    // A stable sort: entries with the same time keep their order.
    lines.sort_by_key(|line| line.at);
    Ok(lines)
}

fn remarks(remarks: &[Remark]) -> impl Iterator<Item = Line> {
    remarks
        .iter()
        .map(|remark| Line::new(remark.at, format!("  {}", remark.text)))
}

fn of_call(call: &Call, lines: &mut Vec<Line>) {
    let direction = match call.facts.direction {
        Some(Direction::Outbound) => "outbound call to",
        Some(Direction::Inbound) | None => "call on",
    };
    let line = match &call.facts.to {
        Some(Party::Phone(phone)) => phone.to_string(),
        Some(Party::Sip(address)) => address.clone(),
        Some(Party::Withheld) | None => "a line".to_owned(),
    };
    let (outcome, provider) = (call.outcome.as_str(), call.provider.as_str());
    let called = format!("{direction} {line}: {outcome} ({provider})");
    lines.push(Line::new(call.happened_at(), called));
    lines.push(Line::new(call.decided_at, format!("  decided: {}", call.decision)));
    lines.extend(remarks(&call.remarks));
}

fn of_message(message: &Message, lines: &mut Vec<Line>) {
    let channels: Vec<_> = message.plan.iter().map(|leg| leg.channel.name()).collect();
    let planned = format!("  message planned: {}", channels.join(", then "));
    lines.push(Line::new(message.created_at, planned));
    if message.not_before > message.created_at {
        let text = format!("  not before {}", message.not_before);
        lines.push(Line::new(message.created_at, text));
    }
    for attempt in &message.attempts {
        let leg = message.plan.get(usize::from(attempt.leg));
        let channel = leg.map_or("?", |leg| leg.channel.name());
        let name = format!("  attempt {} by {channel}", attempt.number);
        lines.push(Line::new(attempt.claimed_at, format!("{name}: claimed")));
        for (at, what) in [
            (attempt.accepted_at, "accepted"),
            (attempt.delivered_at, "delivered"),
            (attempt.read_at, "read"),
        ] {
            lines.extend(at.map(|at| Line::new(at, format!("{name}: {what}"))));
        }
        if let Some(error) = &attempt.error {
            let code = error.code.map_or_else(String::new, |code| format!(" {code}"));
            let text = format!("{name}: {}{code}: {}", attempt.state.as_str(), error.reason);
            lines.push(Line::new(attempt.accepted_at.unwrap_or(attempt.claimed_at), text));
        }
    }
    lines.extend(remarks(&message.remarks));
    if let Some(ended) = &message.ended {
        let (how, why) = match ended {
            Ended::Cancelled(why) => ("cancelled", why),
            Ended::Blocked(why) => ("blocked", why),
            Ended::Failed(why) => ("failed", why),
        };
        let last = lines.iter().map(|line| line.at).max().unwrap_or(message.created_at);
        lines.push(Line::new(last, format!("  message {how}: {why}")));
    }
}
