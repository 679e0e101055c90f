//! The rule what is news of an order: which changes of an order are told to whoever ordered, and why the others are not.
//!
//! Shops report the same state twice, late and in any order. So news is a state that was not reached before a report and is reached after it.
//! Each event is told once per order, and only the latest state. What became of each is kept on the order.

use jiff::Timestamp;

use crate::people::order_news::is_too_old;
use crate::people::{FulfilmentState, NewsState, Order, OrderEvent, OrderNews, Shipment, ShipmentState, Untold};
use crate::terms::MessageId;

/// An event that has taken place by the state of an order.
struct Reached<'a> {
    event: OrderEvent,
    at: Timestamp,
    shipment: Option<&'a Shipment>,
}

/// An event at the time of a shipment's state, which every known shipment has.
fn by_shipment(event: OrderEvent, shipment: &Shipment) -> Reached<'_> {
    Reached {
        event,
        at: shipment.updated_at.unwrap_or_default(),
        shipment: Some(shipment),
    }
}

impl Order {
    /// The events that have taken place by its state, the latest last. Of an order that came back, there is nothing to tell.
    fn milestones(&self) -> Vec<Reached<'_>> {
        use ShipmentState::{Attempted, Cancelled, Delivered, Failed, InTransit, OutForDelivery, Prepared};
        let created = Reached {
            event: OrderEvent::Created,
            at: self.contents.placed_at,
            shipment: None,
        };
        let stated_at = self.fulfilment_at.unwrap_or(self.updated_at);
        let by_fulfilment = |event, shipment| Reached {
            event,
            at: stated_at,
            shipment,
        };
        match self.fulfilment {
            FulfilmentState::Returned => return Vec::new(),
            FulfilmentState::Cancelled => return vec![created, by_fulfilment(OrderEvent::Cancelled, None)],
            _ => {}
        }
        let latest = |states: &[ShipmentState]| {
            let all = self
                .shipments
                .iter()
                .filter(|shipment| states.contains(&shipment.state));
            all.max_by_key(|shipment| shipment.updated_at)
        };
        let (prepared, arrived) = (latest(&[Prepared]), latest(&[Delivered]));
        let on_its_way = latest(&[InTransit, OutForDelivery, Attempted]);
        let is_lost = latest(&[Failed]).is_some();
        let mut live = self.shipments.iter().filter(|shipment| shipment.state != Cancelled);
        let shipped = match self.fulfilment {
            _ if on_its_way.is_some() => on_its_way.map(|shipment| by_shipment(OrderEvent::Shipped, shipment)),
            // The shop says that it has left, and no carrier has said more.
            FulfilmentState::Fulfilled if !is_lost && arrived.is_none() => {
                Some(by_fulfilment(OrderEvent::Shipped, prepared))
            }
            FulfilmentState::PartiallyFulfilled if !is_lost && arrived.is_none() => {
                prepared.map(|shipment| by_fulfilment(OrderEvent::Shipped, Some(shipment)))
            }
            _ => None,
        };
        let delivered = match self.fulfilment {
            FulfilmentState::Delivered if arrived.is_some() || !is_lost => {
                Some(by_fulfilment(OrderEvent::Delivered, arrived))
            }
            FulfilmentState::Delivered | FulfilmentState::PartiallyFulfilled => None,
            _ if live.all(|shipment| shipment.state == Delivered) => {
                arrived.map(|shipment| by_shipment(OrderEvent::Delivered, shipment))
            }
            _ => None,
        };
        let packed = prepared.map(|shipment| by_shipment(OrderEvent::Packed, shipment));
        let later = [self.lateness(), packed, shipped, delivered].into_iter().flatten();
        std::iter::once(created).chain(later).collect()
    }

    /// The event that it is late, if that was noted and it still awaits shipment. No report states it.
    fn lateness(&self) -> Option<Reached<'_>> {
        let noted = self.noted_lateness().filter(|_| self.awaits_shipment())?;
        Some(Reached {
            event: noted.event,
            at: noted.at,
            shipment: None,
        })
    }

    /// Notes the news of a report. `before`: the order before it, if there was one.
    pub fn note_news(&mut self, before: Option<&Self>, now: Timestamp) {
        let known = before.map(Self::milestones).unwrap_or_default();
        let milestones = self.milestones();
        let latest = milestones.last().map(|last| last.event);
        let is_history = before.is_none() && is_too_old(self.contents.placed_at, now);
        let is_new = |event| {
            let noted = self.news.iter().any(|news| news.event == event && news.is_noted());
            !noted && known.iter().all(|known| known.event != event)
        };
        let new = milestones.iter().filter(|reached| is_new(reached.event));
        let new: Vec<OrderNews> = new
            .map(|Reached { event, at, shipment }| {
                let mut news = OrderNews::new(*event, *at, shipment.map(|shipment| shipment.reference.clone()));
                if self.contents.test {
                    news.leave_untold(Untold::Test);
                } else if is_history {
                    news.leave_untold(Untold::TooOld);
                } else if Some(*event) != latest {
                    news.leave_untold(Untold::Replaced);
                }
                news
            })
            .collect();
        let mut noted = std::mem::take(&mut self.news).into_vec();
        noted.retain(|noted| new.iter().all(|new| new.event != noted.event));
        self.news = noted.into_iter().chain(new).collect::<Vec<_>>().into();
    }

    /// The latest event that has taken place.
    pub fn latest_event(&self) -> Option<OrderEvent> {
        self.milestones().last().map(|reached| reached.event)
    }

    /// Whether there is news whose message is to be made, or whose message may have to be ended.
    pub fn has_open_news(&self) -> bool {
        let latest = self.latest_event();
        let taken_back =
            |news: &OrderNews| news.state == NewsState::Told && latest.is_some_and(|latest| latest < news.event);
        let mut news = self.news.iter();
        news.any(|news| news.state == NewsState::Waiting || taken_back(news))
    }

    /// Notes that these messages were ended before they were sent: their news was withdrawn, unless the order is further.
    pub fn withdraw_news(&mut self, ended: &[MessageId]) {
        let latest = self.latest_event();
        let is_ended = |news: &&mut OrderNews| news.message.is_some_and(|message| ended.contains(&message));
        for news in self.news.iter_mut().filter(is_ended) {
            if latest.is_some_and(|latest| latest < news.event) {
                news.leave_untold(Untold::Withdrawn);
            }
        }
    }

    /// The latest event, if it is news that waits. Other news that waits is told to nobody any more, which is noted.
    pub fn settle_older_news(&mut self) -> Option<OrderEvent> {
        let latest = self.latest_event();
        let is_waiting = |news: &&mut OrderNews| news.state == NewsState::Waiting;
        let mut waits = None;
        for news in self.news.iter_mut().filter(is_waiting) {
            match latest {
                Some(latest) if latest == news.event => waits = Some(latest),
                Some(OrderEvent::Cancelled) => news.leave_untold(Untold::Cancelled),
                Some(latest) if latest > news.event => news.leave_untold(Untold::Replaced),
                _ => news.leave_untold(Untold::Withdrawn),
            }
        }
        waits
    }

    /// Its news of this event.
    pub fn news_of(&mut self, event: OrderEvent) -> Option<&mut OrderNews> {
        self.news.iter_mut().find(|news| news.event == event)
    }

    /// The shipment that this news is about. News without one is about the whole order.
    pub fn shipment_of(&self, news: &OrderNews) -> Option<&Shipment> {
        let reference = news.shipment.as_ref()?;
        self.shipments.iter().find(|shipment| shipment.reference == *reference)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;
    use crate::people::OrderReport;
    use crate::terms::{ContactId, MessageId, OrderId, UpTo};

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_795_176_000 + 60 * minute).unwrap()
    }

    /// A report at this minute.
    fn report(minute: i64, parts: &Value) -> OrderReport {
        let part = |name: &str| parts.get(name).cloned();
        OrderReport {
            updated_at: at(minute),
            contents: None,
            payment: None,
            fulfilment: part("fulfilment").map(|word| from_value(word).unwrap()),
            shipments: part("shipments").map_or_else(UpTo::new, |all| from_value(all).unwrap()),
        }
    }

    fn parcel(reference: &str, state: &str) -> Value {
        json!({"shipments": [{"reference": reference, "state": state}]})
    }

    /// An order that was placed at the minute 0.
    fn new_order(first: &OrderReport, change: &Value, now: i64) -> Order {
        let mut contents = json!({"placed_at": at(0), "currency": "AED", "totals": {"total": 1}, "items": []});
        for (name, value) in change.as_object().unwrap() {
            contents[name] = value.clone();
        }
        let id = OrderId::new(ContactId::new(ulid::Ulid::nil()), ulid::Ulid::nil());
        let contents = from_value(contents).unwrap();
        let mut order = Order::new(id, "1042".parse().unwrap(), contents, first, None, at(now));
        order.note_news(None, at(now));
        order
    }

    /// Takes a report over and returns the events that wait then.
    fn take(order: &mut Order, report: &OrderReport) -> Vec<&'static str> {
        let before = order.clone();
        order.take(report);
        order.note_news(Some(&before), report.updated_at);
        waiting(order)
    }

    fn waiting(order: &Order) -> Vec<&'static str> {
        let waiting = order.news.iter().filter(|news| news.state == NewsState::Waiting);
        waiting.map(|news| news.event.as_str()).collect()
    }

    fn untold(order: &Order, event: OrderEvent) -> Option<Untold> {
        order.clone().news_of(event).unwrap().reason
    }

    fn fresh_order() -> Order {
        new_order(&report(0, &json!({})), &json!({}), 1)
    }

    /// Tells all that waits.
    fn tell(order: &mut Order) {
        for news in order.news.iter_mut().filter(|news| news.state == NewsState::Waiting) {
            news.tell(MessageId::new(ContactId::new(ulid::Ulid::nil()), ulid::Ulid::nil()));
        }
    }

    #[test]
    fn state_that_is_stated_again_is_no_news() {
        let mut order = fresh_order();
        assert_eq!(waiting(&order), ["order.created"]);
        tell(&mut order);
        for (minute, parts, news) in [
            (5, parcel("1", "prepared"), Some("order.packed")),
            (6, parcel("1", "prepared"), None),
            (9, parcel("1", "in_transit"), Some("order.shipped")),
            // Late, again, and in other words.
            (5, parcel("1", "prepared"), None),
            (9, parcel("1", "in_transit"), None),
            (10, parcel("1", "out_for_delivery"), None),
            (10, json!({"fulfilment": "fulfilled"}), None),
            // Another parcel, and the first one back in the depot.
            (11, parcel("2", "prepared"), None),
            (12, parcel("2", "in_transit"), None),
            (13, parcel("1", "prepared"), None),
            (20, parcel("1", "delivered"), None),
            (21, parcel("2", "delivered"), Some("order.delivered")),
            (22, json!({"fulfilment": "delivered"}), None),
            (30, json!({"fulfilment": "returned"}), None),
            (31, json!({"fulfilment": "cancelled"}), Some("order.cancelled")),
            (32, json!({"fulfilment": "unfulfilled"}), None),
            (33, json!({"fulfilment": "cancelled"}), None),
        ] {
            assert_eq!(
                take(&mut order, &report(minute, &parts)).first().copied(),
                news,
                "{minute}"
            );
            tell(&mut order);
        }
        assert_eq!(order.news.len(), 5);
    }

    #[test]
    fn only_the_latest_news_is_told() {
        let mut order = fresh_order();
        take(&mut order, &report(5, &parcel("1", "prepared")));
        assert_eq!(take(&mut order, &report(6, &parcel("1", "in_transit"))).len(), 3);
        assert_eq!(order.settle_older_news(), Some(OrderEvent::Shipped));
        assert_eq!(waiting(&order), ["order.shipped"]);
        assert_eq!(untold(&order, OrderEvent::Packed), Some(Untold::Replaced));
        take(&mut order, &report(7, &json!({"fulfilment": "cancelled"})));
        assert_eq!(order.settle_older_news(), Some(OrderEvent::Cancelled));
        assert_eq!(untold(&order, OrderEvent::Shipped), Some(Untold::Cancelled));
        // Nothing is told after the cancellation, whatever the carrier reports.
        assert_eq!(
            take(&mut order, &report(8, &parcel("1", "delivered"))),
            ["order.cancelled"]
        );
        // An earlier event that is reported late is known, and told to nobody.
        let mut late = fresh_order();
        take(&mut late, &report(9, &parcel("1", "in_transit")));
        take(&mut late, &report(10, &parcel("2", "prepared")));
        assert_eq!(untold(&late, OrderEvent::Packed), Some(Untold::Replaced));
    }

    #[test]
    fn lost_parcel_is_neither_shipped_nor_delivered() {
        for parts in [
            parcel("1", "failed"),
            json!({"fulfilment": "fulfilled", "shipments": [{"reference": "1", "state": "failed"}]}),
            json!({"fulfilment": "delivered", "shipments": [{"reference": "1", "state": "failed"}]}),
            json!({"fulfilment": "partially_fulfilled"}),
            json!({"fulfilment": "partially_fulfilled", "shipments": [{"reference": "1", "state": "delivered"}]}),
            json!({"shipments": [{"reference": "1", "state": "delivered"}, {"reference": "2", "state": "failed"}]}),
            json!({"shipments": [{"reference": "1", "state": "cancelled"}]}),
        ] {
            let mut order = fresh_order();
            tell(&mut order);
            assert!(take(&mut order, &report(5, &parts)).is_empty(), "{parts}");
        }
        // Lost before its message was made.
        let mut order = fresh_order();
        tell(&mut order);
        take(&mut order, &report(5, &parcel("1", "in_transit")));
        take(&mut order, &report(6, &parcel("1", "failed")));
        assert_eq!(order.settle_older_news(), None);
        assert_eq!(untold(&order, OrderEvent::Shipped), Some(Untold::Withdrawn));
    }

    /// Somebody packs the wrong order, and says so before its message is sent. It is told when it is true.
    #[test]
    fn state_that_was_taken_back_is_told_once_it_is_true() {
        for (parts, back, event) in [
            (
                json!({"fulfilment": "fulfilled"}),
                json!({"fulfilment": "unfulfilled"}),
                OrderEvent::Shipped,
            ),
            (
                json!({"fulfilment": "cancelled"}),
                json!({"fulfilment": "unfulfilled"}),
                OrderEvent::Cancelled,
            ),
        ] {
            let mut order = fresh_order();
            tell(&mut order);
            take(&mut order, &report(5, &parts));
            tell(&mut order);
            assert!(!order.has_open_news());
            assert!(take(&mut order, &report(6, &back)).is_empty());
            assert!(order.has_open_news(), "its message may have to be ended");
            // It was sent: it stays told.
            let mut sent = order.clone();
            sent.withdraw_news(&[]);
            assert!(take(&mut sent, &report(7, &parts)).is_empty());
            let message = order.news_of(event).unwrap().message.unwrap();
            order.withdraw_news(&[message]);
            assert_eq!(untold(&order, event), Some(Untold::Withdrawn));
            assert!(!order.has_open_news());
            assert_eq!(take(&mut order, &report(7, &parts)), [event.as_str()]);
            assert_eq!(order.news.len(), 2);
        }
    }

    #[test]
    fn news_is_about_the_parcel_that_left() {
        for (parts, about) in [
            (
                json!({"shipments": [{"reference": "1", "state": "prepared"}, {"reference": "2", "state": "in_transit"}]}),
                Some("2"),
            ),
            (
                json!({"fulfilment": "partially_fulfilled", "shipments": [{"reference": "1", "state": "in_transit"}]}),
                Some("1"),
            ),
            (
                json!({"fulfilment": "fulfilled", "shipments": [{"reference": "1", "state": "prepared"}]}),
                Some("1"),
            ),
            (json!({"fulfilment": "fulfilled"}), None),
        ] {
            let mut order = fresh_order();
            assert!(
                take(&mut order, &report(5, &parts)).contains(&"order.shipped"),
                "{parts}"
            );
            let news = order.news_of(OrderEvent::Shipped).unwrap().clone();
            let shipment = order.shipment_of(&news).map(|shipment| shipment.reference.as_str());
            assert_eq!((shipment, news.at), (about, at(5)), "{parts}");
        }
    }

    #[test]
    fn history_and_tests_are_told_to_nobody() {
        const DAY: i64 = 24 * 60;
        let shipped = report(DAY, &parcel("1", "in_transit"));
        let first = |change: Value, now: i64| new_order(&shipped, &change, now);
        assert_eq!(waiting(&first(json!({}), DAY)), ["order.shipped"]);
        let history = first(json!({}), DAY + 1);
        assert!(!history.has_open_news());
        assert_eq!(untold(&history, OrderEvent::Shipped), Some(Untold::TooOld));
        let test = first(json!({"test": true}), DAY);
        assert!(!test.has_open_news());
        assert_eq!(untold(&test, OrderEvent::Shipped), Some(Untold::Test));
        // What becomes of it afterwards is news, as long as it is fresh.
        let mut history = history;
        assert_eq!(
            take(&mut history, &report(DAY + 9, &parcel("1", "delivered"))),
            ["order.delivered"]
        );
        let news = history.news_of(OrderEvent::Delivered).unwrap();
        assert!(!news.is_too_old(at(2 * DAY + 9)));
        assert!(news.is_too_old(at(2 * DAY + 10)));
    }
}
