//! A business, and a process of the function under test.

use domain::calls::{Entry, Received};
use domain::media::InboundMedia;
use domain::messages::{Message, OptFlag};
use domain::people::{Contact, Identity, Person, Profile};
use domain::tenants::Tenant;
use domain::terms::{ConnectionId, ContactId, MessageId, Resource, ShownName};
use jobs::{SendMessage, StartOperation};
use kit::{ConfigError, Env, QueueName};
use serde_json::Value;
use store::contacts::Brought;
use store::tenants::Configured;
use store::{Owned, Store, TenantScope};

use crate::business::{CUSTOMER, business_with, phone};
use crate::{Aws, Operations, Seeded};

/// A test's AWS with a business in it, and a process of the function under test.
pub struct World<C> {
    pub aws: Aws,
    pub business: Seeded,
    pub ctx: C,
    pub operations: Operations,
    env: Env,
    build: fn(&Env) -> Result<C, ConfigError>,
}

impl<C> World<C> {
    /// A business as [`crate::business::business`] seeds it; `build` starts the function.
    pub async fn new(build: fn(&Env) -> Result<C, ConfigError>) -> Self {
        Self::with(build, |_| {}).await
    }

    /// A business as [`crate::business::business`] seeds it, changed before it is written; `build` starts the function.
    pub async fn with(build: fn(&Env) -> Result<C, ConfigError>, change: impl FnOnce(&mut Configured)) -> Self {
        Self::with_env(|aws| aws.env().clone(), build, change).await
    }

    /// A business as [`World::with`] builds it, with this environment for the function.
    pub async fn with_env(
        env: impl FnOnce(&Aws) -> Env,
        build: fn(&Env) -> Result<C, ConfigError>,
        change: impl FnOnce(&mut Configured),
    ) -> Self {
        let aws = Aws::new().await;
        let business = Box::pin(business_with(&aws, change)).await;
        let env = env(&aws);
        let ctx = build(&env).expect("a context");
        Self {
            operations: Operations::of(&aws, business.scope()),
            aws,
            business,
            ctx,
            env,
            build,
        }
    }

    /// As [`World::new`], in a deployment with this public URL.
    pub async fn at(base: &str, build: fn(&Env) -> Result<C, ConfigError>) -> Self {
        Self::with_env(|aws| aws.env_with(&[("PUBLIC_BASE_URL", base)]), build, |_| {}).await
    }

    /// Another process of the function.
    pub fn another_process(&self) -> C {
        (self.build)(&self.env).expect("a context")
    }

    /// A follow-up for the customer that is ready to be sent.
    pub async fn follow_up(&self) -> Message {
        Box::pin(self.business.follow_up(&self.aws, CUSTOMER)).await
    }

    pub async fn write(&self, message: &Message) {
        let written = self.aws.store().write_message(self.business.scope(), message).await;
        written.expect("the message is written");
    }

    /// Claims the message's next channel, as a worker does before it sends.
    pub async fn claim_next_leg(&self, mut message: Message) -> Message {
        let leg = u8::try_from(message.attempts.len()).expect("few channels");
        let timers = self.aws.env().config().timers().expect("timers");
        message.claim(leg, "claim".to_owned(), self.aws.now(), &timers);
        self.write(&message).await;
        message.version += 1;
        message
    }

    /// The message in the table.
    pub async fn message(&self, message: &Message) -> Message {
        let (store, scope) = (self.aws.store(), self.business.scope());
        let found = store.message(scope, message.id, self.aws.now()).await;
        let found = found.expect("the table answers");
        found.expect("the message is there")
    }

    pub async fn contact_of(&self, identity: &Identity) -> Option<Contact> {
        let (store, scope) = (self.aws.store(), self.business.scope());
        store.contact_of(scope, identity).await.expect("the table answers")
    }

    /// The contact with the number [`CUSTOMER`].
    pub async fn customer(&self) -> Contact {
        let found = self.contact_of(&Identity::Phone(phone(CUSTOMER))).await;
        found.expect("the customer is known")
    }

    /// The name of a contact, if known.
    pub async fn name_of(&self, contact: &Contact) -> Option<ShownName> {
        let (store, scope) = (self.aws.store(), self.business.scope());
        store.profile(scope, contact.id).await.expect("the table answers").name
    }

