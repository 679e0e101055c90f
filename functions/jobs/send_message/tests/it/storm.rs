//! Many jobs, many workers, providers with every fault: at most one message per channel is ever accepted.
//!
//! Workers race, so requests arrive in any order. The answer to a send therefore depends on the message, the channel and the number of
//! earlier sends alone: whichever worker is first, each message has the same history.

use std::collections::BTreeMap;

use domain::messages::{AttemptState, Message};
use domain::terms::{Channel, SendKey};
use serde_json::{Value, json};
use testkit::Reply;
use testkit::business::mobile;
use testkit::provider::Request;

use super::world::{World, work_at_once};

/// Number of messages, each to another person.
const MESSAGES: usize = 20;

/// The fate of a send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// The provider accepts the message and says so.
    Accepted,
    /// The connection breaks before the answer.
    Broken {
        taken: bool,
    },
    Busy {
        taken: bool,
    },
    Throttled,
    /// The channel does not reach the recipient.
    Unreachable,
    /// A refusal without a code.
    Refused,
}

use Fate::{Accepted, Broken, Busy, Refused, Throttled, Unreachable};

/// The fates of the first messages, by WhatsApp and by SMS, so that these situations occur in every run.
const CERTAIN: [[&[Fate]; 2]; 6] = [
    // WhatsApp refuses. Twilio's list does not have the SMS, which is sent again.
    [&[Unreachable], &[Broken { taken: false }, Accepted]],
    // WhatsApp never says; the same by SMS.
    [&[Busy { taken: false }], &[Busy { taken: false }, Accepted]],
    // WhatsApp has it and never says. The second SMS is in Twilio's list.
    [
        &[Broken { taken: true }],
        &[Busy { taken: false }, Broken { taken: true }],
    ],
    // The first SMS is in Twilio's list.
    [&[Refused], &[Broken { taken: true }]],
    // Twilio takes neither SMS. There is no third one.
    [&[Refused], &[Broken { taken: false }, Busy { taken: false }]],
    // Both get too many requests at first.
    [&[Throttled, Refused], &[Throttled, Accepted]],
];

impl Fate {
    fn reply(self, channel: Channel) -> Reply {
        match (self, channel) {
            (Accepted, _) => Reply::Accept,
            (Broken { .. }, _) => Reply::Break,
            (Busy { .. }, _) => Reply::Answer(503, vec![], json!("busy")),
            // About this person only. A pause of the number would let a message skip WhatsApp, depending on who sees it.
            (Throttled, Channel::WhatsApp) => Reply::graph(400, 131056).header("retry-after", "20"),
            // The number pauses for all. SMS is the last channel, so a message only goes out later.
            (Throttled, Channel::Sms) => Reply::Answer(429, vec![], json!("slow down")).header("retry-after", "20"),
            (Unreachable, Channel::WhatsApp) => Reply::graph(400, 131026),
            (Unreachable, Channel::Sms) => Reply::twilio(400, 21211),
            (Refused, _) => Reply::Answer(404, vec![], json!("no")),
        }
    }

    /// Whether the message was accepted.
    const fn is_taken(self) -> bool {
        matches!(self, Accepted | Broken { taken: true } | Busy { taken: true })
    }

    /// Whether the message may have been accepted, as far as the sender can tell.
    const fn may_be_taken(self) -> bool {
        matches!(self, Accepted | Broken { .. } | Busy { .. })
    }
}

