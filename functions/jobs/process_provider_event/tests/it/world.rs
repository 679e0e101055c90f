//! A business, a customer who was sent a message, and the function under test.

use domain::Timestamp;
use domain::calls::{Entry, Received};
use domain::messages::{AttemptState, Message, SendOutcome};
use domain::people::{ConsentEntry, Contact};
use domain::templates::TemplateDefinition;
use domain::terms::Operation;
use jobs::{EventSource, Payload, ProviderEvent};
use kit::{Done, Job, JobError};
use process_provider_event::{Context, handle};
use serde_json::{Value, json};
use store::Versioned;
use store::messages::Reference;
use store::tenants::Configured;
use testkit::business::CUSTOMER;

/// An id of WhatsApp's for the customer.
pub(crate) const BSUID: &str = "AE.13491208655302741918";

pub(crate) struct World(testkit::World<Context>);

testkit::extends_world!(World.0: Context);

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Configured)) -> Self {
        Self(testkit::World::with(Context::new, change).await)
    }

    /// A follow-up that its first channel accepted as `wamid.1`.
    pub(crate) async fn sent_follow_up(&self) -> Message {
        let message = self.follow_up().await;
        let message = self.claim_next_leg(message).await;
        self.record_acceptance(message, "whatsapp", "wamid.1").await
    }

    /// A follow-up that both channels accepted, as `wamid.1` and two minutes later as `SM1`.
    pub(crate) async fn sent_by_both(&self) -> Message {
        let message = self.sent_follow_up().await;
        self.aws.pass(120);
        let message = self.claim_next_leg(self.message(&message).await).await;
        self.record_acceptance(message, "twilio", "SM1").await
    }

    /// The provider accepts the message.
    pub(crate) async fn record_acceptance(&self, mut message: Message, api: &str, provider_ref: &str) -> Message {
        let timers = self.aws.env().config().timers().expect("timers");
        let attempt = message.last().expect("an attempt").number;
        let taken = SendOutcome::Accepted {
            provider_ref: provider_ref.parse().expect("a reference"),
            segments: None,
        };
        message.record(attempt, taken, self.aws.now(), &timers);
        let reference = Reference {
            attempt,
            api,
            provider_ref: &provider_ref.parse().expect("a reference"),
            parked: None,
        };
        let (store, scope) = (self.aws.store(), self.business.scope());
        let recorded = store.record_message(scope, &message, &reference, self.aws.now()).await;
        recorded.expect("the record is written");
        message.version += 1;
        message
    }

    pub(crate) async fn work(&self, event: ProviderEvent) -> Done {
        self.receive_event(event, 1).await.expect("the event is worked")
    }

    pub(crate) async fn receive_event(&self, event: ProviderEvent, count: u32) -> Result<Done, JobError> {
        Box::pin(handle(Job::new(event, count), &self.ctx)).await
    }

    /// Processes these events concurrently, alternating between two processes.
    pub(crate) async fn work_at_once(&self, events: impl IntoIterator<Item = ProviderEvent>) {
        let other = self.another_process();
        let processes = [&self.ctx, &other].into_iter().cycle();
        let works = events.into_iter().zip(processes);
        let works = works.map(|(event, ctx)| Box::pin(handle(Job::new(event, 1), ctx)));
        for done in futures::future::join_all(works).await {
            done.expect("the event is worked");
        }
    }

    /// The time in whole seconds, as WhatsApp says it.
    pub(crate) fn seconds(&self) -> i64 {
        self.aws.now().as_second()
    }

    /// A WhatsApp event of this field.
    pub(crate) fn whatsapp_event(&self, field: &str, value: &Value) -> ProviderEvent {
        self.business.whatsapp_event(&self.aws, field, value)
    }

    /// A WhatsApp event of the field `messages`.
    pub(crate) fn messages(&self, value: &Value) -> ProviderEvent {
        self.whatsapp_event("messages", value)
    }

    /// Processes such an event.
    pub(crate) async fn deliver(&self, value: &Value) -> Done {
        self.work(self.messages(value)).await
    }

    pub(crate) async fn statuses(&self, statuses: &[Value]) -> Done {
        self.deliver(&json!({"statuses": statuses})).await
    }

    /// The customer's text by WhatsApp, written now.
    pub(crate) fn says(&self, id: &str, text: &str) -> ProviderEvent {
        self.messages(&wrote(id, self.seconds(), text))
    }

    /// The customer writes by WhatsApp.
    pub(crate) async fn whatsapp(&self, id: &str, text: &str) -> Done {
        self.work(self.says(id, text)).await
    }

    /// The report that somebody with an id of WhatsApp's has another id and number now.
    pub(crate) fn changed_number(&self, old: &str, new: &str, number: &str) -> Value {
        json!({"messages": [{
            "id": "wamid.sys", "timestamp": self.seconds().to_string(), "type": "system",
            "system": {"type": "user_changed_number", "previous_user_id": old, "user_id": new, "wa_id": number},
        }]})
    }

    /// A customer writes an SMS.
    pub(crate) fn sms(&self, sid: &str, text: &str, more: &str) -> ProviderEvent {
        let from = CUSTOMER.replace('+', "%2B");
        self.twilio_inbound(format!(
            "MessageSid={sid}&From={from}&To=%2B15005550006&Body={text}{more}"
        ))
    }

    /// A message through Twilio.
    pub(crate) fn twilio_inbound(&self, form: String) -> ProviderEvent {
        let (business, source) = (&self.business, EventSource::TwilioInbound);
        business.event(&self.aws, business.twilio, source, form)
    }

    /// A report of Twilio's on a message of ours.
    pub(crate) fn twilio_status(&self, key: Option<String>, sid: &str, status: &str, more: &str) -> ProviderEvent {
        let to = CUSTOMER.replace('+', "%2B");
        let form = format!("MessageSid={sid}&MessageStatus={status}&To={to}{more}");
        self.business
            .event(&self.aws, self.business.twilio, EventSource::TwilioStatus { key }, form)
    }

    /// The contact's messages and consent entries, oldest first.
    pub(crate) async fn told_by(&self, contact: &Contact) -> (Vec<Received>, Vec<ConsentEntry>) {
        let (mut received, mut consent) = (vec![], vec![]);
        for entry in self.entries(contact.id).await {
            match entry {
                Entry::Received(message) => received.push(*message),
                Entry::Consent(entry) => consent.push(entry),
                Entry::Call(_) | Entry::Sent(_) | Entry::Record(_) => {}
            }
        }
        (received, consent)
    }

    pub(crate) async fn told_by_customer(&self) -> (Vec<Received>, Vec<ConsentEntry>) {
        self.told_by(&self.customer().await).await
    }

    /// A contact with this number and this id of WhatsApp's.
    pub(crate) async fn contact_with_id(&self, number: &str, bsuid: &str) -> Contact {
        let set = |contact: &mut Contact| contact.bsuids = vec![bsuid.to_owned()];
        self.business.contact_with(&self.aws, number, set).await
    }

    pub(crate) async fn write_contact(&self, contact: Contact) {
        let (store, scope) = (self.aws.store(), self.business.scope());
        let written = store.write_contact(scope, &contact.into(), None).await;
        written.expect("nobody else writes the contact");
    }

    pub(crate) async fn listed_operations(&self) -> Vec<Versioned<Operation>> {
        let (store, scope) = (self.aws.store(), self.business.scope());
        let page = store.operations(scope, None, 10, self.aws.now()).await;
        page.expect("the table answers").items
    }

    /// An event with another time of the provider's: this many seconds after a fixed start in the past.
    pub(crate) fn at(&self, mut event: ProviderEvent, seconds: i64) -> ProviderEvent {
        if let Payload::Inline(body) = &mut event.payload {
            let mut change: Value = serde_json::from_str(body).expect("a change");
            let at = Timestamp::from_second(self.aws.now().as_second() - 1000 + seconds);
            change["time"] = at.expect("a time").to_string().into();
            *body = change.to_string();
        }
        event
    }

    /// The first of the business's templates.
    pub(crate) async fn template(&self) -> TemplateDefinition {
        let page = self.aws.store().page(self.business.scope(), None, 1).await;
        let mut templates = page.expect("the templates").items;
        templates.remove(0).value
    }

    pub(crate) async fn configured_whatsapp(&self) -> domain::tenants::Connection {
        let (store, scope) = (self.aws.store(), self.business.scope());
        let found = store.connection(scope, self.business.whatsapp).await;
        found.expect("the table answers").expect("the connection is there")
    }
}

