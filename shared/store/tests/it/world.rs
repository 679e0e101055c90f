//! A business in a table of its own.

use std::collections::HashMap;
use std::sync::LazyLock;

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use domain::calls::CallProgress;
use domain::people::{Change, Contact, Person};
use domain::telephony::CallProvider;
use domain::terms::{ContactId, Stamp};
use store::contacts::{Brought, PersonError};
use store::tenants::Configured;
use store::{Page, Store, StoreError};
use testkit::business::{CUSTOMER, missed_call_facts};
use tokio::sync::{RwLock, RwLockReadGuard};

/// Consumed capacity is counted per process, so the one test that counts it runs alone.
pub(crate) static COUNTING: LazyLock<RwLock<()>> = LazyLock::new(RwLock::default);

pub(crate) struct World {
    inner: testkit::World<()>,
    pub(crate) store: Store,
    _others_may_run: Option<RwLockReadGuard<'static, ()>>,
}

testkit::extends_world!(World.inner: ());

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Configured)) -> Self {
        let guard = COUNTING.read().await;
        let mut world = Self::alone_with(change).await;
        world._others_may_run = Some(guard);
        world
    }

    /// A world without a claim to [`COUNTING`], which the caller has.
    pub(crate) async fn new_alone() -> Self {
        Self::alone_with(|_| {}).await
    }

    pub(crate) async fn alone_with(change: impl FnOnce(&mut Configured)) -> Self {
        let inner = Box::pin(testkit::World::with(|_| Ok(()), change)).await;
        Self {
            store: inner.store(),
            inner,
            _others_may_run: None,
        }
    }

    /// The author of a test's changes, and the current time.
    pub(crate) fn stamp(&self) -> Stamp {
        self.aws.stamp()
    }

    /// The partition of the tenant's own rows.
    pub(crate) fn partition(&self) -> String {
        self.business.tenant().to_string().replace("tnt_", "T#")
    }

    /// Writes this many rows of texts as they are.
    pub(crate) async fn put_many(&self, rows: usize, row: impl Fn(usize) -> HashMap<&'static str, String>) {
        let texts = |number| {
            let row = row(number).into_iter();
            row.map(|(name, value)| (name.to_owned(), AttributeValue::S(value)))
                .collect()
        };
        self.put_rows((0..rows).map(texts)).await;
    }

    /// Writes these rows as they are.
    pub(crate) async fn put_rows(&self, rows: impl IntoIterator<Item = HashMap<String, AttributeValue>>) {
        let put = |row| {
            let put = PutRequest::builder().set_item(Some(row));
            WriteRequest::builder().put_request(put.build().expect("a row")).build()
        };
        let rows: Vec<_> = rows.into_iter().map(put).collect();
        for batch in rows.chunks(25) {
            let write = self.aws.dynamodb().batch_write_item();
            let written = write.request_items(self.aws.table(), batch.to_vec()).send().await;
            written.expect("the table answers");
        }
    }

    /// A contact with this number.
    pub(crate) async fn contact(&self, number: &str) -> Contact {
        self.contact_with(number, |_| {}).await
    }

    /// A contact with this number, changed before it is written.
    pub(crate) async fn contact_with(&self, number: &str, change: impl FnOnce(&mut Contact)) -> Contact {
        self.business.contact_with(&self.aws, number, change).await
    }

    /// Changes a contact, as a job does.
    pub(crate) async fn change_contact(&self, contact: ContactId, change: impl Fn(&mut Contact) -> Change) {
        self.aws.change_contact(self.scope(), contact, change).await;
    }

    /// Writes what became of a person who was read before.
    pub(crate) async fn write_person(&self, before: &Person, after: &Person) -> Result<(), PersonError> {
        let (scope, brought, stamp) = (self.scope(), Brought::default(), self.stamp());
        let changed = self.store.change_person(scope, before, after, &brought, &stamp);
        Box::pin(changed).await
    }

    /// The first report of a missed call, by Twilio and now.
    pub(crate) fn first_report(&self, call: &str) -> CallProgress {
        CallProgress {
            connection: self.business.twilio,
            provider: CallProvider::Twilio,
            provider_call_id: call.to_owned(),
            facts: missed_call_facts(CUSTOMER),
            first_seen: self.aws.now(),
            decided: None,
            due: None,
            dispatches: 0,
            correlation_id: format!("cor-{call}"),
            version: 0,
        }
    }
}

/// The items of all pages of a list: `read` reads the one behind a position.
pub(crate) async fn all_pages<T>(read: impl AsyncFn(Option<String>) -> Result<Page<T>, StoreError>) -> Vec<T> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = read(after).await.expect("the table answers");
        all.extend(page.items);
        after = page.next;
        if after.is_none() {
            return all;
        }
    }
}
