//! Jobs that follow from writes.

use domain::calls::CallProgress;
use domain::media::{Asset, Medium};
use domain::messages::Message;
use domain::people::Order;
use domain::terms::{ConnectionId, FileId, Lane, Operation, OrderId, Purpose, TenantId, WebhookEndpointId};
use jiff::Timestamp;

use crate::{CallJob, CommerceJob, DeliveryJob, MediaJob, SendMessage, SentWith, StartOperation};

/// A job to be queued. The due index also has a row for it, in case the job is lost or its time is far off.
#[derive(Debug, Clone, PartialEq)]
pub struct ToQueue {
    pub job: NextJob,
    /// Earliest time with work to do.
    pub not_before: Timestamp,
}

/// A job that follows from a row of the table.
#[derive(Debug, Clone, PartialEq)]
pub enum NextJob {
    /// Sends a message's next attempt: queue `sends` or `bulk-sends`, by the lane.
    Send(Lane, SendMessage),
    /// Checks a waiting call: queue `calls`.
    Look(Box<CallJob>),
    /// Fetches or deletes a medium, or deletes an attachment: queue `media`.
    Media(MediaJob),
    /// Looks at an endpoint of webhooks: queue `webhook-deliveries`.
    Deliver(DeliveryJob),
    /// Tells the news of an order: queue `commerce-events`.
    Commerce(CommerceJob),
    /// Starts or continues an operation: an event on the bus.
    Start(StartOperation),
}

impl SendMessage {
    /// A copy for the message's next attempt.
    pub fn next_of(tenant: TenantId, message: &Message) -> Self {
        Self {
            tenant,
            correlation_id: message.correlation_id.clone(),
            message: message.id,
            attempt: message.next_number(),
            rounds: 0,
            requested: matches!(message.policy.purpose(), Purpose::Api | Purpose::Reply),
            with: message
                .plan
                .first()
                .filter(|_| message.attempts.is_empty())
                .map(|leg| SentWith::of(leg, message.cause.campaign())),
        }
    }
}

impl ToQueue {
    /// A message's next attempt.
    pub fn send(tenant: TenantId, message: &Message) -> Self {
        Self {
            job: NextJob::Send(message.policy.lane(), SendMessage::next_of(tenant, message)),
            not_before: message.not_before,
        }
    }

    /// A check of a call that waits until this time.
    pub fn look(tenant: TenantId, progress: CallProgress, until: Timestamp) -> Self {
        let job = CallJob::Decide {
            tenant,
            correlation_id: progress.correlation_id,
            connection: progress.connection,
            provider: progress.provider,
            provider_call_id: progress.provider_call_id,
        };
        Self {
            job: NextJob::Look(Box::new(job)),
            not_before: until,
        }
    }

    /// The upload of an asset to the provider of a connection, at once.
    pub fn upload(
        tenant: TenantId,
        asset: FileId,
        connection: ConnectionId,
        correlation_id: &str,
        now: Timestamp,
    ) -> Self {
        let job = MediaJob::Upload {
            tenant,
            correlation_id: correlation_id.to_owned(),
            asset,
            connection,
        };
        Self {
            job: NextJob::Media(job),
            not_before: now,
        }
    }

    /// The job of a medium, at once.
    pub fn media(tenant: TenantId, medium: &Medium, now: Timestamp) -> Self {
        Self {
            job: NextJob::Media(MediaJob::fetch(tenant, medium)),
            not_before: now,
        }
    }

    /// The deletion of an attachment, at once.
    pub fn drop_attachment(tenant: TenantId, attachment: &Asset, now: Timestamp) -> Self {
        Self {
            job: NextJob::Media(MediaJob::drop(tenant, attachment)),
            not_before: now,
        }
    }

    /// A look at an endpoint for which deliveries wait, at this time.
    pub fn run_endpoint(tenant: TenantId, endpoint: WebhookEndpointId, at: Timestamp) -> Self {
        let job = DeliveryJob::Run {
            tenant,
            correlation_id: endpoint.to_string(),
            endpoint,
        };
        Self {
            job: NextJob::Deliver(job),
            not_before: at,
        }
    }

    /// The news of an order, at this time.
    pub fn tell_news(tenant: TenantId, order: OrderId, at: Timestamp) -> Self {
        let job = CommerceJob::TellNews {
            tenant,
            correlation_id: order.to_string(),
            order,
        };
        Self {
            job: NextJob::Commerce(job),
            not_before: at,
        }
    }

    /// The news of an order that was written, at once, if some waits to be told or was taken back.
    pub fn news_of(tenant: TenantId, order: &Order, now: Timestamp) -> Option<Self> {
        order.has_open_news().then(|| Self::tell_news(tenant, order.id, now))
    }

    /// The start of an operation, at once.
    pub const fn start(tenant: TenantId, operation: &Operation) -> Self {
        Self {
            job: NextJob::Start(StartOperation::of(tenant, operation)),
            not_before: operation.updated_at,
        }
    }

    /// Moves the job to another time.
    pub const fn at(mut self, not_before: Timestamp) -> Self {
        self.not_before = not_before;
        self
    }

    /// Counts how often its own worker has queued the job.
    pub fn with_rounds(mut self, rounds: u8) -> Self {
        if let NextJob::Send(_, job) = &mut self.job {
            job.rounds = rounds;
        }
        self
    }
}
