//! Clients lose their sockets at any moment, while shards come in any order, batches twice, late or in parts, and end with what the API
//! shows. They follow as `docs/live.md` says, by the functions `live` and `live_socket`.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use aws_lambda_events::dynamodb::EventRecord;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::accounts::Role;
use domain::inbox::{Conversation, Happening, What};
use domain::terms::{CallId, ContactId, ConversationId};
use kit::sockets::{Answer, Did, SocketEvent};
use kit::stream::Batch;
use publish_events::{Context, handle};
use serde_json::{Value, json};
use store::{TenantScope, Versioned};
use testkit::api::{House, Town};
use testkit::sockets::{Gateway, socket_id};
use testkit::stream::{Filter, Rows, record, rows};
use testkit::{Aws, Dice, Lossy};

/// A client. It knows the number of the latest happening of each conversation that it was told of.
struct Client {
    of_home: bool,
    role: Role,
    connection: String,
    opened: usize,
    cursor: Option<String>,
    /// The cursor that it began with.
    since: String,
    known: BTreeSet<String>,
    seen: BTreeMap<String, u64>,
}

impl Client {
    const fn new(of_home: bool, role: Role) -> Self {
        Self {
            of_home,
            role,
            connection: String::new(),
            opened: 0,
            cursor: None,
            since: String::new(),
            known: BTreeSet::new(),
            seen: BTreeMap::new(),
        }
    }

    fn note(&mut self, events: &Value) {
        for event in events.as_array().expect("events") {
            if self.known.insert(event["id"].to_string())
                && let (Some(id), Some(seq)) = (event["conversation_id"].as_str(), event["seq"].as_u64())
            {
                let seen = self.seen.entry(id.to_owned()).or_default();
                *seen = seq.max(*seen);
            }
        }
    }
}

/// A shard of the stream: what is to be delivered, and what was.
#[derive(Default)]
struct Shard {
    waiting: VecDeque<EventRecord>,
    delivered: Vec<EventRecord>,
}

struct World<'a> {
    aws: &'a Aws,
    town: Town<'a>,
    gateway: Gateway,
    sockets: live_socket::Context,
    publish: Context,
    refused: Context,
    filter: Filter,
    /// Conversations of the home tenant, and of the other one.
    conversations: [Vec<ConversationId>; 2],
    images: HashMap<ConversationId, ((String, String), serde_dynamo::Item)>,
    shards: [Shard; 2],
    changes: usize,
    dice: Dice,
}

impl<'a> World<'a> {
    async fn new(aws: &'a Aws, lossy: &Lossy, seed: u64) -> Self {
        let gateway = Gateway::start();
        let env = aws.env_with(&[("CONNECTIONS_URL", gateway.url())]);
        lossy.deny("PutItem");
        let refused = aws.env_with(&[("CONNECTIONS_URL", gateway.url()), ("AWS_ENDPOINT_URL", lossy.url())]);
        let conversation = |_| ConversationId::of(ContactId::new(aws.ids().ulid()), None);
        let conversations = [8, 2].map(|count| (0..count).map(conversation).collect());
        let town = Town::with_env(aws, &aws.env_with(&[("LIVE_URL", gateway.url())]), live::routes).await;
        Self {
            aws,
            town,
            sockets: live_socket::Context::new(&env).expect("a context"),
            publish: Context::new(&env).expect("a context"),
            refused: Context::new(&refused).expect("a context"),
            gateway,
            filter: Filter::of("publish_events"),
            conversations,
            images: HashMap::new(),
            shards: Default::default(),
            changes: 0,
            dice: Dice::new(seed),
        }
    }

    fn house(&self, of_home: bool) -> &House {
        if of_home { &self.town.home } else { &self.town.away }
    }

