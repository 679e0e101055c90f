//! The one way from what was written to the queues: [`Store::commit`] says which jobs follow, [`Queues`] queues them.
//!
//! [`Store::commit`]: store::Store::commit

use domain::{Timestamp, purpose::Lane};
use jobs::{NextJob, ToQueue};

use crate::{
    ConfigError, Entry, Env, Queue, QueueName,
    enqueue::{EnqueueError, LONGEST_DELAY},
};

/// The queues into which a function puts the jobs that follow from what it writes.
#[derive(Clone)]
pub struct Queues(Vec<Queue>);

impl Queues {
    /// These queues.
    ///
    /// # Errors
    /// When the variable of one is missing.
    pub fn new(env: &Env, names: &[QueueName]) -> Result<Self, ConfigError> {
        let queues = names.iter().map(|name| Queue::new(env, *name));
        queues.collect::<Result<_, _>>().map(Self)
    }

    /// Queues jobs, each for its time. What is later than a queue can hold it back is left to the due index. Returns how many were
    /// queued.
    ///
    /// # Errors
    /// When a queue does not answer; the others' jobs may be queued.
    pub async fn enqueue(&self, jobs: Vec<ToQueue>, now: Timestamp) -> Result<u64, EnqueueError> {
        let mut entries: Vec<Vec<Entry>> = self.0.iter().map(|_| Vec::new()).collect();
        let mut count = 0;
        for ToQueue { job, not_before } in jobs {
            let wait = std::time::Duration::try_from(not_before.duration_since(now)).unwrap_or_default();
            if wait > LONGEST_DELAY {
                continue;
            }
            let (name, entry) = match job {
                NextJob::Send(lane, job) => (QueueName::of(lane), Entry::new(&job)?),
                NextJob::Look(job) => (QueueName::Calls, Entry::new(&*job)?),
            };
            let place = self.0.iter().position(|queue| queue.name() == name);
            let Some(entries) = place.and_then(|place| entries.get_mut(place)) else {
                return Err(EnqueueError::new(
                    "find a job's queue among the function's",
                    name.as_str(),
                ));
            };
            entries.push(entry.after(wait));
            count += 1;
        }
        // Each queue on its own: one that does not answer must not keep the others' jobs.
        let mut sent = Ok(());
        for (queue, entries) in self.0.iter().zip(entries) {
            sent = sent.and(queue.send_all(entries).await);
        }
        sent.map(|()| count)
    }
}

impl QueueName {
    /// The queue of messages of this lane.
    #[must_use]
    pub const fn of(lane: Lane) -> Self {
        match lane {
            Lane::Answers => Self::Sends,
            Lane::Bulk => Self::BulkSends,
        }
    }
}