/// A number in WhatsApp's form.
pub(crate) fn digits(number: &str) -> &str {
    number.trim_start_matches('+')
}

/// A customer's text in the form of WhatsApp's `value`.
pub(crate) fn wrote(id: &str, at: i64, text: &str) -> Value {
    let digits = digits(CUSTOMER);
    json!({
        "contacts": [{"wa_id": digits, "profile": {"name": "Layla Haddad"}}],
        "messages": [{"id": id, "from": digits, "timestamp": at.to_string(), "type": "text", "text": {"body": text}}],
    })
}

/// A text from a person whose WhatsApp id alone is known.
pub(crate) fn by_id(id: &str, bsuid: &str, at: i64, text: &str) -> Value {
    json!({
        "contacts": [{"user_id": bsuid, "profile": {"name": "Layla"}}],
        "messages": [{"id": id, "from_user_id": bsuid, "timestamp": at.to_string(),
                      "type": "text", "text": {"body": text}}],
    })
}

/// A report of WhatsApp's on `wamid.1`.
pub(crate) fn status(word: &str, at: i64) -> Value {
    json!({
        "id": "wamid.1", "status": word, "timestamp": at.to_string(),
        "recipient_id": digits(CUSTOMER),
    })
}

/// Adds our key to a report.
pub(crate) fn with_send_key(mut status: Value, message: &Message, attempt: u32) -> Value {
    let key = domain::terms::SendKey {
        message: message.id,
        attempt,
    };
    status["biz_opaque_callback_data"] = key.to_string().into();
    status
}

/// Adds the recipient's WhatsApp id to a report.
pub(crate) fn with_user_id(mut status: Value) -> Value {
    status["recipient_user_id"] = BSUID.into();
    status
}

/// A failure with WhatsApp's code.
pub(crate) fn failed_status(code: i64, at: i64) -> Value {
    let mut status = status("failed", at);
    status["errors"] = json!([{"code": code, "title": "no"}]);
    status
}

pub(crate) fn states(message: &Message) -> Vec<AttemptState> {
    message.attempts.iter().map(|attempt| attempt.state).collect()
}