/// A pseudo-random number that depends on these alone.
fn draw_number(from: [usize; 3], below: u64) -> u64 {
    let mixed = from.into_iter().fold(7_u64, |sum, number| {
        let number = u64::try_from(number).expect("a small number");
        let sum = (sum ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        sum ^ (sum >> 29)
    });
    (mixed >> 33) % below
}

/// The fate of a send of the message at this place, after so many earlier ones by the same channel.
fn fate(place: usize, channel: Channel, earlier: usize) -> Fate {
    let by = usize::from(channel == Channel::Sms);
    if let Some(certain) = CERTAIN.get(place) {
        // An unforeseen message is accepted, and found at the end.
        return certain[by].get(earlier).copied().unwrap_or(Accepted);
    }
    match draw_number([place, by, earlier], 10) {
        0..=2 => Accepted,
        3 => Broken { taken: true },
        4 => Broken { taken: false },
        5 => Busy { taken: true },
        6 => Busy { taken: false },
        7 => Throttled,
        8 => Unreachable,
        _ => Refused,
    }
}

/// The place of the message that a request sends.
fn place(request: &Request) -> usize {
    let recipient = request.recipient().expect("every send has a recipient");
    let mut places = 0..MESSAGES;
    let place = places.find(|place| recipient.ends_with(mobile(*place).trim_start_matches('+')));
    place.expect("it is one of the customers")
}

fn channel(request: &Request) -> Channel {
    if request.is_graph() {
        Channel::WhatsApp
    } else {
        Channel::Sms
    }
}

/// A send that a provider got.
struct Got {
    request: Request,
    place: usize,
    channel: Channel,
    fate: Fate,
}

/// All sends so far, in the order of arrival.
fn all_sends(world: &World) -> Vec<Got> {
    let mut earlier: BTreeMap<(usize, Channel), usize> = BTreeMap::new();
    let sends = world.provider.sends().into_iter().map(|request| {
        let (place, channel) = (place(&request), channel(&request));
        let count = earlier.entry((place, channel)).or_default();
        let fate = fate(place, channel, *count);
        *count += 1;
        Got {
            request,
            place,
            channel,
            fate,
        }
    });
    sends.collect()
}

/// Adds the messages to Twilio's list that it accepted since the last time without saying so.
fn list(world: &World, seen: &mut usize, listed: &mut Vec<Value>) {
    let sends = all_sends(world);
    for got in sends.iter().skip(*seen) {
        if got.fate.is_taken() && got.fate != Accepted && got.channel == Channel::Sms {
            let sid = format!("SM{:032x}", 0xabc_0000 + listed.len());
            let field = |name: &str| got.request.field(name);
            listed.push(json!({
                "sid": sid, "status": "sent", "direction": "outbound-api", "num_segments": "1", "error_code": null,
                "from": field("From"), "to": field("To"), "body": field("Body"),
                "date_created": world.aws.now().strftime("%a, %d %b %Y %H:%M:%S +0000").to_string(),
            }));
        }
    }
    *seen = sends.len();
    world.provider.list(listed.clone());
}

/// The provider's report, if any, when an accepted attempt is looked at for the nth time.
fn report_at_look(place: usize, attempt: u32, look: usize) -> Option<AttemptState> {
    let attempt = usize::try_from(attempt).expect("a small number");
    match draw_number([100 + place, attempt, look], 9) {
        0 => Some(AttemptState::Sent),
        1 => Some(AttemptState::Delivered),
        2 => Some(AttemptState::Failed),
        _ => None,
    }
}

/// Workers process every message with three jobs at a time, and now and then a provider reports. `looks` counts how often each accepted
/// attempt was looked at.
async fn a_round(
    world: &World,
    other: &send_message::Context,
    messages: &[Message],
    looks: &mut BTreeMap<(usize, u32), usize>,
) -> bool {
    let mut copies = Vec::new();
    for (place, message) in messages.iter().enumerate() {
        let now = world.message(message).await;
        if now.due.is_some() {
            copies.extend([world.job(&now), world.job(&now), world.job(message)]);
        }
        let Some(accepted) = now.last().filter(|last| last.state == AttemptState::Accepted) else {
            continue;
        };
        let look = looks.entry((place, accepted.number)).or_default();
        *look += 1;
        if let Some(state) = report_at_look(place, accepted.number, *look) {
            let provider_ref = accepted.provider_ref.as_deref();
            world
                .apply_report(&now, state, provider_ref.expect("what was accepted has one"))
                .await;
        }
    }
    let any = !copies.is_empty();
    work_at_once([&world.ctx, other], copies).await;
    any
}

#[tokio::test]
async fn no_channel_accepts_a_message_twice_whatever_fails() {
    // More attempts than the usual caps allow.
    let world = World::with(|configured| configured.tenant.caps = Some(Vec::new().into())).await;
    let other = world.another_process();
    world.provider.reply_by(|request, earlier| {
        let channel = channel(request);
        fate(place(request), channel, earlier).reply(channel)
    });
    let mut messages = Vec::new();
    for place in 0..MESSAGES {
        let number = mobile(place);
        messages.push(world.follow_up_of(&number).await);
    }
    let mut rounds = 0;
    let (mut looks, mut seen, mut listed) = (BTreeMap::new(), 0, Vec::new());
    while Box::pin(a_round(&world, &other, &messages, &mut looks)).await {
        list(&world, &mut seen, &mut listed);
        let seconds = draw_number([1000, rounds, 0], 90);
        world.aws.pass(i64::try_from(seconds).expect("a few seconds"));
        rounds += 1;
        assert!(rounds < 400, "some message never comes to rest");
    }
    let mut sent: BTreeMap<(usize, Channel), usize> = BTreeMap::new();
    let mut taken: BTreeMap<(usize, Channel), usize> = BTreeMap::new();
    let mut unclear: BTreeMap<(usize, Channel), usize> = BTreeMap::new();
    for got in all_sends(&world) {
        let key = got.request.key().expect("every send carries our key");
        let key: SendKey = key.parse().expect("our key");
        assert_eq!(key.message, messages[got.place].id);
        let of = (got.place, got.channel);
        *sent.entry(of).or_default() += 1;
        if got.fate.is_taken() {
            *taken.entry(of).or_default() += 1;
        }
        if got.fate.may_be_taken() {
            *unclear.entry(of).or_default() += 1;
        }
    }
    assert!(taken.values().all(|count| *count == 1), "{taken:?}");
    for ((place, channel), count) in &unclear {
        // WhatsApp cannot be asked; Twilio is believed once.
        let most = if *channel == Channel::Sms { 2 } else { 1 };
        assert!(*count <= most, "{place} by {}: {count}", channel.name());
    }
    for (place, [whatsapp, sms]) in CERTAIN.iter().enumerate() {
        let sends = [Channel::WhatsApp, Channel::Sms].map(|channel| sent.get(&(place, channel)).copied());
        assert_eq!(sends, [Some(whatsapp.len()), Some(sms.len())], "message {place}");
    }
    assert!(taken.len() >= messages.len() / 2, "{taken:?}");
    for message in &messages {
        let message = world.message(message).await;
        assert_eq!(message.due, None, "{message:?}");
    }
}
