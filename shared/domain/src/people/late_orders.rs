//! The rule when an order is late: it is paid, and nothing of it has left for longer than the business wants.
//!
//! No report states it, so time does: the order says when it will be late, and is looked at then. Whether it awaits shipment follows from
//! its state; since when, from the report that came to be known, as its news does. So reports that come in another order may make another
//! `awaits_since`, and the same order otherwise.

use jiff::{SignedDuration, Timestamp};

use crate::people::{FulfilmentState, NewsState, Order, OrderEvent, OrderNews, PaymentState, ShipmentState, Untold};

/// Age of an order at its first report from which it is history: nobody hears that it is late.
const HISTORY_AFTER: SignedDuration = SignedDuration::from_hours(7 * 24);

impl Order {
    /// Whether it is paid, and nothing of it has left, nor is held back by the shop.
    pub fn awaits_shipment(&self) -> bool {
        let is_paid = matches!(self.payment, PaymentState::Paid | PaymentState::PartiallyRefunded);
        // A parcel that was lost had left.
        let is_here = |state| matches!(state, ShipmentState::Prepared | ShipmentState::Cancelled);
        let is_history = self.created_at.duration_since(self.contents.placed_at) > HISTORY_AFTER;
        is_paid
            && self.fulfilment == FulfilmentState::Unfulfilled
            && self.shipments.iter().all(|shipment| is_here(shipment.state))
            && !self.contents.test
            && !is_history
    }

    /// Notes since when it awaits shipment, after a report of this time, and when it will be late. `late_after`: the time for which orders
    /// may wait; `None`: none is late.
    pub fn note_waiting(&mut self, reported_at: Timestamp, late_after: Option<SignedDuration>) {
        let awaits = self.awaits_shipment();
        self.awaits_since = awaits.then(|| self.awaits_since.unwrap_or(reported_at));
        self.late_at = self.lateness_after(late_after);
    }

    /// Notes that it is late, if it is by now, and else when it will be: the tenant may let orders wait for longer since. Returns whether it is.
    pub fn note_late(&mut self, late_after: Option<SignedDuration>, now: Timestamp) -> bool {
        self.late_at = self.lateness_after(late_after);
        let Some(at) = self.late_at.take_if(|at| *at <= now) else {
            return false;
        };
        let mut late = OrderNews::new(OrderEvent::Late, at, None);
        // Whoever was told that it left, or is cancelled, is not told that it waits, although the shop took that back.
        let is_told = |news: &OrderNews| news.event > OrderEvent::Late && news.state == NewsState::Told;
        if self.news.iter().any(is_told) {
            late.leave_untold(Untold::Replaced);
        }
        let mut noted = std::mem::take(&mut self.news).into_vec();
        noted.retain(|news| news.event != OrderEvent::Late);
        noted.push(late);
        self.news = noted.into();
        true
    }

    /// Whether it is to be noted by now that it is late.
    pub fn is_late(&self, now: Timestamp) -> bool {
        self.late_at.is_some_and(|at| at <= now)
    }

    /// The news that it is late, if that is noted.
    pub(crate) fn noted_lateness(&self) -> Option<&OrderNews> {
        let mut news = self.news.iter();
        news.find(|news| news.event == OrderEvent::Late && news.is_noted())
    }

    /// The time from which it is late. `None` if it never is, or that is noted.
    fn lateness_after(&self, late_after: Option<SignedDuration>) -> Option<Timestamp> {
        let since = self.awaits_since.filter(|_| self.noted_lateness().is_none())?;
        since.saturating_add(late_after?).ok()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;
    use crate::people::OrderReport;
    use crate::terms::{ContactId, MessageId, OrderId};

    const TWO_DAYS: Option<SignedDuration> = Some(SignedDuration::from_hours(48));

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(1_795_176_000 + 3_600 * hour).unwrap()
    }

    fn report(hour: i64, parts: &Value) -> OrderReport {
        let part = |name: &str| parts.get(name).cloned().unwrap_or_default();
        OrderReport {
            updated_at: at(hour),
            contents: None,
            payment: from_value(part("payment")).unwrap(),
            fulfilment: from_value(part("fulfilment")).unwrap(),
            shipments: from_value::<Option<_>>(part("shipments")).unwrap().unwrap_or_default(),
        }
    }

