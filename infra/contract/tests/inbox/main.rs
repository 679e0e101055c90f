//! The inbox by the functions that work together on it.
//!
//! Replies come in bursts, by the function `messages`, and leave through `send_message`, while workers crash, jobs come twice and in any order,
//! and the provider answers with every fault: each customer gets them in order, and each at most once.

mod late;
mod orders;
mod receivers;

use std::collections::BTreeMap;

use domain::Timestamp;
use domain::accounts::Role;
use domain::messages::{AttemptState, Message};
use domain::people::Contact;
use domain::terms::{ConversationId, MessageId};
use futures::{StreamExt as _, stream};
use jobs::SendMessage;
use kit::Job;
use send_message::{Context, handle};
use serde_json::json;
use testkit::api::Town;
use testkit::business::{business_with, mobile, phone};
use testkit::provider::Request;
use testkit::{Aws, Dice, Lossy, Provider, Reply, Seeded};

/// Customers who are answered; as many as this variable says, where it is set: `RINGBACK_TEST_BURSTS=100`.
const CUSTOMERS: usize = 2;

/// Replies to each, in one go.
const BURST: usize = 10;

/// The WhatsApp number of the business.
const WHATSAPP: &str = "+447700900999";

/// The fate of a send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Accepted,
    /// The connection breaks before the answer.
    Broken {
        taken: bool,
    },
    /// The provider answers with a server error.
    Busy {
        taken: bool,
    },
    /// Too many messages to this person.
    Throttled,
    /// A refusal without a known code.
    Refused,
}

impl Fate {
    /// Fate of a send to this person, after so many others to them.
    fn of(person: usize, earlier: usize) -> Self {
        match Dice::new(person as u64 * 1_000 + earlier as u64).below(20) {
            0 => Self::Broken { taken: true },
            1 => Self::Broken { taken: false },
            2 => Self::Busy { taken: true },
            3 => Self::Busy { taken: false },
            4 | 5 => Self::Throttled,
            6 => Self::Refused,
            _ => Self::Accepted,
        }
    }

    fn reply(self) -> Reply {
        match self {
            Self::Accepted => Reply::Accept,
            Self::Broken { .. } => Reply::Break,
            Self::Busy { .. } => Reply::Answer(503, vec![], json!("busy")),
            Self::Throttled => Reply::graph(400, 131056).header("retry-after", "20"),
            Self::Refused => Reply::Answer(404, vec![], json!("no")),
        }
    }

    const fn is_taken(self) -> bool {
        matches!(
            self,
            Self::Accepted | Self::Broken { taken: true } | Self::Busy { taken: true }
        )
    }
}

/// The customer that a request sends to.
fn person(request: &Request) -> usize {
    let recipient = request.recipient().expect("every send has a recipient");
    let digits: String = recipient.chars().filter(char::is_ascii_digit).collect();
    let mut all = 0..1_000;
    let is = |person: &usize| mobile(*person).trim_start_matches('+') == digits;
    all.find(is).expect("it is one of the customers")
}

/// The number of the reply that a request sends, from its text.
fn place(request: &Request) -> usize {
    let text = request.json()["text"]["body"].as_str().map(str::to_owned);
    let text = text.or_else(|| request.field("Body")).expect("a text");
    text.trim_start_matches("Reply ").parse().expect("a number")
}

/// A customer who has written by WhatsApp.
async fn wrote(aws: &Aws, business: &Seeded, person: usize) -> ConversationId {
    let now = aws.now();
    let known = |contact: &mut Contact| {
        contact.open_window(&phone(WHATSAPP), &contact.recipient(), now);
        contact.last_inbound_at = Some(now);
    };
    let contact = business.contact_with(aws, &mobile(person), known).await;
    business.receive_noted(aws, contact.id, None).await
}

struct World<'a> {
    aws: &'a Aws,
    business: &'a Seeded,
    workers: [Context; 2],
    /// Workers that lose answers of AWS, and end then.
    lossy: Lossy,
    failing: Context,
    dice: Dice,
    jobs: usize,
}

impl World<'_> {
    /// Messages that are still to be sent.
    async fn open(&self, ids: &[MessageId]) -> Vec<Message> {
        let mut found = Vec::new();
        for some in ids.chunks(100) {
            found.extend(self.messages(some).await);
        }
        found.retain(|message| message.due.is_some());
        found
    }

    async fn messages(&self, ids: &[MessageId]) -> Vec<Message> {
        let (store, scope) = (self.aws.store(), self.business.scope());
        let read = store.messages(scope, ids, self.aws.now()).await;
        read.expect("the table answers")
    }

    /// Some of the jobs that are ready are done, some twice, and some by workers that crash.
    async fn round(&mut self, ready: &[Message]) {
        let mut jobs = Vec::new();
        for message in ready {
            let copies = 1 + usize::from(self.dice.once_in(4));
            for _copy in 0..copies {
                let job = Job::new(SendMessage::next_of(self.business.tenant(), message), 1);
                let place = self.dice.below(jobs.len() + 1);
                jobs.insert(place, (job, self.dice.below(16)));
            }
        }
        self.jobs += jobs.len();
        for (_, worker) in &jobs {
            if *worker == 0 {
                let operation = ["PutItem", "UpdateItem", "TransactWriteItems"][self.dice.below(3)];
                self.lossy.lose_all(operation);
            }
        }
        let work = jobs.into_iter().map(async |(job, worker)| {
            let ctx = match worker {
                0 => &self.failing,
                worker => &self.workers[worker % 2],
            };
            // A job that fails comes again, since its message is due.
            drop(Box::pin(handle(job, ctx)).await);
        });
        stream::iter(work).buffer_unordered(8).collect::<()>().await;
    }
}

