//! The life of an accepted message: sent, delivered, read, failed, or waiting for a phone that is off.

use std::sync::Arc;
use std::time::Duration;

use crate::delivery::Webhook;
use crate::faults::{Api, Event, Kind, Rule};
use crate::outbox::{Channel, Sent, Status, Via};
use crate::random::Random;
use crate::world::{Sims, State};
use crate::{graph, twilio};

/// The course of a message, decided when it is accepted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Course {
    /// It fails with this code.
    pub(crate) fails: Option<u32>,
    /// The phone is off: this rule holds everything after `sent`.
    held: Option<Rule>,
    /// The provider fetches the message's file from this URL first.
    pub(crate) fetches: Option<String>,
    /// Webhooks are delivered this many times.
    copies: u32,
    reordered: bool,
}

impl Course {
    /// Decides by the faults that apply to this message now.
    pub(crate) fn decide(state: &mut State, sent: &Sent) -> Self {
        let api = match sent.via {
            Via::Graph => Api::Graph,
            Via::Twilio => Api::Twilio,
        };
        let event = Event::new(api, &sent.tenant, Some(&sent.to));
        let fails = match sent.channel {
            Channel::Whatsapp => state
                .fault(event, &[Kind::NotOnWhatsapp, Kind::Blocked])
                .map(|_| match sent.via {
                    Via::Graph => 131026,
                    Via::Twilio => 63024,
                }),
            Channel::Sms => state.fault(event, &[Kind::Blocked]).map(|_| 30004),
        };
        let marketing = sent.channel == Channel::Whatsapp && sent.wire.category.starts_with("marketing");
        let stopped = state
            .marketing_stopped
            .contains(&(sent.tenant.clone(), sent.to.clone()));
        let fails = fails.or_else(|| match (marketing, sent.via) {
            (true, Via::Graph) if stopped => Some(131050),
            (true, Via::Twilio) if stopped => Some(63033),
            (true, Via::Twilio) if state.fault(event, &[Kind::MarketingOff]).is_some() => Some(63062),
            // Meta delivers no marketing to the United States.
            (true, Via::Graph) if sent.to.starts_with("+1") => Some(131049),
            (true, Via::Twilio) if sent.to.starts_with("+1") => Some(63049),
            _ => None,
        });
        Self {
            fails,
            fetches: None,
            // A failure does not wait for the phone.
            held: if fails.is_none() {
                state.fault(event, &[Kind::Offline])
            } else {
                None
            },
            copies: state.copies(event),
            reordered: state.fault(event, &[Kind::ReorderedWebhooks]).is_some(),
        }
    }
}

/// Stores an accepted message and starts its course.
pub(crate) fn accept(world: &Sims, state: &mut State, sent: Sent, mut course: Course) {
    let (id, number) = (sent.id.clone(), sent.to.clone());
    state.keep(sent.clone());
    world.notify_viewers(&number);
    let (world, busy) = (Arc::clone(world), world.busy());
    tokio::spawn(async move {
        if let Some(url) = course.fetches.take()
            && let Err(code) = twilio::fetch_media(&world, &id, &url).await
        {
            course.fails = course.fails.or(Some(code));
            course.held = None;
        }
        let order = format!("{number} {}", sent.key.as_deref().unwrap_or_default());
        let steps = steps(&sent, &course, world.config().auto_read);
        let arrivals = arrivals(&world, &order, &steps, &course);
        let (mut busy, mut waited) = (Some(busy), false);
        let mut passed = Duration::ZERO;
        for ((status, code, at), arrival) in steps.into_iter().zip(arrivals) {
            let held = course.held.as_ref().filter(|_| status != "sent");
            if let Some(rule) = held
                && !waited
            {
                waited = true;
                // Waiting for a phone is not work in progress: the simulators count as idle meanwhile.
                drop(busy.take());
                world.wait_for_phone(rule.id, rule.seconds).await;
                busy = Some(world.busy());
            }
            tokio::time::sleep(at.saturating_sub(passed)).await;
            passed = passed.max(at);
            if let Some(webhook) = record(&world, &id, status, code) {
                world.deliver_later(&webhook, arrival.saturating_sub(at), course.copies);
            }
        }
        drop(busy);
    });
}