    /// The row of a conversation, with its key.
    async fn image(&self, id: ConversationId) -> ((String, String), serde_dynamo::Item) {
        if let Some((key, _)) = self.images.get(&id) {
            let text = |text: &String| AttributeValue::S(text.clone());
            let asked = self.aws.dynamodb().get_item().table_name(self.aws.table());
            let asked = asked.key("pk", text(&key.0)).key("sk", text(&key.1)).send().await;
            let row = asked.expect("the table answers").item.expect("the conversation's row");
            return (key.clone(), row.into());
        }
        let all: Rows = rows(self.aws).await;
        let contact = id.contact().to_string();
        let of = |(pk, sk): &(String, String)| {
            let contact = contact.rsplit('_').next().unwrap_or_default();
            sk.starts_with("CONV") && pk.ends_with(contact)
        };
        let found = all.into_iter().find(|(key, _)| of(key));
        found.expect("the conversation's row")
    }

    /// Something happens in a conversation, and comes into the stream.
    async fn change(&mut self) {
        let of_home = !self.dice.once_in(6);
        let all = &self.conversations[usize::from(!of_home)];
        let place = self.dice.below(all.len());
        let id = all[place];
        let (store, scope) = (self.aws.store(), self.house(of_home).scope());
        let now = self.aws.now();
        let known = store.conversation(scope, id).await.expect("the table answers");
        let mut known = known.unwrap_or_else(|| Versioned {
            value: Conversation::empty(id, now),
            version: 0,
        });
        let call = CallId::new(id.contact(), self.aws.ids().ulid());
        let what = What::Missed(call);
        known.value.note(Happening { at: now, what }, None);
        let written = store.write_conversation(scope, &known, None).await;
        written.expect("the conversation is written");
        let after = self.image(id).await;
        let before = self.images.insert(id, after.clone());
        let before = before.map(|(_, row)| row).unwrap_or_default();
        let record = record(self.changes, before, after.1);
        self.changes += 1;
        assert!(self.filter.admits(&record));
        // Of one contact, all in one shard.
        self.shards[place % 2].waiting.push_back(record);
    }

    /// Delivers the next records of a shard, or some that were delivered before. `fails`: the table refuses that they are kept.
    async fn deliver(&mut self, fails: bool) -> bool {
        let shard = self.dice.below(2);
        let size = 1 + self.dice.below(4);
        let replays = self.dice.once_in(6) && !self.shards[shard].delivered.is_empty();
        let of = &self.shards[shard];
        let records: Vec<EventRecord> = if replays {
            let from = self.dice.below(of.delivered.len());
            of.delivered[from..].iter().take(size).cloned().collect()
        } else {
            of.waiting.iter().take(size).cloned().collect()
        };
        if records.is_empty() {
            return true;
        }
        let batch = Batch {
            shard: format!("shard-{shard}"),
            records,
            again: false,
        };
        let count = batch.records.len();
        let ctx = if fails { &self.refused } else { &self.publish };
        let done = handle(batch, ctx).await;
        let shard = &mut self.shards[shard];
        if done.is_ok() && !replays {
            let delivered: Vec<EventRecord> = shard.waiting.drain(..count).collect();
            shard.delivered.extend(delivered);
        }
        done.is_ok()
    }

    async fn socket(&self, connection: &str, did: Did) -> Answer {
        let event = SocketEvent {
            id: socket_id(connection),
            network: None,
            did,
        };
        let answer = live_socket::handle(event, &self.sockets).await;
        answer.expect("the event is handled")
    }

    /// Asks as the client, again after five seconds while it asks too often.
    async fn ask(&self, client: &Client, path: &str) -> Value {
        let house = self.house(client.of_home);
        loop {
            let person = self.town.of(house, client.role);
            let answer = if path.ends_with("ticket") {
                person.post(path, json!({})).await
            } else {
                person.get(path).await
            };
            match answer.status() {
                429 => self.aws.pass(5),
                // Sockets that went away without a word count until they are found.
                409 => self.aws.pass(60),
                _ => return answer.is(200).json(),
            }
        }
    }

