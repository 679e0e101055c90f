//! Telephony: what telephone systems report of a call, whose reports are merged in any order, and its recordings.

mod call;
mod recording;

pub use call::{
    CallEvent, CallFacts, CallProvider, CallStatus, DialStatus, Direction, Handling, MAX_CALL, Outcome, Party,
    SHORTEST_VOICEMAIL_SECONDS, Verdict, asked_outcome,
};
pub use recording::{MAX_RECORDINGS, Recording, RecordingState, Recordings};
