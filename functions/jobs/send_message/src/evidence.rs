//! Whether a message went out whose sender cannot tell.

use domain::{
    connection::Connection,
    message::{Leg, StatusReport},
};
use kit::{
    ConfigError, Env,
    enqueue::{EnqueueError, depth},
};

/// What a provider says when it is asked about a message.
pub(crate) enum Found {
    /// It took it.
    Accepted {
        /// What it says.
        report: Box<StatusReport>,
        /// The channel.
        leg: Box<Leg>,
        /// The connection that sent it.
        connection: Box<Connection>,
        /// The attempt.
        number: u32,
    },
    /// It was asked, and what it shows leaves no room for the message: it did not take it.
    Nothing,
    /// It cannot be asked, did not answer, or what it shows proves nothing.
    CannotTell,
}

/// With more than this in the queues, a missing report proves nothing.
const NEARLY_EMPTY: u64 = 10;

/// The queue of the providers' reports, and where those that failed end up.
pub(crate) struct Evidence {
    env: Env,
    queues: [String; 2],
}

impl Evidence {
    pub(crate) fn new(env: &Env) -> Result<Self, ConfigError> {
        let url = |variable| env.config().text(variable).map(str::to_owned);
        Ok(Self {
            env: env.clone(),
            queues: [url("PROVIDER_EVENTS_QUEUE_URL")?, url("PROVIDER_EVENTS_DLQ_URL")?],
        })
    }

    /// Whether the reports that have come are processed, so that the absence of one means something.
    pub(crate) async fn reports_are_in(&self) -> Result<bool, EnqueueError> {
        let [events, dead] = &self.queues;
        let (waiting, dead) = tokio::try_join!(depth(&self.env, events), depth(&self.env, dead))?;
        Ok(waiting <= NEARLY_EMPTY && dead <= NEARLY_EMPTY)
    }
}
