//! The one way from what was written to the queues: [`Store::commit`] says which jobs follow, [`Queues`] queues them.
//!
//! [`Store::commit`]: store::Store::commit

use domain::Timestamp;
use domain::terms::Lane;
use jobs::{NextJob, StartOperation, ToQueue};

use crate::enqueue::{EnqueueError, MAX_DELAY};
use crate::{Bus, ConfigError, Entry, Env, Queue, QueueName};

/// The queues into which a function puts the jobs that follow from what it writes, and the bus.
#[derive(Clone)]
pub struct Queues {
    queues: Vec<Queue>,
    bus: Option<Bus>,
}

impl Queues {
    /// These queues.
    ///
    /// # Errors
    /// When the variable of one is missing.
    pub fn new(env: &Env, names: &[QueueName]) -> Result<Self, ConfigError> {
        let queues = names.iter().map(|name| Queue::new(env, *name));
        Ok(Self {
            queues: queues.collect::<Result<_, _>>()?,
            bus: None,
        })
    }

    /// Adds the bus, for a function that starts operations.
    pub fn with_bus(mut self, bus: Bus) -> Self {
        self.bus = Some(bus);
        self
    }

    /// Queues jobs, each for its time. What is later than a queue can hold it back is left to the due index. Operations are
    /// started at once. Returns how many were queued or started.
    ///
    /// # Errors
    /// When a queue or the bus does not answer; the others' jobs may be queued.
    pub async fn enqueue(&self, jobs: Vec<ToQueue>, now: Timestamp) -> Result<u64, EnqueueError> {
        let mut entries: Vec<Vec<Entry>> = self.queues.iter().map(|_| Vec::new()).collect();
        let mut started = Vec::new();
        let mut count = 0;
        for ToQueue { job, not_before } in jobs {
            let wait = std::time::Duration::try_from(not_before.duration_since(now)).unwrap_or_default();
            if wait > MAX_DELAY {
                continue;
            }
            let (name, entry) = match job {
                NextJob::Send(lane, job) => (QueueName::of(lane), Entry::new(&job)?),
                NextJob::Look(job) => (QueueName::Calls, Entry::new(&*job)?),
                NextJob::Media(job) => (QueueName::Media, Entry::new(&job)?),
                NextJob::Deliver(job) => (QueueName::WebhookDeliveries, Entry::new(&job)?),
                NextJob::Commerce(job) => (QueueName::CommerceEvents, Entry::new(&job)?),
                NextJob::Start(operation) => {
                    started.push(operation);
                    count += 1;
                    continue;
                }
            };
            let place = self.queues.iter().position(|queue| queue.name() == name);
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
        let mut sent = self.start(&started).await;
        for (queue, entries) in self.queues.iter().zip(entries) {
            sent = sent.and(queue.send_all(entries).await);
        }
        sent.map(|()| count)
    }

    async fn start(&self, operations: &[StartOperation]) -> Result<(), EnqueueError> {
        const DOING: &str = "start operations";
        if operations.is_empty() {
            return Ok(());
        }
        let Some(bus) = &self.bus else {
            return Err(EnqueueError::new(DOING, "the function has no bus"));
        };
        let started = bus.start(operations).await;
        started.map_err(|error| EnqueueError::new(DOING, error))
    }
}

impl QueueName {
    /// The queue of messages of this lane.
    pub const fn of(lane: Lane) -> Self {
        match lane {
            Lane::Answers => Self::Sends,
            Lane::Bulk => Self::BulkSends,
        }
    }
}
