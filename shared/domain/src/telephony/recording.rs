//! Recordings of calls, as far as telephone systems report them. The sound stays there.

use serde::{Deserialize, Serialize};

use crate::terms::{CallId, ProviderRef, RecordingId, derive_id};

/// Maximum recordings of a call that are known.
pub const MAX_RECORDINGS: usize = 10;

/// State of a recording. Of two reported states, the later one in this order counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RecordingState {
    /// It is still being made or processed.
    InProgress,
    /// There is no sound: it was silent, or failed.
    Absent,
    /// It is complete.
    Completed,
}

/// A recording of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    /// Id of the recording in the telephone system.
    pub reference: ProviderRef,
    pub state: RecordingState,
    /// Its length in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u32>,
    /// Whether it is a message of the caller, not the conversation.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub voicemail: bool,
}

impl Recording {
    /// The id of the recording, if it is of this call: the same however often it is reported.
    pub fn id(&self, call: CallId) -> RecordingId {
        let key = format!("recording#{call}#{}", self.reference);
        RecordingId::new(derive_id(call.own().timestamp_ms(), key.as_bytes()))
    }

    /// Merges another report of the same recording.
    fn merge(&mut self, other: &Self) {
        self.state = self.state.max(other.state);
        self.seconds = self.seconds.max(other.seconds);
        self.voicemail |= other.voicemail;
    }
}

/// The known recordings of a call, by reference.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Recordings(Vec<Recording>);

impl Recordings {
    /// True if none is known.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Recording> {
        self.0.iter()
    }

    /// The one with this id, if it is of this call.
    pub fn find(&self, call: CallId, id: RecordingId) -> Option<&Recording> {
        self.iter().find(|recording| recording.id(call) == id)
    }

    /// Merges further reports. Of more than [`MAX_RECORDINGS`], the first ones by reference are kept, so that the order of the reports
    /// does not matter.
    pub fn merge(&mut self, other: Self) {
        for theirs in other.0 {
            let place = self.0.binary_search_by(|ours| ours.reference.cmp(&theirs.reference));
            match place {
                Ok(place) => self.0[place].merge(&theirs),
                Err(place) => self.0.insert(place, theirs),
            }
        }
        self.0.truncate(MAX_RECORDINGS);
    }
}

impl FromIterator<Recording> for Recordings {
    fn from_iter<I: IntoIterator<Item = Recording>>(reported: I) -> Self {
        let mut all = Self::default();
        for recording in reported {
            all.merge(Self(vec![recording]));
        }
        all
    }
}
