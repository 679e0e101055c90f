//! A business, and the function under test.

use domain::calls::{Call, CallProgress, Entry};
use domain::messages::{Message, SendOutcome};
use domain::people::{Contact, Identity};
use domain::telephony::{CallFacts, CallProvider, CallStatus, DialStatus, Direction, Handling, Outcome, Party};
use jobs::CallJob;
use kit::{Done, Job, QueueName};
use process_call::{Context, handle};
use store::table::due::Partition;
use store::tenants::Configured;
use testkit::Aws;
use testkit::business::{CUSTOMER, LINE, from_to, phone};

pub(crate) struct World(testkit::World<Context>);

testkit::extends_world!(World.0: Context);

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Configured)) -> Self {
        Self(testkit::World::with(Context::new, change).await)
    }

    /// A world with this public URL, or without one if it is empty.
    pub(crate) async fn at(base: &str, change: impl FnOnce(&mut Configured)) -> Self {
        let env = |aws: &Aws| aws.env_with(&[("PUBLIC_BASE_URL", base)]);
        Self(testkit::World::with_env(env, Context::new, change).await)
    }

    /// A world after the call `CA1`, which was decided while nobody knew how it ended.
    pub(crate) async fn after_unknown_outcome() -> Self {
        let world = Self::new().await;
        world.twilio(completed_call()).await;
        world.aws.pass(60);
        world.work(world.decide()).await;
        world
    }

    pub(crate) async fn work(&self, job: CallJob) -> Done {
        self.receive_job(job, 1).await
    }

    /// The queue delivers the job for the n-th time.
    pub(crate) async fn receive_job(&self, job: CallJob, count: u32) -> Done {
        let done = Box::pin(handle(Job::new(job, count), &self.ctx)).await;
        done.expect("the job is done")
    }

    /// Processes these jobs concurrently, alternating between two processes.
    pub(crate) async fn work_at_once(&self, jobs: impl IntoIterator<Item = CallJob>) {
        let other = self.another_process();
        let processes = [&self.ctx, &other].into_iter().cycle();
        let works = jobs.into_iter().zip(processes);
        let works = works.map(|(job, ctx)| Box::pin(handle(Job::new(job, 1), ctx)));
        for done in futures::future::join_all(works).await {
            done.expect("the job is done");
        }
    }

    /// A report of Twilio's on the call `CA1`.
    pub(crate) async fn twilio(&self, facts: CallFacts) -> Done {
        self.work(self.business.twilio_report(&self.aws, "CA1", facts)).await
    }

    /// A report of the business's telephone system on a call.
    pub(crate) async fn telephony(&self, call: &str, facts: CallFacts) -> Done {
        self.work(self.business.telephony_report(&self.aws, call, facts)).await
    }

    /// A job to decide the call `CA1`.
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
        let (scope, now) = (business.scope(), self.aws.now());
        let begun = store.begun_call(scope, CallProvider::Twilio, business.twilio, "CA1", None, now);
        begun.await.expect("the table answers").own
    }

    /// All calls and messages of this person.
    pub(crate) async fn history_of(&self, identity: &Identity) -> (Vec<Call>, Vec<Message>) {
        let Some(contact) = self.contact_of(identity).await else {
            return (vec![], vec![]);
        };
        let (mut calls, mut messages) = (vec![], vec![]);
        for entry in self.entries(contact.id).await {
            match entry {
                Entry::Call(call) => calls.push(*call),
                Entry::Sent(message) => messages.push(*message),
                Entry::Received(_) | Entry::Consent(_) | Entry::Record(_) => {}
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

    /// Number of rows that are due now.
    pub(crate) async fn count_due(&self) -> usize {
        let (store, mut count) = (self.aws.store(), 0);
        for partition in Partition::all() {
            let page = store.due_page(partition, self.aws.now(), None, 10).await;
            count += page.expect("the index answers").due.len();
        }
        count
    }

    /// The first channel of a message that waits accepts it.
    pub(crate) async fn accept_message(&self, message: Message) {
        let mut message = self.claim_next_leg(message).await;
        let timers = self.aws.env().config().timers().expect("timers");
        let accepted = SendOutcome::Accepted {
            provider_ref: "wamid.1".parse().expect("a reference"),
            segments: None,
        };
        message.record(1, accepted, self.aws.now(), &timers);
        self.write(&message).await;
    }

    pub(crate) async fn write_contact(&self, contact: Contact) {
        let (store, scope) = (self.aws.store(), self.business.scope());
        let written = store.write_contact(scope, &contact.into(), None).await;
        written.expect("nobody else writes the contact");
    }

    /// Jobs in the queue for waiting calls, due now or later.
    pub(crate) async fn looks(&self) -> u64 {
        self.aws.depth(QueueName::Calls).await
    }
}

/// The end of the customer's call.
pub(crate) fn completed_call() -> CallFacts {
    CallFacts {
        status: Some(CallStatus::Completed),
        call_seconds: Some(30),
        ..from_to(CUSTOMER)
    }
}

/// The result of forwarding the customer's call.
pub(crate) fn dialled_call(dial: DialStatus) -> CallFacts {
    CallFacts {
        status: Some(CallStatus::InProgress),
        dial: Some(dial),
        handling: Some(Handling::Forward),
        ..from_to(CUSTOMER)
    }
}

/// The business calls the customer.
pub(crate) fn called_back(outcome: Outcome) -> CallFacts {
    CallFacts {
        direction: Some(Direction::Outbound),
        from: Some(Party::Phone(phone(LINE))),
        to: Some(Party::Phone(phone(CUSTOMER))),
        stated: Some(outcome),
        ..CallFacts::default()
    }
}
