//! A business, a customer who called, and the function.

use domain::{
    connection::Connection,
    ids::ConnectionId,
    message::{AttemptState, Message, MessageState, StatusReport},
    record::MessageRef,
};
use jobs::SendMessage;
use kit::{Done, Job, JobError, QueueName};
use send_message::{Context, handle};
use store::{config::Configured, contacts::ContactWrite};
use testkit::{
    Aws, Provider, Seeded,
    business::{CUSTOMER, business_with},
};

pub(crate) struct World {
    pub(crate) aws: Aws,
    pub(crate) provider: Provider,
    pub(crate) business: Seeded,
    pub(crate) ctx: Context,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Configured)) -> Self {
        let aws = Aws::new().await;
        let provider = Provider::start();
        let business = Box::pin(business_with(&aws, change)).await;
        let ctx = Context::new(&provider.env(&aws)).expect("a context");
        Self {
            aws,
            provider,
            business,
            ctx,
        }
    }

    /// Another process of the function.
    pub(crate) fn another(&self) -> Context {
        Context::new(&self.provider.env(&self.aws)).expect("a context")
    }

    pub(crate) async fn follow_up(&self) -> Message {
        Box::pin(self.business.follow_up(&self.aws, CUSTOMER)).await
    }

    /// The copy that the queue holds for the message's next attempt.
    pub(crate) fn job(&self, message: &Message) -> Job<SendMessage> {
        let job = SendMessage {
            tenant: self.business.tenant(),
            correlation_id: message.correlation_id.clone(),
            message: message.id,
            attempt: message.next_number(),
        };
        Job::new(job, 1)
    }

    /// Works the message as it is now, by one copy from the queue.
    pub(crate) async fn work(&self, message: &Message) -> Result<Done, JobError> {
        let now = self.message(message).await;
        Box::pin(handle(self.job(&now), &self.ctx)).await
    }

    /// Works it and says what became of it.
    pub(crate) async fn worked(&self, message: &Message) -> Message {
        self.work(message).await.expect("the job is done");
        self.message(message).await
    }

    pub(crate) async fn message(&self, message: &Message) -> Message {
        let found = self.aws.store().message(self.business.scope(), message.id).await;
        found.expect("the table answers").expect("the message is there")
    }

    /// What is kept under a provider's id.
    pub(crate) async fn found(&self, api: &str, provider_ref: &str) -> Option<MessageRef> {
        let (store, now) = (self.aws.store(), self.aws.now());
        let found = store.message_ref(self.business.scope(), api, provider_ref, now).await;
        found.expect("the table answers").map(|(found, _)| found)
    }

    pub(crate) async fn connection(&self, id: ConnectionId) -> Connection {
        let found = self.aws.store().connection(self.business.scope(), id).await;
        found.expect("the table answers").expect("the connection is there")
    }

    pub(crate) async fn contact(&self, message: &Message) -> domain::contact::Contact {
        let found = self
            .aws
            .store()
            .contact(self.business.scope(), message.id.contact())
            .await;
        found.expect("the table answers").expect("the contact is there")
    }

    pub(crate) async fn change_contact(&self, message: &Message, change: impl FnOnce(&mut domain::contact::Contact)) {
        let mut contact = self.contact(message).await;
        change(&mut contact);
        let write = ContactWrite {
            contact,
            new_identities: vec![],
        };
        let store = self.aws.store();
        let written = store.write_contact(self.business.scope(), &write, None).await;
        written.expect("the contact is written");
    }

    /// What the provider reports, by its own id or our key, as `process_provider_event` writes it.
    pub(crate) async fn reported(&self, message: &Message, state: AttemptState, provider_ref: &str) {
        let mut message = self.message(message).await;
        let number = message.last().expect("an attempt").number;
        let timers = self.aws.env().config().timers().expect("timers");
        let report = self.report(state, provider_ref);
        assert!(message.apply(number, report, self.aws.now(), &timers));
        let written = self.aws.store().write_message(self.business.scope(), &message).await;
        written.expect("the report is written");
    }

    pub(crate) fn report(&self, state: AttemptState, provider_ref: &str) -> StatusReport {
        StatusReport {
            state,
            at: self.aws.now(),
            provider_ref: provider_ref.to_owned(),
            error: None,
            cost: None,
        }
    }

    /// Copies in the queue, those held back included.
    pub(crate) async fn queued(&self) -> u64 {
        self.aws.depth(QueueName::Sends).await
    }
}

/// How its channels went, such as `1:accepted`.
pub(crate) fn attempts(message: &Message) -> Vec<(u32, AttemptState)> {
    message
        .attempts
        .iter()
        .map(|attempt| (attempt.number, attempt.state))
        .collect()
}

pub(crate) fn is(message: &Message, state: MessageState) {
    assert_eq!(message.state(), state, "{message:#?}");
}
