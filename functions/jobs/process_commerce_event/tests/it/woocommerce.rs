//! Reports of a store with WooCommerce, by a fixture, whose times are moved to now.

use domain::people::{FulfilmentState, OrderEvent, PaymentState, ShopReport};
use serde_json::{Value, json};
use testkit::fixtures;

use super::World;

impl World {
    /// The fixture's order as its store has it by now, with these fields.
    fn woo(&self, topic: &str, change: &Value) -> ShopReport {
        let now = self.aws.now();
        let mut body = fixtures::json("woocommerce/order_created.json");
        if topic == "order.deleted" {
            body = json!({"id": body["id"]});
        } else {
            let written = now.strftime("%Y-%m-%dT%H:%M:%S").to_string();
            for field in ["date_created_gmt", "date_modified_gmt"] {
                body[field] = json!(written);
            }
            for (field, value) in change.as_object().unwrap() {
                body[field] = if value == "now" { json!(written) } else { value.clone() };
            }
        }
        let read = providers::shops::woocommerce::report(topic, body.to_string().as_bytes(), now);
        read.unwrap().unwrap()
    }
}

#[tokio::test]
async fn checkout_that_is_left_is_no_order_and_one_that_is_paid_is() {
    let world = World::telling(&OrderEvent::ALL).await;
    for status in ["pending", "failed", "cancelled"] {
        let left = world.woo("order.updated", &json!({"status": status}));
        assert_eq!(world.take_and_tell(&left).await, 0, "{status}");
        assert_eq!(world.id_of(&left).await, None, "{status}");
    }
    let gone = world.woo("order.deleted", &json!({}));
    assert_eq!((world.take_and_tell(&gone).await, world.id_of(&gone).await), (0, None));
    world.aws.pass(1);
    let paid = world.woo(
        "order.updated",
        &json!({"status": "processing", "date_paid_gmt": "now"}),
    );
    assert_eq!(world.take_and_tell(&paid).await, 1);
    let order = world.order_of(&paid).await;
    assert_eq!(
        (order.payment, order.fulfilment),
        (PaymentState::Paid, FulfilmentState::Unfulfilled)
    );
    assert!(order.late_at.is_some());
}

/// Nobody is told that an order is in the trash, and what has left stays as it is.
#[tokio::test]
async fn deleted_order_waits_without_a_word_unless_it_has_left() {
    let world = World::telling(&OrderEvent::ALL).await;
    let paid = json!({"status": "processing", "date_paid_gmt": "now"});
    let first = world.woo("order.created", &paid);
    world.aws.pass(30);
    let restored = world.woo("order.restored", &paid);
    assert_eq!(world.take_and_tell(&first).await, 1);
    world.aws.pass(60);
    let deleted = world.woo("order.deleted", &json!({}));
    assert_eq!(world.take_and_tell(&deleted).await, 0);
    let order = world.order_of(&first).await;
    assert_eq!((order.fulfilment, order.late_at), (FulfilmentState::OnHold, None));
    // It was restored before the deletion came.
    assert_eq!(world.take_and_tell(&restored).await, 0);
    assert_eq!(world.order_of(&first).await.fulfilment, FulfilmentState::Unfulfilled);
    world.aws.pass(60);
    let completed = world.woo(
        "order.restored",
        &json!({"status": "completed", "date_paid_gmt": "now"}),
    );
    assert_eq!(world.take_and_tell(&completed).await, 1);
    world.aws.pass(60);
    let deleted = world.woo("order.deleted", &json!({}));
    assert_eq!(world.take_and_tell(&deleted).await, 0);
    assert_eq!(world.order_of(&first).await.fulfilment, FulfilmentState::Fulfilled);
}
