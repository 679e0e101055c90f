//! Many jobs, many workers, providers with every fault: at most one message per channel is ever accepted.

use std::collections::BTreeMap;

use domain::message::{AttemptState, Channel, Message};
use serde_json::{Value, json};
use testkit::{Reply, business::mobile};

use crate::world::{World, work_at_once};

/// A pseudo-random generator with the same numbers in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

/// A response, and whether the message was accepted.
type Played = (Reply, bool);

/// Whether the message may have been accepted, as far as the sender can tell.
const fn may_be_taken(reply: &Reply) -> bool {
    matches!(reply, Reply::Accept | Reply::Break | Reply::Answer(500.., ..))
}

fn reply(kind: u64) -> Played {
    match kind {
        0..=2 => (Reply::Accept, true),
        3 | 4 => (Reply::Break, kind == 3),
        5 | 6 => (Reply::Answer(503, vec![], json!("busy")), kind == 5),
        7 => {
            let slow = vec![("retry-after", "20".to_owned())];
            (Reply::Answer(429, slow, json!("slow down")), false)
        }
        8 => (Reply::graph(400, 131_026), false),
        _ => (Reply::Answer(404, vec![], json!("no")), false),
    }
}

/// Adds the messages to Twilio's list that it accepted since the last time without saying so.
fn list(world: &World, replies: &[Played], seen: &mut usize, listed: &mut Vec<Value>) {
    let sends = world.provider.sends();
    for (request, (reply, taken)) in sends.iter().zip(replies).skip(*seen) {
        if *taken && !request.is_graph() && !matches!(reply, Reply::Accept) {
            let sid = format!("SM{:032x}", 0xabc_0000 + listed.len());
            listed.push(json!({
                "sid": sid, "status": "sent", "direction": "outbound-api", "num_segments": "1", "error_code": null,
                "from": request.field("From"), "to": request.field("To"), "body": request.field("Body"),
                "date_created": world.aws.now().strftime("%a, %d %b %Y %H:%M:%S +0000").to_string(),
            }));
        }
    }
    *seen = sends.len();
    world.provider.list(listed.clone());
}

/// Workers process every message with three jobs at a time, and now and then a provider reports.
async fn a_round(world: &World, other: &send_message::Context, messages: &[Message], numbers: &mut Numbers) -> bool {
    let mut copies = Vec::new();
    for message in messages {
        let now = world.message(message).await;
        if now.due.is_some() {
            copies.extend([world.job(&now), world.job(&now), world.job(message)]);
        }
        let unsettled = now.last().is_some_and(|last| last.state == AttemptState::Accepted);
        if unsettled && numbers.below(3) == 0 {
            let state = [AttemptState::Sent, AttemptState::Delivered, AttemptState::Failed];
            let chosen = state[usize::try_from(numbers.below(3)).expect("one of three")];
            let provider_ref = now.last().and_then(|last| last.provider_ref.clone());
            world
                .reported(&now, chosen, &provider_ref.expect("what was accepted has one"))
                .await;
        }
    }
    let any = !copies.is_empty();
    work_at_once([&world.ctx, other], copies).await;
    any
}

#[tokio::test]
async fn no_channel_accepts_a_message_twice_whatever_fails() {
    let world = World::new().await;
    let other = world.another();
    let mut numbers = Numbers(7);
    let replies: Vec<Played> = (0..1000).map(|_| reply(numbers.below(10))).collect();
    for (reply, _) in &replies {
        world.provider.reply(reply.clone());
    }
    let mut messages = Vec::new();
    for last in 0..20 {
        let number = mobile(last);
        messages.push(Box::pin(world.business.follow_up(&world.aws, &number)).await);
    }
    let mut rounds = 0;
    let (mut seen, mut listed) = (0, Vec::new());
    while Box::pin(a_round(&world, &other, &messages, &mut numbers)).await {
        list(&world, &replies, &mut seen, &mut listed);
        world.aws.pass(i64::try_from(numbers.below(90)).expect("a few seconds"));
        rounds += 1;
        assert!(rounds < 400, "some message never comes to rest");
    }
    let mut taken: BTreeMap<(String, Channel), u32> = BTreeMap::new();
    let mut unclear: BTreeMap<(String, Channel), u32> = BTreeMap::new();
    let sends = world.provider.sends();
    for (request, (reply, was_taken)) in sends.iter().zip(&replies) {
        let channel = if request.is_graph() {
            Channel::WhatsApp
        } else {
            Channel::Sms
        };
        let key = request.key().expect("every send carries our key");
        let (message, _attempt) = key.rsplit_once('.').expect("message and attempt");
        let place = (message.to_owned(), channel);
        if *was_taken {
            *taken.entry(place.clone()).or_default() += 1;
        }
        if may_be_taken(reply) {
            *unclear.entry(place).or_default() += 1;
        }
    }
    assert!(taken.values().all(|count| *count == 1), "{taken:?}");
    for ((message, channel), count) in &unclear {
        // WhatsApp cannot be asked; Twilio is believed once.
        let most = if *channel == Channel::Sms { 2 } else { 1 };
        assert!(*count <= most, "{message} by {}: {count}", channel.name());
    }
    let again = unclear.values().filter(|count| **count == 2).count();
    assert!(again > 0, "the storm reached no message that Twilio did not take");
    assert!(taken.len() >= messages.len() / 2, "{taken:?}");
    for message in &messages {
        let message = world.message(message).await;
        assert_eq!(message.due, None, "{message:?}");
    }
}
