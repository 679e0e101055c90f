//! Orders of a tenant's shop, for its software: recorded, listed, read, and updated by reports in any order.

mod models;

use std::sync::OnceLock;

use api::{
    Allowed, Api, Body, Created, IfMatch, Listed, Paging, Patch, Path, Query, RACES, Setback, Tagged, fitting, permits,
    require_found,
};
use axum::extract::State;
use axum::{Extension, Router};
use domain::people::{Identity, Order, OrderReport, Recorded as _};
use domain::terms::{ContactId, Fault, FaultCode, OrderId};
use flows::orders::{first_report, take_report};
use jobs::ToQueue;
use kit::{ConfigError, Env, Problem, QueueName, Queues};
use store::Versioned;
use store::contacts::{Brought, KnownOrder, NotCreated, OrderNotCreated, PersonError};
use store::reports::Stored;

use crate::models::{OrderEntry, OrderIn, OrderQuery, OrderUpdate};

kit::function!(serve_http, routes);

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    let queues = Queues::new(env, &[QueueName::CommerceEvents])?;
    Ok(api::serve(operations(), Api::new(env)?).layer(Extension(queues)))
}

/// Path of the orders.
const ORDERS: &str = "/api/v1/orders";

api::operations! {
    "orders": "Orders of the tenant's shop: what was ordered, whether it is paid, and where it is." {
        /// Create an order
        ///
        /// It is in its contact's timeline, and counts as a conversion `order` with its total. The contact is the one with `contact_id`,
        /// else with `phone`, else with `email`. If there is none, a contact with both is created. An item whose `sku` a product has finds
        /// the product in `products`. A number belongs to one order (409 `taken`, which names it). A contact has at most 10,000 orders, and
        /// an order at most 32 KB. That it was placed is news, which the message for `order.created` tells, unless the order is older than a
        /// day. `news` says what becomes of it.
        POST "/api/v1/orders" => create_order, "The order";

        /// List orders
        ///
        /// Newest first, of the last seven days or of at most 31, by days of ordering in the tenant's time zone. Orders of deleted contacts
        /// are hidden. A page can hold fewer than `limit`, or none, without being the last one: only a `next_cursor` of `null` ends the
        /// list. Orders of one contact are in its timeline.
        GET "/api/v1/orders" => list_orders, "A page of orders";

        /// Get an order
        GET "/api/v1/orders/{order_id}" => get_order, "The order";

        /// Update an order
        ///
        /// Report what changed with `updated_at`, the shop's time of the change. The contents, the payment, the fulfilment and each shipment
        /// have a time of their own, and an older report never overwrites a newer one, so reports can come late, twice and in any order. Of
        /// two of the same time, the one of the higher state stays. A report that is older in all its parts is answered with the order as
        /// it is. What is new for whoever ordered is told by the event messages, once for each event; `news` says what becomes of it. Telling
        /// news changes the order, and so its `ETag`.
        PATCH "/api/v1/orders/{order_id}" => update_order, "The order after the report";
    }
}

type Reading = Allowed<permits::OrdersRead>;
type Writing = Allowed<permits::OrdersWrite>;

/// The contact who ordered. Somebody whom the tenant does not know yet becomes a contact.
async fn orderer(api: &Api, who: &Writing, fields: &OrderIn, new: ContactId) -> Result<ContactId, Setback> {
    let (store, scope) = (api.store(), who.scope());
    let refuse = |field: &str, detail: &str| Problem::field(field, Fault::new(FaultCode::NotFound, detail));
    if let Some(id) = fields.contact_id {
        let contact = store.contact(scope, id).await?;
        let contact = contact.filter(|contact| contact.deleted_at.is_none());
        let detail = "There is no such contact. Give the id of one, or `phone` or `email`.";
        return Ok(contact.ok_or_else(|| refuse("contact_id", detail))?.id);
    }
    let mut deleted = None;
    for (field, identity) in fields.identities() {
        match store.contact_of(scope, &identity).await {
            Ok(Some(contact)) if contact.deleted_at.is_none() => return Ok(contact.id),
            Ok(None) => {}
            Ok(Some(_)) => deleted = deleted.or(Some(field)),
            // It is being erased.
            Err(error) if error.is_conflict() || error.is_gone() => deleted = deleted.or(Some(field)),
            Err(error) => return Err(error.into()),
        }
    }
    if let Some(field) = deleted {
        let detail = "The contact who has it was deleted. Restore that contact, or wait until it is erased.";
        return Err(refuse(field, detail).into());
    }
    create_orderer(api, who, fields, new).await
}

