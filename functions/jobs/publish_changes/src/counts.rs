//! The counters that a change raises.

use std::collections::BTreeMap;

use domain::{
    Timestamp,
    reports::{counting, template_numbers::TemplateEdition},
};
use store::{reports::counters::Counters, table::changes::What};

/// The counters that a change raises, which was stored at this time, with the number by which each is raised.
pub(crate) fn of(what: &What, stored: Timestamp) -> Vec<counting::Raise> {
    match what {
        What::Recorded(record) => record.counters(),
        What::CallDecided(call) => counting::decided(call),
        What::CallDecidedAgain { before, after } => counting::decided_again(before, after),
        What::Received(received) => counting::received(received),
        What::MessageMoved { before, after } => counting::moved(before.as_deref(), after),
        What::Refused(entry) => counting::refused(entry, stored),
    }
}

/// The counters that a change raises for templates, by their contents.
pub(crate) fn of_templates(what: &What) -> BTreeMap<TemplateEdition, Counters> {
    let mut sums: BTreeMap<TemplateEdition, Counters> = BTreeMap::new();
    let mut add = |of: TemplateEdition, (name, count): counting::Raise| {
        *sums.entry(of).or_default().entry(name).or_default() += count;
    };
    match what {
        What::MessageMoved { before, after } => {
            let moved = counting::moved_templates(before.as_deref(), after);
            moved.into_iter().for_each(|(of, raise)| add(of, raise));
        }
        What::Received(received) => {
            let answered = counting::answered_templates(received);
            answered.for_each(|(of, raise)| add(of.clone(), raise));
        }
        What::Recorded(_) | What::CallDecided(_) | What::CallDecidedAgain { .. } | What::Refused(_) => {}
    }
    sums
}

/// The sum of all raises of each counter.
pub(crate) fn sums(raised: Vec<counting::Raise>) -> Counters {
    let mut counters = Counters::new();
    for (name, count) in raised {
        *counters.entry(name).or_default() += count;
    }
    counters
}