#[tokio::test]
async fn replies_of_a_burst_leave_in_order_and_once() {
    let people = testkit::size("RINGBACK_TEST_BURSTS", CUSTOMERS);
    let (aws, provider) = (Aws::new().await, Provider::start());
    provider.reply_by(|request, earlier| Fate::of(person(request), earlier).reply());
    let business = business_with(&aws, |configured| configured.tenant.caps = Some(Vec::new().into()));
    let (town, business) = (Town::new(&aws, messages::routes).await, Box::pin(business).await);
    let lossy = Lossy::before(&aws);
    let context = |env| Context::new(&env).expect("a context");
    let mut world = World {
        aws: &aws,
        business: &business,
        workers: [context(provider.env(&aws)), context(provider.env(&aws))],
        failing: context(provider.env_with(&aws, &[("AWS_ENDPOINT_URL", lossy.url())])),
        lossy,
        dice: Dice::new(7),
        jobs: 0,
    };
    let mut ids: Vec<MessageId> = Vec::new();
    let agent = town.key_of(business.scope(), Role::Agent).await;
    for customer in 0..people {
        // Sixty replies a minute.
        aws.pass(11);
        let conversation = wrote(&aws, &business, customer).await;
        for place in 0..BURST {
            let path = format!("/api/v1/conversations/{conversation}/messages");
            let reply = json!({"seen": 1, "text": format!("Reply {place}")});
            let sent = agent.post(&path, reply).await;
            let id = sent.is(201).json()["id"].as_str().and_then(|id| id.parse().ok());
            ids.push(id.expect("an id"));
        }
    }
    let (began, mut unfinished) = (aws.now(), ids.clone());
    for round in 0.. {
        let open = world.open(&unfinished).await;
        let Some(next) = open.iter().filter_map(|message| message.due).min() else {
            break;
        };
        unfinished = open.iter().map(|message| message.id).collect();
        assert!(round < 5_000, "{} never come to rest", unfinished.len());
        aws.pass(next.duration_since(aws.now()).as_secs().max(0) + 1);
        let now = aws.now();
        let ready: Vec<Message> = open
            .into_iter()
            .filter(|one| one.due.is_some_and(|due| due <= now))
            .collect();
        world.round(&ready).await;
    }
    check(&world, &provider.sends(), &ids, began).await;
}

/// Each customer got each reply at most once, none before an earlier one, and what is said of each is true.
async fn check(world: &World<'_>, sends: &[Request], ids: &[MessageId], began: Timestamp) {
    let mut by_person: BTreeMap<usize, Vec<(usize, Fate)>> = BTreeMap::new();
    for request in sends {
        let of = by_person.entry(person(request)).or_default();
        let fate = Fate::of(person(request), of.len());
        of.push((place(request), fate));
    }
    let (mut reached, mut unknown) = (0, 0);
    for (person, got) in &by_person {
        assert!(got.is_sorted_by_key(|(place, _)| *place), "customer {person}: {got:?}");
        let mine = &ids[person * BURST..][..BURST];
        let messages = world.messages(mine).await.into_iter();
        let messages: BTreeMap<MessageId, Message> = messages.map(|message| (message.id, message)).collect();
        for (place, id) in mine.iter().enumerate() {
            let taken = got.iter().filter(|(of, fate)| *of == place && fate.is_taken()).count();
            assert!(taken <= 1, "customer {person} got reply {place} {taken} times: {got:?}");
            let message = &messages[id];
            let has = |state| message.attempts.iter().any(|attempt| attempt.state == state);
            match (has(AttemptState::Accepted), has(AttemptState::Unknown)) {
                (true, _) => assert_eq!(taken, 1, "customer {person}, reply {place}: {got:?}"),
                (false, true) => unknown += 1,
                (false, false) => assert_eq!(taken, 0, "customer {person}, reply {place}: {message:?}, {got:?}"),
            }
            reached += taken;
        }
    }
    let (all, minutes) = (ids.len(), world.aws.now().duration_since(began).as_mins());
    println!(
        "{reached} of {all} replies arrived, {unknown} are in doubt, after {} jobs in {minutes} minutes by the clock",
        world.jobs
    );
    assert_eq!(by_person.len() * BURST, all);
    assert!(reached * 10 > all * 7, "{reached} of {all} arrived");
    assert!(unknown > 0, "the provider left nobody in doubt");
}
