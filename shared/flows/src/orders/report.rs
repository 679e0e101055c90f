//! Reports on orders, from whoever they come: what becomes of the order and its news. Whoever writes the order then queues the job
//! that tells them, if some waits, also after a report that changed nothing: an earlier attempt may have died before it did.

use std::collections::BTreeMap;

use domain::people::{Order, OrderReport};
use domain::tenants::Tenant;
use domain::terms::ProductId;
use jiff::Timestamp;

/// A new order with its news. `products`: those that have the SKUs of its items.
pub fn first_report(new: Order, products: BTreeMap<String, ProductId>, tenant: &Tenant, now: Timestamp) -> Order {
    let mut order = Order { products, ..new };
    order.note_news(None, now);
    order.note_waiting(order.updated_at, tenant.late_after());
    order
}

/// The order after a report, with the news of it. `products`: those that have the SKUs of the reported items, if it states some.
pub fn take_report(
    before: &Order,
    report: &OrderReport,
    products: Option<&BTreeMap<String, ProductId>>,
    tenant: &Tenant,
    now: Timestamp,
) -> Order {
    let mut after = before.clone();
    after.take(report);
    if after.contents != before.contents
        && let Some(products) = products
    {
        after.products.clone_from(products);
    }
    after.note_news(Some(before), now);
    after.note_waiting(report.updated_at, tenant.late_after());
    after
}
