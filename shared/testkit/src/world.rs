//! A business, and a process of the function under test.

use domain::{
    base::{external::ShownName, ids::ContactId},
    calls::record::Entry,
    contacts::contact::{Contact, Identity},
    messages::message::Message,
};
use jobs::SendMessage;
use kit::{ConfigError, Env, QueueName};
use store::tenants::config::Configured;

use crate::{
    Aws, Seeded,
    business::{CUSTOMER, business_with, phone},
};

/// Defines a `World` of the function with this context, for helpers of a test's own.
#[macro_export]
macro_rules! world {
    ($visible:vis $name:ident, $context:ty) => {
        $visible struct $name($crate::World<$context>);

        impl ::std::ops::Deref for $name {
            type Target = $crate::World<$context>;

            fn deref(&self) -> &Self::Target {
                &self.0
            }
        }

        impl ::std::ops::DerefMut for $name {
            fn deref_mut(&mut self) -> &mut Self::Target {
                &mut self.0
            }
        }
    };
}

/// One test's AWS with a business in it, and a process of the function under test.
pub struct World<C> {
    pub aws: Aws,
    pub business: Seeded,
    pub ctx: C,
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
        Self::given(|aws| aws.env().clone(), build, change).await
    }

    /// The same with this environment for the function.
    pub async fn given(
        env: impl FnOnce(&Aws) -> Env,
        build: fn(&Env) -> Result<C, ConfigError>,
        change: impl FnOnce(&mut Configured),
    ) -> Self {
        let aws = Aws::new().await;
        let business = Box::pin(business_with(&aws, change)).await;
        let env = env(&aws);
        let ctx = build(&env).expect("a context");
        Self {
            aws,
            business,
            ctx,
            env,
            build,
        }
    }

    /// Another process of the function.
    pub fn another(&self) -> C {
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
    pub async fn claimed(&self, mut message: Message) -> Message {
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
    pub async fn queued(&self) -> Vec<SendMessage> {
        self.aws.take_jobs(QueueName::Sends).await
    }
}