    /// An order that was placed at the hour 0, and first reported at this one.
    fn new_order(hour: i64, parts: &Value, test: bool) -> Order {
        let contents =
            json!({"placed_at": at(0), "currency": "AED", "totals": {"total": 1}, "items": [], "test": test});
        let id = OrderId::new(ContactId::new(ulid::Ulid::nil()), ulid::Ulid::nil());
        let (contents, first) = (from_value(contents).unwrap(), report(hour, parts));
        let mut order = Order::new(id, "1042".parse().unwrap(), contents, &first, None, at(hour));
        order.note_news(None, at(hour));
        order.note_waiting(at(hour), TWO_DAYS);
        tell(&mut order);
        order
    }

    /// Takes a report over.
    fn take(order: &mut Order, hour: i64, parts: &Value) {
        let before = order.clone();
        order.take(&report(hour, parts));
        order.note_news(Some(&before), at(hour));
        order.note_waiting(at(hour), TWO_DAYS);
    }

    fn make_paid() -> Order {
        new_order(1, &json!({"payment": "paid"}), false)
    }

    fn parcel(state: &str) -> Value {
        json!({"shipments": [{"reference": "1", "state": state}]})
    }

    /// Tells all that waits.
    fn tell(order: &mut Order) {
        for news in order.news.iter_mut().filter(|news| news.state == NewsState::Waiting) {
            news.tell(MessageId::new(ContactId::new(ulid::Ulid::nil()), ulid::Ulid::nil()));
        }
    }

    fn reason(order: &mut Order, event: OrderEvent) -> Option<Untold> {
        order.news_of(event).unwrap().reason
    }

    #[test]
    fn order_waits_from_the_report_by_which_it_can_be_shipped() {
        let mut order = new_order(1, &json!({}), false);
        assert_eq!((order.awaits_since, order.late_at), (None, None));
        for (hour, parts, since) in [
            (2, json!({"payment": "authorized"}), None),
            (3, json!({"payment": "paid"}), Some(3)),
            // Stated again, and late.
            (5, json!({"payment": "paid"}), Some(3)),
            (4, json!({"payment": "paid"}), Some(3)),
            (6, json!({"payment": "partially_refunded"}), Some(3)),
            (7, json!({"fulfilment": "on_hold"}), None),
            (8, json!({"fulfilment": "unfulfilled"}), Some(8)),
            (9, json!({"payment": "refunded"}), None),
            (10, json!({"payment": "paid"}), Some(10)),
            (11, json!({"fulfilment": "partially_fulfilled"}), None),
            (12, json!({"fulfilment": "unfulfilled"}), Some(12)),
            (13, parcel("prepared"), Some(12)),
            (14, parcel("in_transit"), None),
            (15, parcel("failed"), None),
            (16, parcel("cancelled"), Some(16)),
            (17, parcel("delivered"), None),
            (18, parcel("cancelled"), Some(18)),
            (19, json!({"fulfilment": "cancelled"}), None),
        ] {
            take(&mut order, hour, &parts);
            let waits = (order.awaits_since, order.late_at);
            assert_eq!(waits, (since.map(at), since.map(|hour| at(hour + 48))), "{hour}");
        }
    }

    #[test]
    fn tests_and_history_are_never_late() {
        const WEEK: i64 = 7 * 24;
        let paid = json!({"payment": "paid"});
        assert_eq!(new_order(1, &paid, true).awaits_since, None);
        assert_eq!(new_order(WEEK, &paid, false).awaits_since, Some(at(WEEK)));
        let mut history = new_order(WEEK + 1, &paid, false);
        assert_eq!(history.awaits_since, None);
        take(&mut history, WEEK + 2, &json!({"fulfilment": "unfulfilled"}));
        assert_eq!(history.awaits_since, None);
    }

