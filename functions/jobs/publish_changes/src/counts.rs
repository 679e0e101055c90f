//! The counters that a change raises.

use domain::{Timestamp, counting};
use store::changes::What;

/// The counters that a change raises, which was stored at this time, with the number by which each is raised.
pub(crate) fn of(what: &What, stored: Timestamp) -> Vec<counting::Raise> {
    match what {
        What::Converted(conversion) => conversion.counters(),
        What::CallDecided(call) => counting::decided(call),
        What::CallDecidedAgain { before, after } => counting::decided_again(before, after),
        What::Received(received) => counting::received(received),
        What::MessageMoved { before, after } => counting::moved(before.as_deref(), after),
        What::Refused(entry) => counting::refused(entry, stored),
    }
}
