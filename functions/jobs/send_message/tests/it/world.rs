//! A business, a customer who called, and the function under test.

use domain::calls::MessageRef;
use domain::campaigns::Campaign;
use domain::messages::{AttemptState, Cause, CauseStep, Message, MessageState, OptFlag, StatusReport};
use domain::people::Contact;
use domain::tenants::{Account, Connection, SecretPurpose, SendSecrets, whatsapp};
use domain::terms::{CampaignState, Category, Channel, ConnectionId, Narrowing, Policy, Purpose};
use jobs::SendMessage;
use kit::{Done, Job, JobError, QueueName};
use send_message::{Context, handle};
use serde_json::json;
use store::messages::Reference;
use store::tenants::Configured;
use testkit::business::phone;
use testkit::{Lossy, Provider, Reply};

pub(crate) struct World {
    pub(crate) provider: Provider,
    world: testkit::World<Context>,
}

testkit::extends_world!(World.world: Context);

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Configured)) -> Self {
        let provider = Provider::start();
        let world = testkit::World::with_env(|aws| provider.env(aws), Context::new, change).await;
        Self { provider, world }
    }

    /// A world whose rule sends by these channels.
    pub(crate) async fn by(channels: &[Channel]) -> Self {
        Self::with(|configured| configured.rules[0].then.channels = channels.to_vec().into()).await
    }

    /// A world whose WhatsApp number is this one, at Twilio.
    pub(crate) async fn at_twilio(number: &str) -> Self {
        Self::with(|configured| {
            let connections = &mut configured.connections;
            for connection in &mut *connections {
                if let Account::Twilio(twilio) = &mut connection.account {
                    twilio.whatsapp_sender = Some(phone(number));
                }
            }
            connections.retain(|connection| !matches!(connection.account, Account::WhatsApp(_)));
        })
        .await
    }

    /// Makes a message that of a drip's step.
    pub(crate) async fn as_step(&self, mut message: Message) -> Message {
        let (now, contact) = (self.aws.now(), message.id.contact());
        let (store, scope) = (self.aws.store(), self.business.scope());
        let drip: Campaign = self.create_owned(json!({"type": "drip", "name": "Welcome"})).await;
        let mut found = store.get::<Campaign>(scope, &drip.id).await.unwrap().unwrap();
        for state in [CampaignState::Scheduled, CampaignState::Running] {
            found.value = found.value.with_state(state, None, now).unwrap();
            found.version = store.move_campaign(scope, found.version, &found.value).await.unwrap();
        }
        message.cause = Cause::Campaign {
            campaign: drip.id,
            contact,
            step: Some(CauseStep { place: 0, at: now }),
        };
        self.write(&message).await;
        message
    }

    /// The job in the queue for the message's next attempt.
    pub(crate) fn job(&self, message: &Message) -> Job<SendMessage> {
        Job::new(SendMessage::next_of(self.business.tenant(), message), 1)
    }

    /// The job that the function itself queues for the message's next attempt.
    pub(crate) fn next_attempt_job(&self, message: &Message) -> SendMessage {
        SendMessage {
            rounds: 1,
            ..self.job(message).body
        }
    }

    /// A planned follow-up in the lane of broadcasts.
    pub(crate) async fn bulk_follow_up(&self) -> Message {
        self.in_bulk(self.follow_up().await).await
    }

    /// Moves a planned message to the lane of broadcasts.
    pub(crate) async fn in_bulk(&self, mut message: Message) -> Message {
        let by = Narrowing {
            bulk: true,
            ..Narrowing::default()
        };
        message.policy = Policy::for_purpose(Purpose::FollowUp, Category::Utility, &by).expect("a policy");
        self.write(&message).await;
        message.version += 1;
        message
    }

    /// Processes the message in its current state, by one job from the queue.
    pub(crate) async fn work(&self, message: &Message) -> Result<Done, JobError> {
        let now = self.message(message).await;
        Box::pin(handle(self.job(&now), &self.ctx)).await
    }

    /// Processes it and returns its new state.
    pub(crate) async fn work_and_read(&self, message: &Message) -> Message {
        self.work(message).await.expect("the job is done");
        self.message(message).await
    }

    /// Processes these jobs concurrently, alternating between two processes.
    pub(crate) async fn work_at_once(&self, copies: impl IntoIterator<Item = Job<SendMessage>>) {
        work_at_once([&self.ctx, &self.another_process()], copies).await;
    }

    /// Another process of the function, and its access to AWS.
    pub(crate) fn lossy(&self) -> (Lossy, Context) {
        let lossy = Lossy::before(&self.aws);
        let ctx = self.process_with(&[("AWS_ENDPOINT_URL", lossy.url())]);
        (lossy, ctx)
    }

    /// Another process of the function, with these variables changed.
    pub(crate) fn process_with(&self, changes: &[(&str, &str)]) -> Context {
        let env = self.provider.env_with(&self.aws, changes);
        Context::new(&env).expect("a context")
    }

    /// Processes the message, which is not sent. Between its check and its claim, `meanwhile` happens.
    pub(crate) fn work_interrupted_by(
        &self,
        message: &Message,
        meanwhile: impl AsyncFnOnce() + Send + 'static,
    ) -> impl Future<Output = ()> {
        let (lossy, ctx) = self.lossy();
        // The check is done by then; the credentials are opened before the claim.
        lossy.happens_before("Decrypt", meanwhile);
        let job = self.job(message);
        async move {
            handle_job(job, &ctx).await;
            assert!(lossy.has_lost_all());
            assert!(self.provider.sends().is_empty());
        }
    }

    /// Works on a message, and lets the customer write a stop word meanwhile.
    pub(crate) async fn work_interrupted_by_stop(&self, message: &Message) {
        let (store, scope) = (self.aws.store(), self.business.scope().clone());
        let mut contact = self.contact(message).await;
        contact.wish(OptFlag::Stop, "wrote STOP", self.aws.now());
        let stop = async move || {
            let written = store.write_contact(&scope, &contact.into(), None).await;
            written.expect("the contact is written");
        };
        self.work_interrupted_by(message, stop).await;
    }

    /// Processes the message in this process. While its request is at the provider, `meanwhile` happens; then the provider
    /// replies.
    pub(crate) fn work_while<T>(
        &self,
        ctx: &Context,
        message: &Message,
        meanwhile: impl Future<Output = T>,
        reply: Reply,
    ) -> impl Future<Output = T> {
        self.provider.reply(Reply::Held);
        let job = self.job(message);
        // On the heap, since `meanwhile` is often large.
        Box::pin(async move {
            let meanwhile = async {
                self.provider.wait_for_request().await;
                let happened = meanwhile.await;
                self.provider.release_with(reply);
                happened
            };
            let (done, happened) = tokio::join!(handle(job, ctx), meanwhile);
            done.expect("the job is done");
            happened
        })
    }

    /// Assigns the provider's id to this message.
    pub(crate) async fn keep_reference(&self, message: &Message, api: &str, provider_ref: &str) {
        let reference = Reference {
            attempt: 1,
            api,
            provider_ref: &provider_ref.parse().expect("a reference"),
            parked: None,
        };
        let store = self.aws.store();
        let kept = store.record_message(self.business.scope(), message, &reference, self.aws.now());
        // The message itself has changed: only the reference is written.
        drop(kept.await);
        assert!(matches!(
            self.row_of_reference(api, provider_ref).await,
            Some(MessageRef::Ours { .. })
        ));
    }

    /// The row under a provider's id.
    pub(crate) async fn row_of_reference(&self, api: &str, provider_ref: &str) -> Option<MessageRef> {
        let (store, now) = (self.aws.store(), self.aws.now());
        let provider_ref = provider_ref.parse().expect("a reference");
        let found = store.message_ref(self.business.scope(), api, &provider_ref, now).await;
        found.expect("the table answers").map(|(found, _)| found)
    }

    pub(crate) async fn connection(&self, id: ConnectionId) -> Connection {
        let found = self.aws.store().connection(self.business.scope(), id).await;
        found.expect("the table answers").expect("the connection is there")
    }

    /// The tenant changes a connection.
    pub(crate) async fn change_connection(&self, id: ConnectionId, change: impl FnOnce(&mut Connection)) {
        let mut configured = self.business.configured.clone();
        let mut connections = configured.connections.iter_mut();
        let connection = connections.find(|connection| connection.id == id);
        change(connection.expect("the connection"));
        let written = self.aws.store().write_config(self.business.scope(), &configured).await;
        written.expect("the connection is written");
    }

    /// The tenant gives its WhatsApp connection the token `renewed`.
    pub(crate) async fn renew_whatsapp(&self) {
        let (tenant, whatsapp) = (self.business.tenant(), self.business.whatsapp);
        let renewed = SendSecrets::WhatsApp(whatsapp::Send {
            access_token: "renewed".to_owned(),
        });
        let sealed = self
            .aws
            .secrets()
            .seal(tenant, whatsapp, SecretPurpose::Send, &renewed)
            .await;
        self.change_connection(whatsapp, |connection| {
            connection.send = Some(sealed.expect("secrets are sealed"));
            connection.credentials_version += 1;
        })
        .await;
    }

    pub(crate) async fn contact(&self, message: &Message) -> Contact {
        let (store, scope) = (self.aws.store(), self.business.scope());
        let found = store.contact(scope, message.id.contact()).await;
        found.expect("the table answers").expect("the contact is there")
    }

    pub(crate) async fn change_contact(&self, message: &Message, change: impl FnOnce(&mut Contact)) {
        let mut contact = self.contact(message).await;
        change(&mut contact);
        let (store, scope) = (self.aws.store(), self.business.scope());
        let written = store.write_contact(scope, &contact.into(), None).await;
        written.expect("the contact is written");
    }

    /// Applies a provider's report, by its own id or our key, as `process_provider_event` does.
    pub(crate) async fn apply_report(&self, message: &Message, state: AttemptState, provider_ref: &str) {
        let mut message = self.message(message).await;
        let number = message.last().expect("an attempt").number;
        let timers = self.aws.env().config().timers().expect("timers");
        let report = self.report(state, provider_ref);
        assert!(message.apply(number, report, self.aws.now(), &timers));
        self.write(&message).await;
    }

    pub(crate) fn report(&self, state: AttemptState, provider_ref: &str) -> StatusReport {
        StatusReport {
            state,
            at: self.aws.now(),
            provider_ref: provider_ref.parse().expect("a reference"),
            error: None,
            cost: None,
        }
    }

    /// Jobs in the queue, including delayed ones.
    pub(crate) async fn copies(&self) -> u64 {
        self.aws.depth(QueueName::Sends).await
    }
}

/// Processes a job in this process.
pub(crate) async fn handle_job(job: Job<SendMessage>, ctx: &Context) -> Done {
    Box::pin(handle(job, ctx)).await.expect("the job is done")
}

/// Processes these jobs concurrently, alternating between these processes.
pub(crate) async fn work_at_once(processes: [&Context; 2], copies: impl IntoIterator<Item = Job<SendMessage>>) {
    let works = copies.into_iter().zip(processes.into_iter().cycle());
    let works = works.map(|(job, ctx)| Box::pin(handle(job, ctx)));
    for done in futures::future::join_all(works).await {
        done.expect("the job is done");
    }
}

/// Fails unless the states of the message's attempts, numbered from 1, are these.
#[track_caller]
pub(crate) fn has_attempts(message: &Message, states: &[AttemptState]) {
    let expected: Vec<_> = (1_u32..).zip(states.iter().copied()).collect();
    assert_eq!(attempts(message), expected, "{message:#?}");
}

/// The states of its attempts, such as `1:accepted`.
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
