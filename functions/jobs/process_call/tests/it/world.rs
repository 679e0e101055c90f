//! A business, and the function.

use domain::{
    call::{CallFacts, CallProvider},
    contact::{Contact, Identity},
    message::Message,
    record::{Call, CallProgress, Entry},
};
use jobs::{CallJob, SendMessage};
use kit::{Done, Job, QueueName};
use process_call::{Context, handle};
use store::config::Configured;
use testkit::{
    Aws, Seeded,
    business::{CUSTOMER, business_with, phone},
};

pub(crate) struct World {
    pub(crate) aws: Aws,
    pub(crate) business: Seeded,
    pub(crate) ctx: Context,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Configured)) -> Self {
        let aws = Aws::new().await;
        let business = Box::pin(business_with(&aws, change)).await;
        let ctx = Context::new(aws.env()).expect("a context");
        Self { aws, business, ctx }
    }

    /// Another process of the function.
    pub(crate) fn another(&self) -> Context {
        Context::new(self.aws.env()).expect("a context")
    }

    pub(crate) async fn work(&self, job: CallJob) -> Done {
        self.received(job, 1).await
    }

    /// The queue hands the job out for the n-th time.
    pub(crate) async fn received(&self, job: CallJob, count: u32) -> Done {
        let done = Box::pin(handle(Job::new(job, count), &self.ctx)).await;
        done.expect("the job is done")
    }

    /// Twilio reports something of the call `CA1`.
    pub(crate) async fn twilio(&self, facts: CallFacts) -> Done {
        self.work(self.business.twilio_report(&self.aws, "CA1", facts)).await
    }

    /// The business's telephone system reports a call.
    pub(crate) async fn telephony(&self, call: &str, facts: CallFacts) -> Done {
        self.work(self.business.telephony_report(&self.aws, call, facts)).await
    }

    /// Somebody looks whether the call `CA1` can be decided.
    pub(crate) fn decide(&self) -> CallJob {
        CallJob::Decide {
            tenant: self.business.tenant(),
            correlation_id: "cor-CA1".to_owned(),
            connection: self.business.twilio,
            provider: CallProvider::Twilio,
            provider_call_id: "CA1".to_owned(),
        }
    }

    pub(crate) async fn progress(&self) -> Option<CallProgress> {
        let (store, business) = (self.aws.store(), &self.business);
        let progress = store.call_progress(
            business.scope(),
            CallProvider::Twilio,
            business.twilio,
            "CA1",
            self.aws.now(),
        );
        progress.await.expect("the table answers")
    }

    pub(crate) async fn contact_of(&self, identity: &Identity) -> Option<Contact> {
        let (store, scope) = (self.aws.store(), self.business.scope());
        store.contact_of(scope, identity).await.expect("the table answers")
    }

    pub(crate) async fn customer(&self) -> Contact {
        let found = self.contact_of(&Identity::Phone(phone(CUSTOMER))).await;
        found.expect("the customer is known")
    }

    /// All calls and messages of somebody.
    pub(crate) async fn history_of(&self, identity: &Identity) -> (Vec<Call>, Vec<Message>) {
        let Some(contact) = self.contact_of(identity).await else {
            return (vec![], vec![]);
        };
        let (store, scope) = (self.aws.store(), self.business.scope());
        let entries = store.history(scope, contact.id, 100).await.expect("the table answers");
        let (mut calls, mut messages) = (vec![], vec![]);
        for entry in entries.into_iter().rev() {
            match entry {
                Entry::Call(call) => calls.push(call),
                Entry::Sent(message) => messages.push(message),
                Entry::Received(_) | Entry::Consent(_) => {}
            }
        }
        (calls, messages)
    }

    pub(crate) async fn history(&self) -> (Vec<Call>, Vec<Message>) {
        self.history_of(&Identity::Phone(phone(CUSTOMER))).await
    }

    /// The customer's only call.
    pub(crate) async fn call(&self) -> Call {
        let (mut calls, _) = self.history().await;
        assert_eq!(calls.len(), 1, "{calls:#?}");
        calls.remove(0)
    }

    /// Looks at waiting calls that the queue holds, for now or later.
    pub(crate) async fn looks(&self) -> u64 {
        self.aws.depth(QueueName::Calls).await
    }

    pub(crate) async fn queued(&self) -> Vec<SendMessage> {
        self.aws.take_jobs(QueueName::Sends).await
    }
}