type Step = (&'static str, Option<u32>, Duration);

/// The steps of a course, with their times after acceptance.
fn steps(sent: &Sent, course: &Course, auto_read: bool) -> Vec<Step> {
    let delays = sent.wire.delays;
    let [sent_at, delivered_at, read_at] = [delays.sent, delays.delivered, delays.read].map(Duration::from_millis);
    if let Some(code) = course.fails {
        return match (sent.via, sent.channel) {
            (Via::Graph, _) => vec![("failed", Some(code), sent_at)],
            (Via::Twilio, Channel::Whatsapp) => vec![("undelivered", Some(code), sent_at)],
            (Via::Twilio, Channel::Sms) => {
                vec![("sent", None, sent_at), ("undelivered", Some(code), delivered_at)]
            }
        };
    }
    if sent.shown.reaction.is_some() {
        return vec![("sent", None, sent_at)];
    }
    let mut steps = vec![("sent", None, sent_at), ("delivered", None, delivered_at)];
    if sent.channel == Channel::Whatsapp && auto_read {
        steps.push(("read", None, read_at));
    }
    steps
}

/// Arrival of each step's webhook: at once, or out of order.
fn arrivals(world: &Sims, occasion: &str, steps: &[Step], course: &Course) -> Vec<Duration> {
    let times: Vec<_> = steps.iter().map(|step| step.2).collect();
    if !course.reordered || steps.len() < 2 {
        return times;
    }
    let last = times.iter().max().copied().unwrap_or_default();
    // Far enough apart that redelivery and scheduling do not restore the order.
    let gap = Duration::from_millis(world.config().status_delay_ms.delivered.max(20));
    let mut order: Vec<usize> = (0..steps.len()).collect();
    Random::of(world.config().seed, occasion).shuffle(&mut order);
    if order.is_sorted() {
        order.reverse();
    }
    order
        .into_iter()
        .map(|place| last + gap * u32::try_from(place).unwrap_or(0))
        .collect()
}

/// Records a status and creates its webhook. `None` if the message is gone, cannot have the status any more, or nobody requested
/// callbacks.
pub(crate) fn record(world: &Sims, id: &str, status: &'static str, code: Option<u32>) -> Option<Webhook> {
    let at = world.now();
    let config = world.config();
    let mut state = world.state();
    let sent = state.sent_mut(id)?;
    if sent.statuses.iter().any(|known| known.status == status) {
        return None;
    }
    sent.statuses.push(Status { status, at, code });
    let sent = sent.clone();
    let name = state.phone(&sent.to).name(&sent.to);
    drop(state);
    world.notify_viewers(&sent.to);
    match sent.via {
        Via::Graph => graph::status_webhook(&config, &sent, &name, status, at, code),
        Via::Twilio => twilio::status_webhook(world, &config, &sent, status, at, code),
    }
}

/// The person opens the chats: delivered WhatsApp messages become read. Returns their number.
pub(crate) fn read_all(world: &Sims, number: &str, tenant: Option<&str>) -> usize {
    let unread: Vec<String> = world
        .state()
        .outbox
        .iter()
        .filter(|sent| sent.to == number && sent.channel == Channel::Whatsapp)
        .filter(|sent| tenant.is_none_or(|tenant| tenant == sent.tenant))
        .filter(|sent| sent.latest() == "delivered")
        .map(|sent| sent.id.clone())
        .collect();
    for id in &unread {
        if let Some(webhook) = record(world, id, "read", None) {
            world.deliver_later(&webhook, Duration::ZERO, 1);
        }
    }
    unread.len()
}