    #[test]
    fn lateness_is_news_once() {
        let mut order = make_paid();
        assert!(!order.is_late(at(49) - SignedDuration::from_secs(1)));
        assert!(order.is_late(at(49)));
        let known = order.clone();
        order.note_late(TWO_DAYS, at(48));
        assert_eq!(order, known, "it is not late yet");
        order.note_late(TWO_DAYS, at(50));
        assert_eq!(order.settle_older_news(), Some(OrderEvent::Late));
        assert_eq!(
            (order.late_at, order.news_of(OrderEvent::Late).unwrap().at),
            (None, at(49))
        );
        let noted = order.clone();
        order.note_late(TWO_DAYS, at(60));
        assert_eq!(order, noted);
        tell(&mut order);
        // Neither a report that says the same, nor a pause of the shop, makes it late again.
        for (hour, fulfilment) in [(51, "unfulfilled"), (52, "on_hold"), (53, "unfulfilled")] {
            take(&mut order, hour, &json!({"fulfilment": fulfilment}));
            assert_eq!(order.late_at, None);
        }
        assert!(!order.has_open_news());
        take(&mut order, 54, &parcel("in_transit"));
        assert_eq!(order.settle_older_news(), Some(OrderEvent::Shipped));
    }

    #[test]
    fn tenant_may_let_orders_wait_for_longer() {
        let three_days = Some(SignedDuration::from_hours(72));
        for (late_after, late_at) in [(three_days, Some(at(73))), (None, None)] {
            let mut order = make_paid();
            order.note_late(late_after, at(50));
            assert_eq!((order.late_at, order.news.len()), (late_at, 1));
            // It waits as long as before, and is late by a later report if that is allowed again.
            take(&mut order, 51, &json!({"payment": "paid"}));
            assert_eq!((order.awaits_since, order.late_at), (Some(at(1)), Some(at(49))));
        }
    }

    #[test]
    fn lateness_that_is_over_is_told_to_nobody() {
        for (parts, why) in [
            (parcel("in_transit"), Untold::Replaced),
            (parcel("prepared"), Untold::Replaced),
            (json!({"fulfilment": "cancelled"}), Untold::Cancelled),
            (json!({"payment": "refunded"}), Untold::Withdrawn),
        ] {
            let mut order = make_paid();
            order.note_late(TWO_DAYS, at(49));
            take(&mut order, 50, &parts);
            assert_ne!(order.settle_older_news(), Some(OrderEvent::Late), "{parts}");
            assert_eq!(reason(&mut order, OrderEvent::Late), Some(why));
        }
    }

    /// It is refunded before its message is sent, which is ended. If it is paid after all, it may be late once more.
    #[test]
    fn lateness_that_was_withdrawn_is_news_again() {
        let mut order = make_paid();
        order.note_late(TWO_DAYS, at(49));
        tell(&mut order);
        let message = order.news_of(OrderEvent::Late).unwrap().message.unwrap();
        take(&mut order, 50, &json!({"payment": "refunded"}));
        assert!(order.has_open_news(), "its message may have to be ended");
        order.withdraw_news(&[message]);
        assert_eq!(reason(&mut order, OrderEvent::Late), Some(Untold::Withdrawn));
        take(&mut order, 51, &json!({"payment": "paid"}));
        assert_eq!(order.late_at, Some(at(99)));
        order.note_late(TWO_DAYS, at(99));
        assert_eq!(order.settle_older_news(), Some(OrderEvent::Late));
        assert_eq!(order.news.len(), 2);
    }

    /// The shop takes back what its customer was told: no message promises to tell it.
    #[test]
    fn whoever_was_told_that_it_left_is_not_told_that_it_waits() {
        let mut order = make_paid();
        take(&mut order, 2, &json!({"fulfilment": "fulfilled"}));
        tell(&mut order);
        take(&mut order, 3, &json!({"fulfilment": "unfulfilled"}));
        assert_eq!(order.late_at, Some(at(51)));
        order.note_late(TWO_DAYS, at(51));
        assert_eq!(order.settle_older_news(), None);
        assert_eq!(reason(&mut order, OrderEvent::Late), Some(Untold::Replaced));
        assert_eq!(order.late_at, None);
    }
}