/// Creates a contact with the telephone number and the e-mail address of an order, and with what their person refuses.
async fn create_orderer(api: &Api, who: &Writing, fields: &OrderIn, new: ContactId) -> Result<ContactId, Setback> {
    let (store, scope, stamp) = (api.store(), who.scope(), who.stamp());
    // Nobody becomes a contact for an order that is refused.
    if let Some(by) = store.order_with_number(scope, &fields.number).await? {
        return Err(refuse_number(Some(&by.value.order)).into());
    }
    let mut person = fields.person(new, who.now()).map_err(Problem::from)?;
    let identities: Vec<Identity> = fields.identities().map(|(_, identity)| identity).collect();
    let refusals = store.refusals_of(scope, &identities).await?;
    let brought = Brought::of(refusals, &mut person.contact, &stamp);
    let most = who.principal().limits().contacts();
    api.take_room(who, Stored::Contacts, 1, most.into(), "contacts").await?;
    let created = store.create_person(scope, &person, &brought, &stamp).await;
    if created.is_err() {
        api.give_room_back(who, Stored::Contacts, 1).await;
    }
    match created {
        Ok(()) => Ok(new),
        // Somebody else has just created it.
        Err(PersonError::Taken(_)) => Err(Setback::Lost),
        Err(PersonError::TooMany(_)) => {
            let detail = "Create the contact first, with `POST /api/v1/contacts`, and give its `contact_id`.";
            Err(Problem::unprocessable(detail).into())
        }
        Err(PersonError::Store(error)) => Err(error.into()),
    }
}

/// Refuses a report that cannot be taken over.
fn check(report: &OrderReport, who: &Writing) -> Result<(), Problem> {
    report.check(who.now()).map_err(|problem| Problem::from(vec![problem]))
}

/// Refuses a number that an order has, and names that order, which can be updated.
fn refuse_number(by: Option<&Order>) -> Problem {
    let detail = "Another order has this `number`. Update that one.";
    let fault = Fault::new(FaultCode::Taken, detail);
    let fault = match by {
        Some(order) => fault.and("by", order.id.to_string()),
        None => fault,
    };
    Problem::conflict("taken", detail).about("number", fault)
}

/// Queues the job that tells the news of an order, if some waits. If it fails, the request that is repeated queues it.
async fn queue_news(queues: &Queues, who: &Writing, order: &Order) -> Result<(), Problem> {
    let job = ToQueue::news_of(who.scope().tenant(), order, who.now());
    let queued = queues.enqueue(job.into_iter().collect(), who.now()).await;
    queued.map(|_| ()).map_err(|error| {
        tracing::error!(error = kit::chain(&error), "news of an order is not queued");
        Problem::unavailable()
    })
}

async fn create_order(
    who: Writing,
    State(api): State<Api>,
    Extension(queues): Extension<Queues>,
    Body(fields): Body<OrderIn>,
) -> Result<Created<OrderEntry>, Problem> {
    let report = fields.report(who.now());
    check(&report, &who)?;
    if fields.contact_id.is_none() && fields.identities().next().is_none() {
        let detail = "Say whose order it is: by `contact_id`, `phone` or `email`.";
        let fault = Fault::requires(&["contact_id", "phone", "email"], detail);
        return Err(Problem::field("contact_id", fault));
    }
    let tenant = require_found(api.store().tenant(who.scope())).await?;
    let products = api.store().ordered_products(who.scope(), &fields.contents).await?;
    // A repeated request gets the same ids, whether or not there is a contact by now.
    let (own, new_contact) = (who.ulid(), ContactId::new(who.ulid()));
    let (number, contents) = (fields.number.clone(), fields.contents.clone());
    let id = OrderId::new(new_contact, own);
    let new = Order::new(id, number, contents, &report, Some(who.actor()), who.now());
    let new = first_report(new, products, &tenant, who.now());
    // Before a contact is created for it.
    let new = fitting(new)?;
    let (api, who, fields, new) = (&api, &who, &fields, &new);
    let created = RACES.until_won(|| async move {
        let contact = Box::pin(orderer(api, who, fields, new_contact)).await?;
        let id = OrderId::new(contact, own);
        store_order(api, who, Order { id, ..new.clone() }).await
    });
    let id = created.await?;
    let Versioned { version, value } = require_found(api.store().order(who.scope(), id)).await?;
    queue_news(&queues, who, &value.order).await?;
    Ok(Created {
        location: format!("{ORDERS}/{}", value.order.id),
        version,
        body: value.into(),
    })
}