    /// A contact's history, oldest first.
    pub async fn entries(&self, contact: ContactId) -> Vec<Entry> {
        let (store, scope) = (self.aws.store(), self.business.scope());
        let entries = store.history(scope, contact, 100, self.aws.now()).await;
        let mut entries = entries.expect("the table answers");
        entries.reverse();
        entries
    }

    /// The jobs to send messages, taken out of the queue.
    pub async fn take_send_jobs(&self) -> Vec<SendMessage> {
        self.aws.take_jobs(QueueName::Sends).await
    }

    pub fn store(&self) -> Store {
        self.aws.store()
    }

    pub const fn scope(&self) -> &TenantScope {
        self.business.scope()
    }

    /// Creates something of the tenant's with these fields, whichever function does it otherwise.
    pub async fn create_owned<T: Owned + Resource>(&self, fields: Value) -> T {
        self.aws.create_owned(self.scope(), fields).await
    }

    /// The result of [`World::follow_up`] for a customer with this number.
    pub async fn follow_up_of(&self, number: &str) -> Message {
        Box::pin(self.business.follow_up(&self.aws, number)).await
    }

    /// A new contact without a number, with this profile.
    pub async fn contact_known_as(&self, profile: Profile) -> ContactId {
        let contact = Contact::new(ContactId::new(self.aws.ids().ulid()), self.aws.now());
        self.create_person(&Person { contact, profile }).await
    }

    pub async fn create_person(&self, person: &Person) -> ContactId {
        let (store, brought, stamp) = (self.store(), Brought::default(), self.aws.stamp());
        let created = store.create_person(self.scope(), person, &brought, &stamp).await;
        created.expect("the contact is created");
        person.contact.id
    }

    /// A contact with what is known of it.
    pub async fn person(&self, contact: ContactId) -> Person {
        let found = self.store().known_person(self.scope(), contact).await;
        found.expect("the table answers").expect("the contact is there")
    }

    /// Changes a contact or what is known of it, as an operator does.
    pub async fn change_person(&self, contact: ContactId, change: impl FnOnce(&mut Person)) {
        let before = self.person(contact).await;
        let mut after = before.clone();
        change(&mut after);
        let (store, brought, stamp) = (self.store(), Brought::default(), self.aws.stamp());
        let changed = store.change_person(self.scope(), &before, &after, &brought, &stamp);
        Box::pin(changed).await.expect("the contact is changed");
    }

    pub async fn change_profile(&self, contact: ContactId, change: impl FnOnce(&mut Profile)) {
        self.change_person(contact, |person| change(&mut person.profile)).await;
    }

    /// Changes the tenant, as an operator does.
    pub async fn change_tenant(&self, change: impl FnOnce(&mut Tenant)) {
        self.aws.change_tenant(self.scope(), change).await;
    }

    /// A contact with this number who wants the tenant's messages.
    pub async fn fan(&self, number: &str) -> Contact {
        let wish = |contact: &mut Contact| {
            contact.wish(OptFlag::Start, "wrote START", self.aws.now());
        };
        self.business.contact_with(&self.aws, number, wish).await
    }

    /// A message of a new contact with these media through this connection.
    pub async fn receive_media(&self, media: Vec<InboundMedia>, connection: ConnectionId) -> MessageId {
        let nobody = |contact: &mut Contact| contact.phones.clear();
        let contact = self.business.contact_with(&self.aws, CUSTOMER, nobody).await.id;
        let change = |received: &mut Received| received.connection = connection;
        self.business.receive_media(&self.aws, contact, media, change).await.id
    }

    /// The only file that an operation resulted in: its key and its content.
    pub async fn result_file(&self, start: &StartOperation) -> (String, Vec<u8>) {
        let id = start.operation.ulid().to_string().to_lowercase();
        let mut files = self.aws.files("results/").await;
        files.retain(|key, _| key.contains(&id));
        assert_eq!(files.len(), 1, "one file: {:?}", files.keys());
        files.pop_first().expect("a file")
    }
}

/// Lets a test's own type be used as its field of this name, which is a [`World`] with this context.
#[macro_export]
macro_rules! extends_world {
    ($own:ident.$field:tt: $context:ty) => {
        impl ::std::ops::Deref for $own {
            type Target = $crate::World<$context>;

            fn deref(&self) -> &Self::Target {
                &self.$field
            }
        }

        impl ::std::ops::DerefMut for $own {
            fn deref_mut(&mut self) -> &mut Self::Target {
                &mut self.$field
            }
        }
    };
}
