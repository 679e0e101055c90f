//! Clients that follow a business by sockets while its customers write: the time until they are told, and what they miss.

use anyhow::{Result, ensure};
use domain::accounts::Role;
use serde::{Deserialize, Serialize};

use super::load::Times;
use super::run_python_client;
use crate::api::log_in;
use crate::business::{Plan, Town};
use crate::place::Place;
use crate::play::Play;
use crate::tools::Tools;

/// Figures of one run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Live {
    pub sockets: usize,
    /// Sockets whose clients are gone without a word, or read nothing.
    pub ill: usize,
    /// Messages that customers wrote.
    pub messages: usize,
    /// Messages written per second.
    pub per_second: f64,
    /// From a message to the only client, one message at a time: the emulator's own time.
    pub alone: Times,
    /// From each message to each healthy client that watches its conversation.
    pub told: Times,
    /// Catch-ups that healthy clients were asked for.
    pub caught_up: usize,
    /// From the revocation of a key to the end of the last of its sockets, in milliseconds.
    #[serde(default)]
    pub closed: f64,
    /// From a log-out to the end of the last socket of the session, in milliseconds.
    #[serde(default)]
    pub logged_out: f64,
    /// Events that a healthy client did not know at the end, though it watches what they are about; by ids.
    pub missing: usize,
    /// Events that reached a client that does not watch their subject, or of another business; by ids.
    pub foreign: usize,
}

/// Measures with `python/follow_many.py`: clients that we did not write.
pub async fn measure(place: &Place, tools: &Tools, play: &Play, town: &Town) -> Result<Live> {
    let ours = town.open("Followed", Plan::lift_limits).await?;
    let other = town.open("Beside it", Plan::lift_limits).await?;
    let person = ours.users.of(Role::Agent);
    let token = log_in(play, person).await?;
    let settings = [
        ("RINGBACK_TENANT", ours.id.as_str()),
        ("RINGBACK_KEY", &ours.api_key),
        ("RINGBACK_TOKEN", &token),
        ("RINGBACK_OTHER_KEY", &other.api_key),
    ];
    let live: Live = run_python_client(place, tools, play, "follow_many.py", &settings).await?;
    ensure!(
        live.missing == 0 && live.foreign == 0,
        "clients missed {} events, and were told of {} that are not theirs",
        live.missing,
        live.foreign,
    );
    Ok(Live {
        alone: live.alone.into_sorted(),
        told: live.told.into_sorted(),
        ..live
    })
}
