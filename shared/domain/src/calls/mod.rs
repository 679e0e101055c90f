//! Calls: the reports of one call merged in any order, its recordings, and how long calls and messages are retained.

mod call;
mod record;
mod recording;
mod retention;
mod retention_change;

pub use call::{
    CallEvent, CallFacts, CallProvider, CallStatus, DialStatus, Direction, Handling, MAX_CALL, Outcome, Party,
    SHORTEST_VOICEMAIL_SECONDS, Verdict, asked_outcome,
};
pub use record::{Call, CallProgress, Circumstances, Entry, Grounds, MessageRef, Received, Unreached};
pub use recording::{MAX_RECORDINGS, Recording, RecordingState, Recordings};
pub use retention::Retention;
pub use retention_change::{AppliedRetention, ApplyRetention, Estimate, Past, Recorded, Stretch};
