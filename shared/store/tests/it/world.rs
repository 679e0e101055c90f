//! A business in a table of its own.

use std::{collections::HashMap, sync::LazyLock};

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use domain::base::actor::Stamp;
use store::{Store, TenantScope, tenants::config::Configured};
use testkit::{Aws, Seeded, business::business_with};
use tokio::sync::{RwLock, RwLockReadGuard};

/// Consumed capacity is counted per process, so the one test that counts it runs alone.
pub(crate) static COUNTING: LazyLock<RwLock<()>> = LazyLock::new(RwLock::default);

pub(crate) struct World {
    pub(crate) aws: Aws,
    pub(crate) business: Seeded,
    pub(crate) store: Store,
    _others_may_run: Option<RwLockReadGuard<'static, ()>>,
}

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
    pub(crate) async fn alone() -> Self {
        Self::alone_with(|_| {}).await
    }

    pub(crate) async fn alone_with(change: impl FnOnce(&mut Configured)) -> Self {
        let aws = Aws::new().await;
        let business = Box::pin(business_with(&aws, change)).await;
        let store = aws.store();
        Self {
            aws,
            business,
            store,
            _others_may_run: None,
        }
    }

    pub(crate) fn scope(&self) -> &TenantScope {
        self.business.scope()
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
        let table = self.aws.env().config().text("TABLE_NAME").expect("a table");
        let rows: Vec<_> = rows.into_iter().map(put).collect();
        for batch in rows.chunks(25) {
            let write = self.aws.dynamodb().batch_write_item();
            let written = write.request_items(table, batch.to_vec()).send().await;
            written.expect("the table answers");
        }
    }

    /// All rows of the table.
    pub(crate) async fn rows(&self) -> Vec<HashMap<String, AttributeValue>> {
        let table = self.aws.env().config().text("TABLE_NAME").expect("a table");
        let scan = self.aws.dynamodb().scan().table_name(table);
        scan.send().await.expect("the table answers").items.unwrap_or_default()
    }
}