    async fn begin(&self, client: &mut Client) {
        let ticket = self.ask(client, "/api/v1/live/ticket").await;
        let cursor = ticket["cursor"].as_str().expect("a cursor").to_owned();
        if client.cursor.is_none() {
            (client.since, client.cursor) = (cursor.clone(), Some(cursor));
        }
        client.opened += 1;
        client.connection = format!("{}-{}-{}", client.of_home, client.role, client.opened);
        let ticket = ticket["ticket"].as_str().expect("a ticket").to_owned();
        let connect = Did::Connect([("ticket".to_owned(), ticket)].into());
        assert_eq!(self.socket(&client.connection, connect).await, Answer::Taken);
        let watch = json!({"action": "watch", "views": ["inbox:all"]}).to_string();
        self.socket(&client.connection, Did::Say(watch)).await;
        // As long as it has not caught up, it takes no cursor of what it is told.
        let mut behind = None;
        for frame in self.gateway.take_messages(&socket_id(&client.connection)) {
            match frame["type"].as_str() {
                Some("events") => client.note(&frame["events"]),
                Some("catch_up") => behind = frame["cursor"].as_str().map(str::to_owned),
                Some("watching") => {}
                _ => panic!("{frame}"),
            }
        }
        self.catch_up(client).await;
        if behind.is_some() {
            client.cursor = behind;
            self.catch_up(client).await;
        }
    }

    async fn catch_up(&self, client: &mut Client) {
        loop {
            let after = client.cursor.as_ref().expect("it has begun");
            let page = self.ask(client, &format!("/api/v1/live/events?after={after}")).await;
            client.note(&page["events"]);
            client.cursor = Some(page["cursor"].as_str().expect("a cursor").to_owned());
            if page["more"] == false {
                return;
            }
        }
    }

    async fn hear(&self, client: &mut Client) {
        for frame in self.gateway.take_messages(&socket_id(&client.connection)) {
            if let Some(cursor) = frame["cursor"].as_str() {
                client.cursor = Some(cursor.to_owned());
            }
            match frame["type"].as_str() {
                Some("events") => client.note(&frame["events"]),
                Some("catch_up") => self.catch_up(client).await,
                Some("watching" | "pong") => {}
                _ => panic!("{frame}"),
            }
        }
    }

    /// Cuts the connection of a client, with the loss of all that was on its way.
    async fn cut(&mut self, client: &mut Client, fails: bool) {
        let id = socket_id(&client.connection);
        match self.dice.below(3) {
            0 => {
                self.socket(&client.connection, Did::Disconnect).await;
            }
            1 => self.gateway.lose(&id),
            // Nobody notices for a while, and what is sent is taken.
            _ => {
                self.deliver(fails).await;
                self.gateway.lose(&id);
            }
        }
        self.gateway.take_messages(&id);
    }
}

