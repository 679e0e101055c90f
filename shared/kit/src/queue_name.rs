//! Names of our queues.

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum QueueName {
    /// Reports of calls, for `process_call`.
    Calls,
    /// Events of messaging providers, for `process_provider_event`.
    ProviderEvents,
    /// Events of shops, for `process_commerce_event`.
    CommerceEvents,
    /// Messages to send that answer a person, for `send_message`.
    Sends,
    /// Messages to send to many, for `send_message`, too.
    BulkSends,
    /// Steps of drips, for `take_steps`.
    Drips,
    /// Media of customers' messages, and uploads of assets, for `fetch_media`.
    Media,
    /// Notifications on the devices of users of Ringback, for `send_push`.
    Pushes,
    /// Events for endpoints of webhooks, for `deliver_webhook`.
    WebhookDeliveries,
    /// E-mails to users of Ringback, for `send_mail`. Never spilled, because links in them contain tokens.
    Mails,
}

impl QueueName {
    pub const ALL: [Self; 10] = [
        Self::Calls,
        Self::ProviderEvents,
        Self::CommerceEvents,
        Self::Sends,
        Self::BulkSends,
        Self::Drips,
        Self::Media,
        Self::Pushes,
        Self::WebhookDeliveries,
        Self::Mails,
    ];

    /// Queues that webhooks fill. Jobs that these refuse may be in the bucket, and `dispatch_due` queues them again. The other
    /// queues are filled by jobs, which are retried by themselves; searching the bucket for them would cost on every idle day.
    pub const SWEPT: [Self; 3] = [Self::Calls, Self::ProviderEvents, Self::CommerceEvents];

    /// Name in the template and in keys of spilled objects.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Calls => "calls",
            Self::ProviderEvents => "provider-events",
            Self::CommerceEvents => "commerce-events",
            Self::Sends => "sends",
            Self::BulkSends => "bulk-sends",
            Self::Drips => "drips",
            Self::Media => "media",
            Self::Pushes => "pushes",
            Self::WebhookDeliveries => "webhook-deliveries",
            Self::Mails => "mails",
        }
    }

    /// Variable with its URL.
    pub const fn variable(self) -> &'static str {
        match self {
            Self::Calls => "CALLS_QUEUE_URL",
            Self::ProviderEvents => "PROVIDER_EVENTS_QUEUE_URL",
            Self::CommerceEvents => "COMMERCE_EVENTS_QUEUE_URL",
            Self::Sends => "SENDS_QUEUE_URL",
            Self::BulkSends => "BULK_SENDS_QUEUE_URL",
            Self::Drips => "DRIPS_QUEUE_URL",
            Self::Media => "MEDIA_QUEUE_URL",
            Self::Pushes => "PUSHES_QUEUE_URL",
            Self::WebhookDeliveries => "WEBHOOK_DELIVERIES_QUEUE_URL",
            Self::Mails => "MAILS_QUEUE_URL",
        }
    }
}
