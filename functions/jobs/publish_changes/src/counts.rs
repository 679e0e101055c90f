//! The day's counters that a change raises.

use domain::{
    message::{Attempt, AttemptState, Channel, Message, MessageState},
    record::Call,
};
use store::changes::What;

/// The counters that a change raises, with the number by which each is raised.
pub(crate) fn of(what: &What) -> Vec<(String, u64)> {
    let by_one = match what {
        What::Converted(conversion) => return conversion.counters(),
        What::CallDecided(call) => {
            let follows = followed(call).unwrap_or("calls_without_message");
            vec!["calls".to_owned(), outcome(call), follows.to_owned()]
        }
        // Counters only grow, so such a call counts for two outcomes.
        What::CallDecidedAgain(call) => {
            let mut counted = vec!["calls_decided_again".to_owned(), outcome(call)];
            counted.extend(followed(call).map(str::to_owned));
            counted
        }
        What::Received(received) => vec![format!("received_{}", channel(received.message.channel))],
        What::MessageMoved { before, after } => moved(before.as_deref(), after),
    };
    by_one.into_iter().map(|name| (name, 1)).collect()
}

fn outcome(call: &Call) -> String {
    format!("calls_{}", call.outcome.as_str())
}

fn followed(call: &Call) -> Option<&'static str> {
    call.message.map(|_| "calls_followed_up")
}

const fn channel(channel: Channel) -> &'static str {
    match channel {
        Channel::WhatsApp => "whatsapp",
        Channel::Sms => "sms",
    }
}

/// The states that an attempt has passed through, including those it skipped.
fn steps(attempt: &Attempt) -> Vec<&'static str> {
    let mut steps = Vec::new();
    if attempt.provider_ref.is_some() {
        steps.push("accepted");
    }
    if attempt.state.rank() >= AttemptState::Delivered.rank() {
        steps.push("delivered");
    }
    match attempt.state {
        AttemptState::Read => steps.push("read"),
        AttemptState::Failed => steps.push("failed"),
        AttemptState::Refused => steps.push("refused"),
        _ => {}
    }
    if attempt.cost.as_ref().is_some_and(|cost| cost.billable) {
        steps.push("billed");
    }
    steps
}

fn moved(before: Option<&Message>, after: &Message) -> Vec<String> {
    let mut counted = Vec::new();
    if before.is_none() {
        counted.push("messages".to_owned());
    }
    for attempt in &after.attempts {
        let Some(leg) = after.plan.get(usize::from(attempt.leg)) else {
            continue;
        };
        let known: Vec<&str> = before
            .and_then(|before| before.attempts.iter().find(|known| known.number == attempt.number))
            .map(steps)
            .unwrap_or_default();
        let new = steps(attempt).into_iter().filter(|step| !known.contains(step));
        counted.extend(new.map(|step| format!("{step}_{}", channel(leg.channel))));
    }
    // Judged by its state, not only by its end: a message that was sent and then cancelled only lost its other channels.
    let ended = |message: &Message| match message.state() {
        MessageState::Cancelled => Some("messages_cancelled"),
        MessageState::Blocked => Some("messages_blocked"),
        MessageState::Failed => Some("messages_failed"),
        _ => None,
    };
    if let Some(how) = ended(after)
        && before.and_then(ended) != Some(how)
    {
        counted.push(how.to_owned());
    }
    counted
}