/// The tenant of each client is changed by others, too: what it sees is its own.
async fn play(seed: u64, cuts: usize, failures: std::ops::Range<usize>) -> usize {
    let aws = Aws::new().await;
    let lossy = Lossy::before(&aws);
    let mut world = Box::pin(World::new(&aws, &lossy, seed)).await;
    let roles = [Role::Viewer, Role::Agent, Role::Manager, Role::Admin];
    let mut clients: Vec<Client> = roles.map(|role| Client::new(true, role)).into();
    clients.push(Client::new(false, Role::Admin));
    for client in &mut clients {
        world.begin(client).await;
    }
    let (mut cut, mut round, mut failed) = (0, 0, 0);
    while cut < cuts || round < failures.end {
        round += 1;
        world.change().await;
        let fails = failures.contains(&round);
        failed += usize::from(!world.deliver(fails).await);
        aws.pass(i64::try_from(world.dice.below(3)).expect("seconds"));
        for client in &mut clients {
            match world.dice.below(4) {
                0 | 1 => world.hear(client).await,
                2 => {
                    world.cut(client, fails).await;
                    world.begin(client).await;
                    cut += 1;
                }
                // The gateway fails for a moment.
                _ => world.gateway.fail(&socket_id(&client.connection), 1),
            }
        }
    }
    while world.shards.iter().any(|shard| !shard.waiting.is_empty()) {
        world.deliver(false).await;
    }
    for client in &mut clients {
        world.gateway.fail(&socket_id(&client.connection), 0);
        world.hear(client).await;
        let ping = Did::Say(r#"{"action": "ping"}"#.to_owned());
        world.socket(&client.connection, ping).await;
        world.hear(client).await;
        let mut shown = BTreeMap::new();
        let scope: &TenantScope = world.house(client.of_home).scope();
        for id in &world.conversations[usize::from(!client.of_home)] {
            if let Some(row) = aws.store().conversation(scope, *id).await.expect("the table answers") {
                shown.insert(id.to_string(), row.value.seq);
            }
        }
        // Whoever reads everything knows of no other event.
        let mut everything = Client::new(client.of_home, client.role);
        everything.cursor = Some(client.since.clone());
        world.catch_up(&mut everything).await;
        let missed = everything.known.difference(&client.known).count();
        let (all, who) = (everything.known.len(), client.role);
        let when = format!("after {} sockets, seed {seed}", client.opened);
        assert_eq!(missed, 0, "of {all} events, {who} {when}");
        assert_eq!(client.seen, shown, "{who} {when}");
    }
    assert!(clients.iter().all(|client| client.opened > 1));
    failed
}

/// Cuts of each run; as many as this variable says, where it is set: `RINGBACK_TEST_CUTS=1000`.
const CUTS: usize = 150;

#[tokio::test]
async fn clients_that_are_cut_at_any_moment_miss_nothing() {
    // In the meantime the table refuses a hundred batches and more.
    let failed = Box::pin(play(7, testkit::size("RINGBACK_TEST_CUTS", CUTS), 5..135)).await;
    assert!(failed >= 100, "{failed}");
}

/// Whatever a client says is answered with a reason, or understood: it neither fails nor hangs.
#[tokio::test]
async fn hostile_frames_are_answered() {
    const VALID: [&str; 5] = [
        r#"{"action": "watch", "views": ["inbox:all", "conversation:conv_01hq5c1ynyc0000000000000ab"]}"#,
        r#"{"action": "ping"}"#,
        r#"{"action": "visible", "visible": true}"#,
        r#"{"action": "reading", "conversation_id": "conv_01hq5c1ynyc0000000000000ab"}"#,
        r#"{"action": "typing", "conversation_id": "conv_01hq5c1ynyc0000000000000ab"}"#,
    ];
    const ODD: [&str; 8] = [
        "\u{0}",
        "\u{202e}",
        "\"",
        "{",
        "]",
        "99999999999999999999",
        "null",
        "\u{1f4a9}",
    ];
    let aws = Aws::new().await;
    let lossy = Lossy::before(&aws);
    let mut world = Box::pin(World::new(&aws, &lossy, 3)).await;
    let mut client = Client::new(true, Role::Agent);
    world.begin(&mut client).await;
    for round in 0..300 {
        let mut said = VALID[world.dice.below(VALID.len())].to_owned();
        for _ in 0..world.dice.below(4) {
            let mut place = world.dice.below(said.len() + 1);
            while !said.is_char_boundary(place) {
                place -= 1;
            }
            match world.dice.below(3) {
                0 => said.truncate(place),
                1 => said.insert_str(place, ODD[world.dice.below(ODD.len())]),
                _ => said = said.repeat(1 + world.dice.below(3)),
            }
        }
        // A client may say thirty things in ten seconds.
        aws.pass(2);
        let answer = world.socket(&client.connection, Did::Say(said.clone())).await;
        assert_eq!(answer, Answer::Taken, "{said}");
        for frame in world.gateway.take_messages(&socket_id(&client.connection)) {
            let kind = frame["type"].as_str();
            let known = matches!(kind, Some("refused" | "watching" | "pong" | "reading"));
            assert!(known, "{said}: {frame}");
            let reasons = frame["kind"].as_str().is_some() && frame["detail"].as_str().is_some();
            assert!(kind != Some("refused") || reasons, "{said}: {frame}");
        }
        let is_closed = world.gateway.is_closed(&socket_id(&client.connection));
        assert!(!is_closed, "{round}: {said}");
    }
}