/// Stores a new order. Returns its id.
async fn store_order(api: &Api, who: &Writing, new: Order) -> Result<OrderId, Setback> {
    let (store, scope) = (api.store(), who.scope());
    match store.create_order(scope, &new, &who.stamp()).await {
        Ok(()) => Ok(new.id),
        Err(OrderNotCreated::Taken) => {
            let by = store.order_with_number(scope, &new.number).await?;
            match by {
                // The contact was merged after the interrupted request had created it.
                Some(own) if own.value.order.id.own() == new.id.own() => Ok(own.value.order.id),
                by => Err(refuse_number(by.as_ref().map(|by| &by.value.order)).into()),
            }
        }
        // The contact was deleted or merged meanwhile.
        Err(OrderNotCreated::Other(NotCreated::NoContact)) => Err(Setback::Lost),
        Err(OrderNotCreated::Other(NotCreated::Full)) => {
            let detail = format!(
                "A contact can have at most {} orders. Record further ones elsewhere.",
                Order::MAX
            );
            Err(Problem::conflict("limit_reached", detail).into())
        }
        // Ids are nobody else's, so this is the one that the interrupted request created.
        Err(OrderNotCreated::Other(NotCreated::Store(lost))) if lost.is_conflict() => {
            let own = store.order(scope, new.id).await?.ok_or(Setback::Lost)?;
            Ok(own.value.order.id)
        }
        Err(OrderNotCreated::Other(NotCreated::Store(error))) => Err(error.into()),
    }
}

async fn list_orders(
    who: Reading,
    State(api): State<Api>,
    Query(query): Query<OrderQuery>,
    paging: Paging,
) -> Result<Listed<OrderEntry>, Problem> {
    let wanted = Box::pin(api.wanted_page(&who, query.from, query.to, &paging)).await?;
    let page = api.store().orders_of_period(who.scope(), query.filter(), &wanted);
    Ok(Listed::of(Box::pin(page).await?, OrderEntry::from))
}

async fn get_order(
    who: Reading,
    State(api): State<Api>,
    Path(id): Path<OrderId>,
) -> Result<Tagged<OrderEntry>, Problem> {
    require_found(api.store().order(who.scope(), id)).await.map(Tagged::of)
}

async fn update_order(
    who: Writing,
    State(api): State<Api>,
    Extension(queues): Extension<Queues>,
    Path(id): Path<OrderId>,
    if_match: IfMatch,
    patch: Patch<OrderUpdate>,
) -> Result<Tagged<OrderEntry>, Problem> {
    let (store, scope, stamp) = (api.store(), who.scope(), &who.stamp());
    let report = patch.apply(&OrderUpdate::default())?.into_report(who.now());
    check(&report, &who)?;
    let products = match &report.contents {
        Some(contents) => Some(store.ordered_products(scope, contents).await?),
        None => None,
    };
    let products = &products;
    let tenant = &require_found(store.tenant(scope)).await?;
    let decide = |before: &Order| fitting(take_report(before, &report, products.as_ref(), tenant, who.now()));
    let orderer = OnceLock::new();
    let read = || async {
        let known = store.order(scope, id).await?;
        Ok(known.map(|Versioned { version, value }| {
            orderer.get_or_init(|| value.contact);
            Versioned {
                version,
                value: value.order,
            }
        }))
    };
    let write = |before: Versioned<Order>, after: Order| async move {
        let version = store.change_order(scope, before.version, &after, stamp).await?;
        Ok(Versioned { version, value: after })
    };
    let Versioned { version, value } = RACES.change(&if_match, read, decide, write).await?;
    queue_news(&queues, &who, &value).await?;
    let contact = orderer.into_inner().ok_or_else(Problem::not_found)?;
    let order = KnownOrder { order: value, contact };
    Ok(Tagged::of(Versioned { version, value: order }))
}
