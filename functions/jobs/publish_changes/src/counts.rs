//! Counters raised by a change, and their hours.

use std::collections::BTreeMap;

use domain::Timestamp;
use domain::messages::TemplateEdition;
use domain::reports::{
    RECOVERED, Raise, UNDONE, count_answered_templates, count_call, count_decided, count_decided_again, count_message,
    count_received, count_refused, count_templates,
};
use jiff::SignedDuration;
use store::reports::Counters;
use store::table::changes::What;

/// The counters raised by a change that was stored at this time, by the hour that they count in. Counters of a call,
/// and of its message, count in the call's hour, so that an hour's numbers match the list of its calls; all others in
/// the hour of storing. A call older than `kept`, the retention of rows of hours, counts when it is stored, and later
/// changes of its message then count for no call.
pub(crate) fn of(what: &What, stored: Timestamp, kept: SignedDuration) -> Vec<(Timestamp, Counters)> {
    let of_call = |called: Timestamp| Some(called.min(stored)).filter(|called| stored.duration_since(*called) < kept);
    let raised = raises_of(what, stored);
    // A call is recovered when something happens. What is no longer so is taken off where it was counted.
    let (at, before) = match what {
        What::CallDecided(call) => (of_call(call.happened_at()), None),
        What::CallDecidedAgain { before, after } => (of_call(after.happened_at()), of_call(before.happened_at())),
        _ => (None, None),
    };
    let (at, before) = (at.unwrap_or(stored), before.unwrap_or(stored));
    let mut by_time: BTreeMap<Timestamp, Vec<Raise>> = BTreeMap::new();
    for raise in raised {
        let at = match raise.0.as_str() {
            RECOVERED => stored,
            name if name.ends_with(UNDONE) => before,
            _ => at,
        };
        by_time.entry(at).or_default().push(raise);
    }
    let mut counted: Vec<_> = by_time.into_iter().map(|(at, raised)| (at, sums(raised))).collect();
    if let What::MessageMoved { before, after } = what
        && let Some((called, raised)) = count_call(before.as_deref(), after)
        && let Some(called) = of_call(called)
    {
        counted.push((called, sums(raised)));
    }
    counted.retain(|(_, counters)| !counters.is_empty());
    counted
}

fn raises_of(what: &What, stored: Timestamp) -> Vec<Raise> {
    match what {
        What::Recorded(record) => record.counters(),
        What::CallDecided(call) => count_decided(call),
        What::CallDecidedAgain { before, after } => count_decided_again(before, after),
        What::Received(received) => count_received(received),
        What::MessageMoved { before, after } => count_message(before.as_deref(), after),
        What::Refused(entry) => count_refused(entry, stored),
    }
}

/// The counters that a change raises for templates, by their contents.
pub(crate) fn of_templates(what: &What) -> BTreeMap<TemplateEdition, Counters> {
    let mut sums: BTreeMap<TemplateEdition, Counters> = BTreeMap::new();
    let mut add = |of: TemplateEdition, (name, count): Raise| {
        *sums.entry(of).or_default().entry(name).or_default() += count;
    };
    match what {
        What::MessageMoved { before, after } => {
            let moved = count_templates(before.as_deref(), after);
            moved.into_iter().for_each(|(of, raise)| add(of, raise));
        }
        What::Received(received) => {
            let answered = count_answered_templates(received);
            answered.for_each(|(of, raise)| add(of.clone(), raise));
        }
        What::Recorded(_) | What::CallDecided(_) | What::CallDecidedAgain { .. } | What::Refused(_) => {}
    }
    sums
}

/// The sum of all raises of each counter.
fn sums(raised: Vec<Raise>) -> Counters {
    let mut counters = Counters::new();
    for (name, count) in raised {
        *counters.entry(name).or_default() += count;
    }
    counters
}
