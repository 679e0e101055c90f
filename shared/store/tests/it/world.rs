//! A business in a table of its own.

use std::{collections::HashMap, sync::LazyLock};

use aws_sdk_dynamodb::types::AttributeValue;
use store::{Store, TenantScope, config::Configured};
use testkit::{Aws, Seeded, business::business_with};
use tokio::sync::{RwLock, RwLockReadGuard};

/// Consumed capacity is counted per process: the one test that counts it runs alone.
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

    /// Without a claim to [`COUNTING`]: the caller has it.
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

    /// All rows, as the table has them.
    pub(crate) async fn rows(&self) -> Vec<HashMap<String, AttributeValue>> {
        let table = self.aws.env().config().text("TABLE_NAME").expect("a table");
        let scan = self.aws.env().dynamodb().scan().table_name(table);
        scan.send().await.expect("the table answers").items.unwrap_or_default()
    }
}
