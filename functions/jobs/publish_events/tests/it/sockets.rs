//! Sockets are told at once, each of what it watches.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::accounts::{Credential, Member, Role};
use domain::inbox::{Conversation, Wrote};
use domain::live::{About, Socket, SocketId, Ticket, View};
use domain::people::{Mentions, Note};
use domain::tenants::TenantStatus;
use domain::terms::{Actor, ContactId, ConversationId, NoteId, SessionId, UserId};
use jiff::SignedDuration;
use jobs::PushJob;
use kit::QueueName;
use publish_events::{Context, handle};
use serde_json::{Value, json};
use store::Versioned;
use store::live::MAX_TOGETHER;
use testkit::Aws;
use testkit::api::{House, Town};
use testkit::business::CUSTOMER;
use testkit::sockets::{Gateway, socket_id};
use testkit::stream::{Filter, Rows, rows};

use super::batch;

struct World<'a> {
    aws: &'a Aws,
    town: Town<'a>,
    gateway: Gateway,
    ctx: Context,
    filter: Filter,
    records: usize,
    known: Rows,
}

impl<'a> World<'a> {
    async fn new(aws: &'a Aws) -> Self {
        let gateway = Gateway::start();
        let ctx = Context::new(&aws.env_with(&[("CONNECTIONS_URL", gateway.url())])).expect("a context");
        let town = Town::new(aws, |_| Ok(axum::Router::new())).await;
        for house in [&town.home, &town.away] {
            let followed = aws.store().follow(house.scope(), aws.now()).await;
            followed.expect("the table answers");
        }
        Self {
            aws,
            town,
            gateway,
            ctx,
            filter: Filter::of("publish_events"),
            records: 0,
            known: rows(aws).await,
        }
    }

    fn user(&self, role: Role) -> UserId {
        self.town.home.person(role).user
    }

    /// A socket of a person of the home tenant, which watches these views.
    async fn open(&self, id: &str, role: Role, views: &[&str]) -> SocketId {
        self.open_in(&self.town.home, id, role, views).await
    }

    async fn open_in(&self, house: &House, id: &str, role: Role, views: &[&str]) -> SocketId {
        let (store, now) = (self.aws.store(), self.aws.now());
        let who = Actor::User(house.person(role).user);
        let ticket = Ticket {
            tenant: house.tenant,
            who,
            credential: None,
            role: None,
            most: 200,
            until: now,
        };
        store.create_ticket(id, &ticket).await.expect("the table answers");
        let socket = Socket::new_at(socket_id(id), who, None, now);
        self.put(house, id, socket, views).await
    }

    /// A socket of a caller, opened by the ticket with its id.
    async fn put(&self, house: &House, id: &str, socket: Socket, views: &[&str]) -> SocketId {
        let store = self.aws.store();
        let opened = store.open_socket(house.scope(), id, &socket, None).await;
        assert!(opened.expect("the table answers"));
        let views: Vec<View> = views.iter().map(|view| view.parse().expect("a view")).collect();
        let watching = Versioned {
            value: Socket { views, ..socket },
            version: 1,
        };
        let changed = store.change_socket(house.scope(), &watching).await;
        changed.expect("the table answers");
        socket_id(id)
    }

    /// Writes a conversation with this assignee, over the former one, and delivers the changes since the last delivery.
    async fn assign(&mut self, id: ConversationId, assignee: Option<UserId>) {
        self.write(id, |conversation| conversation.assignee = assignee).await;
        self.deliver().await;
    }

    /// Writes a conversation, changed like this, over the former one.
    async fn write(&self, id: ConversationId, change: impl FnOnce(&mut Conversation)) {
        let (store, scope) = (self.aws.store(), self.town.home.scope());
        let known = store.conversation(scope, id).await.expect("the table answers");
        let mut conversation = known.unwrap_or_else(|| Versioned {
            value: Conversation::empty(id, self.aws.now()),
            version: 0,
        });
        change(&mut conversation.value);
        let written = store.write_conversation(scope, &conversation, None).await;
        written.expect("the conversation is written");
    }

    /// Writes a conversation of so many turns. The customer's last one is this one, so many hours ago.
    async fn converse(&self, id: ConversationId, turns: u64, last: u64, hours_ago: i64) {
        let at = self.aws.now() - SignedDuration::from_hours(hours_ago);
        self.write(id, |conversation| {
            conversation.seq = turns;
            conversation.wrote = Some(Wrote { at, seq: last });
        })
        .await;
    }

    async fn deliver(&mut self) {
        let now = rows(self.aws).await;
        let records = self.filter.records(self.records, &self.known, &now);
        self.records += records.len();
        self.known = now;
        handle(batch(&records), &self.ctx)
            .await
            .expect("the batch is published");
    }

    /// The types of the events that a socket was told since the last look.
    fn told_event_types(&self, id: &SocketId) -> Vec<String> {
        let frames = self.gateway.take_messages(id);
        let of_frame = |frame: &Value| match frame["events"].as_array() {
            Some(events) => events.iter().map(|event| text(&event["type"])).collect(),
            None => vec![text(&frame["type"])],
        };
        frames.iter().flat_map(of_frame).collect()
    }

    async fn socket(&self, id: &SocketId) -> Option<Socket> {
        let sockets = self.aws.store().sockets(self.town.home.scope(), self.aws.now()).await;
        let mut sockets = sockets.expect("the table answers").into_iter();
        let found = sockets.find(|socket| socket.value.id == *id);
        found.map(|socket| socket.value)
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn conversation(aws: &Aws) -> ConversationId {
    ConversationId::of(ContactId::new(aws.ids().ulid()), None)
}

const CHANGED: [&str; 1] = ["conversation.changed"];
const NOTHING: [&str; 0] = [];

#[tokio::test]
async fn each_socket_is_told_of_what_it_watches() {
    let aws = Aws::new().await;
    let mut world = World::new(&aws).await;
    let all = world.open("all", Role::Viewer, &["calls", "inbox:all"]).await;
    let agent = world.open("agent", Role::Agent, &["inbox:mine"]).await;
    let manager = world.open("manager", Role::Manager, &["inbox:mine"]).await;
    let stranger = world
        .open_in(&world.town.away, "stranger", Role::Admin, &["inbox:all"])
        .await;
    let idle = world.open("idle", Role::Admin, &[]).await;
    let (id, [ours, theirs]) = (
        conversation(&aws),
        [Role::Agent, Role::Manager].map(|role| world.user(role)),
    );
    world.assign(id, Some(ours)).await;
    let told = world.gateway.take_messages(&all);
    assert_eq!(told.len(), 1);
    let event = &told[0]["events"][0];
    assert_eq!(event["type"], "conversation.changed");
    assert_eq!(event["conversation_id"], id.to_string());
    assert!(text(&event["cursor"]).ends_with(&text(&event["id"])));
    assert_eq!(told[0]["cursor"], aws.now().as_millisecond().to_string());
    assert_eq!(world.told_event_types(&agent), CHANGED);
    // Handed over: the former one is told, too.
    world.assign(id, Some(theirs)).await;
    assert_eq!(
        [&all, &agent, &manager].map(|socket| world.told_event_types(socket)),
        [CHANGED; 3]
    );
    world.assign(id, None).await;
    assert_eq!(world.told_event_types(&manager), CHANGED);
    for socket in [&agent, &stranger, &idle] {
        assert_eq!(world.told_event_types(socket), NOTHING, "{socket}");
    }
}

#[tokio::test]
async fn whoever_lost_access_is_told_nothing() {
    let aws = Aws::new().await;
    let mut world = World::new(&aws).await;
    let agent = world.open("agent", Role::Agent, &["inbox:all", "connections"]).await;
    let viewer = world.open("viewer", Role::Viewer, &["inbox:all"]).await;
    let id = conversation(&aws);
    world.assign(id, None).await;
    assert_eq!(
        [&agent, &viewer].map(|socket| world.told_event_types(socket)),
        [CHANGED; 2]
    );
    let (store, scope) = (aws.store(), world.town.home.scope().clone());
    let before = store.get::<Member>(&scope, &world.user(Role::Agent)).await;
    let before = before.expect("the table answers").expect("a member");
    let mut after = before.value.clone();
    after.deactivate(aws.now());
    let changed = store.change_member(&scope, &before, &after, &aws.stamp()).await;
    changed.expect("the member is changed");
    let watcher = world.user(Role::Viewer);
    world.assign(id, Some(watcher)).await;
    assert_eq!(world.told_event_types(&agent), NOTHING);
    assert!(world.gateway.is_closed(&agent));
    // Nobody told that it is closed.
    world.assign(id, None).await;
    assert!(world.told_event_types(&agent).is_empty() && world.socket(&agent).await.is_none());
    assert_eq!(world.told_event_types(&viewer), [CHANGED, CHANGED].concat());
}

/// Nothing else happens in the tenant.
#[tokio::test]
async fn sockets_end_with_the_rights_of_whoever_opened_them() {
    let aws = Aws::new().await;
    let mut world = World::new(&aws).await;
    let (store, scope) = (aws.store(), world.town.home.scope().clone());
    let user = world.user(Role::Agent);
    let (ended, other) = (SessionId::new(aws.ids().ulid()), SessionId::new(aws.ids().ulid()));
    let mut opened = Vec::new();
    let (key, secret) = world.town.new_key(Role::Agent, &[]).await;
    let (person, key) = (Actor::User(user), Actor::ApiKey(key));
    let good = Credential::Secret(access::token::sha256_hex(&secret));
    for (id, who, credential, views) in [
        ("ended", person, Credential::Session(ended), &["inbox:mine"][..]),
        ("silent", person, Credential::Session(ended), &[]),
        ("other", person, Credential::Session(other), &["inbox:mine"]),
        ("rotated", key, Credential::Secret("old".to_owned()), &["inbox:all"]),
        ("key", key, good, &["inbox:all"]),
        // An agent then, and a manager now.
        (
            "promoted",
            Actor::User(world.user(Role::Manager)),
            Credential::Session(other),
            &["calls"],
        ),
    ] {
        let ticket = Ticket {
            tenant: world.town.home.tenant,
            who,
            credential: Some(credential),
            role: Some(Role::Agent),
            most: 200,
            until: aws.now(),
        };
        store.create_ticket(id, &ticket).await.expect("the table answers");
        let socket = Socket {
            role: ticket.role,
            ..Socket::new_at(socket_id(id), ticket.who, ticket.credential.clone(), aws.now())
        };
        opened.push(world.put(&world.town.home, id, socket, views).await);
    }
    let viewer = world.open("viewer", Role::Viewer, &["calls"]).await;
    world.deliver().await;
    let is_closed = |world: &World<'_>, id: &SocketId| world.gateway.is_closed(id);
    // A session of several.
    let done = store.end_member_session(&scope, user, ended, aws.now()).await;
    done.expect("the table answers");
    world.deliver().await;
    let closed: Vec<bool> = opened.iter().map(|id| is_closed(&world, id)).collect();
    assert_eq!(closed, [true, true, false, true, false, true]);
    // All of them.
    aws.pass(1);
    let done = store
        .end_member_sessions(&scope, user, aws.now(), None, &aws.stamp())
        .await;
    done.expect("the table answers");
    world.deliver().await;
    assert!(is_closed(&world, &opened[2]) && !is_closed(&world, &opened[4]) && !is_closed(&world, &viewer));
    // The tenant is suspended.
    aws.change_tenant(&scope, |tenant| tenant.status = TenantStatus::Suspended)
        .await;
    world.deliver().await;
    assert!(is_closed(&world, &viewer) && is_closed(&world, &opened[4]));
}

#[tokio::test]
async fn client_that_is_gone_is_forgotten() {
    let aws = Aws::new().await;
    let mut world = World::new(&aws).await;
    let gone = world.open("gone=", Role::Agent, &["inbox:all"]).await;
    let there = world.open("there", Role::Agent, &["inbox:all"]).await;
    world.gateway.lose(&gone);
    world.assign(conversation(&aws), None).await;
    assert!(world.socket(&gone).await.is_none());
    assert_eq!(world.told_event_types(&there), CHANGED);
}

/// API Gateway takes none that is larger.
#[tokio::test]
async fn many_events_are_told_in_several_frames() {
    let aws = Aws::new().await;
    let mut world = World::new(&aws).await;
    let (store, scope) = (aws.store(), world.town.home.scope().clone());
    let contact = aws.contact_with(&scope, CUSTOMER, |_| {}).await.id;
    let there = world.open("there", Role::Agent, &[&format!("contact:{contact}")]).await;
    world.deliver().await;
    world.gateway.take_messages(&there);
    for _ in 0..MAX_TOGETHER {
        let id = NoteId::new(contact, aws.ids().ulid());
        let text = "Call her back".parse().expect("a text");
        let note = Note::new(id, text, Actor::Operator, aws.now());
        let created = store.create_of_contact(&scope, &note, &aws.stamp()).await;
        created.expect("the note is stored");
    }
    world.deliver().await;
    let frames = world.gateway.take_messages(&there);
    let events = |frame: &Value| frame["events"].as_array().expect("events").len();
    assert_eq!(frames.iter().map(events).sum::<usize>(), MAX_TOGETHER);
    assert!(frames.len() > 1);
    for frame in &frames {
        assert!(frame.to_string().len() <= 32 * 1024, "{}", frame.to_string().len());
    }
}

#[tokio::test]
async fn client_that_cannot_be_reached_catches_up() {
    let aws = Aws::new().await;
    let mut world = World::new(&aws).await;
    let slow = world.open("slow", Role::Agent, &["inbox:all"]).await;
    let there = world.open("there", Role::Agent, &["inbox:all"]).await;
    world.gateway.fail(&slow, usize::MAX);
    let (id, missed) = (conversation(&aws), aws.now());
    world.assign(id, None).await;
    let behind = world.socket(&slow).await.expect("the socket").behind_since;
    assert_eq!(behind, Some(missed));
    // It is not tried with each batch; and the others do not wait.
    aws.pass(1);
    let users = [Role::Agent, Role::Manager].map(|role| world.user(role));
    world.assign(id, Some(users[0])).await;
    world.gateway.fail(&slow, 0);
    world.assign(id, Some(users[1])).await;
    assert_eq!(world.told_event_types(&slow), NOTHING);
    assert_eq!(world.told_event_types(&there).len(), 3);
    aws.pass(5);
    world.assign(id, Some(users[0])).await;
    let cursor = missed.as_millisecond().to_string();
    assert_eq!(
        world.gateway.take_messages(&slow),
        [json!({"type": "catch_up", "cursor": cursor})]
    );
    assert_eq!(world.socket(&slow).await.expect("the socket").behind_since, None);
    world.assign(id, Some(users[1])).await;
    assert_eq!(world.told_event_types(&slow), CHANGED);
    // After a single failure, it is told at once.
    world.gateway.fail(&slow, 1);
    world.assign(id, Some(users[0])).await;
    assert_eq!(world.told_event_types(&slow), ["catch_up"]);
    // After a minute it is given up.
    world.gateway.fail(&slow, usize::MAX);
    for _ in 0..11 {
        aws.pass(6);
        world.assign(id, None).await;
        world.assign(id, Some(users[0])).await;
    }
    assert!(world.socket(&slow).await.is_none());
}

/// Takes five seconds: the time for the sockets of a tenant.
#[tokio::test]
async fn client_that_hangs_keeps_nothing_from_others() {
    let aws = Aws::new().await;
    let mut world = World::new(&aws).await;
    let hung = world.open("hung", Role::Agent, &["inbox:all"]).await;
    let there = world.open("there", Role::Agent, &["inbox:all"]).await;
    world.gateway.hang(&hung);
    world.assign(conversation(&aws), None).await;
    assert_eq!(world.told_event_types(&there), CHANGED);
    let behind = world.socket(&hung).await.expect("the socket");
    assert_eq!(behind.behind_since, Some(aws.now()));
}

/// An unreadable socket is, for example, one of a newer version that was taken back.
#[tokio::test]
async fn unreadable_socket_keeps_nothing_from_others() {
    let aws = Aws::new().await;
    let mut world = World::new(&aws).await;
    let newer = world.open("newer", Role::Agent, &["inbox:all"]).await;
    let there = world.open("there", Role::Agent, &["inbox:all"]).await;
    let tenant = world.town.home.tenant.to_string();
    let partition = format!("T#{}#SOCK", tenant.trim_start_matches("tnt_"));
    let update = aws.dynamodb().update_item().table_name(aws.table());
    let update = update
        .key("pk", AttributeValue::S(partition))
        .key("sk", AttributeValue::S(newer.to_string()))
        .update_expression("SET f = :f")
        .expression_attribute_values(":f", AttributeValue::N("99".to_owned()));
    update.send().await.expect("the row is changed");
    world.assign(conversation(&aws), None).await;
    assert_eq!(world.told_event_types(&there), CHANGED);
    assert_eq!(world.told_event_types(&newer), NOTHING);
}

/// A socket was told to catch up when another batch could not reach it, or did not try: it is behind again.
#[tokio::test]
async fn socket_left_behind_meanwhile_stays_behind() {
    let aws = Aws::new().await;
    let world = World::new(&aws).await;
    let id = world.open("slow", Role::Agent, &["inbox:all"]).await;
    let (store, scope, since) = (aws.store(), world.town.home.scope(), aws.now());
    let behind = async || {
        let noted = store.note_behind(scope, &id, aws.now()).await;
        noted.expect("the table answers").expect("the socket")
    };
    let is_behind = async || world.socket(&id).await.expect("the socket").behind_since;
    let first = behind().await;
    aws.pass(3);
    let again = behind().await;
    store.note_reached(scope, &first).await.expect("the table answers");
    assert_eq!(is_behind().await, Some(since));
    store.note_reached(scope, &again).await.expect("the table answers");
    assert_eq!(is_behind().await, None);
}

#[tokio::test]
async fn customers_messages_are_queued_where_somebody_has_a_device() {
    let aws = Aws::new().await;
    let mut world = World::new(&aws).await;
    let (store, scope) = (aws.store(), world.town.home.scope().clone());
    let id = conversation(&aws);
    world.converse(id, 1, 1, 0).await;
    world.deliver().await;
    assert_eq!(aws.depth(QueueName::Pushes).await, 0);
    let noted = store.note_reachable(&scope, world.user(Role::Agent), aws.now()).await;
    noted.expect("the table answers");
    // A reply is none of the customer's.
    world.converse(id, 2, 1, 0).await;
    world.deliver().await;
    assert_eq!(aws.depth(QueueName::Pushes).await, 0);
    // A message that became known an hour later, such as by a backfill, is no news.
    world.converse(id, 3, 3, 1).await;
    world.deliver().await;
    assert_eq!(aws.depth(QueueName::Pushes).await, 0);
    // Of two in one batch, the later one.
    world.converse(id, 4, 4, 0).await;
    world.converse(id, 5, 5, 0).await;
    world.deliver().await;
    assert_eq!(aws.depth(QueueName::Pushes).await, 1);
    assert_eq!(
        aws.take_jobs::<PushJob>(QueueName::Pushes).await,
        [],
        "it waits for somebody to read it"
    );
}

#[tokio::test]
async fn what_is_told_at_once_is_queued_with_its_event() {
    let aws = Aws::new().await;
    let mut world = World::new(&aws).await;
    let (store, scope) = (aws.store(), world.town.home.scope().clone());
    let contact = aws.contact_with(&scope, CUSTOMER, |_| {}).await;
    let agent = world.user(Role::Agent);
    let note = Note {
        mentions: vec![agent].into(),
        ..Note::new(
            NoteId::new(contact.id, aws.ids().ulid()),
            "Call her back".parse().expect("a text"),
            Actor::Operator,
            aws.now(),
        )
    };
    let created = store.create_of_contact(&scope, &note, &aws.stamp()).await;
    created.expect("the note is stored");
    world.deliver().await;
    assert_eq!(aws.depth(QueueName::Pushes).await, 0, "nobody has a device");
    let noted = store.note_reachable(&scope, agent, aws.now()).await;
    noted.expect("the table answers");
    // Only those whom it did not mention before.
    let manager = world.user(Role::Manager);
    let known = store.of_contact::<Note>(&scope, contact.id, note.id).await;
    let known = known.expect("the table answers").expect("the note");
    let mut after = note.with_text(note.text.clone(), vec![agent, manager].into());
    let changed = store.change_of_contact(&scope, &known, &after, &aws.stamp()).await;
    let version = changed.expect("the note is changed");
    world.deliver().await;
    let jobs = aws.take_jobs::<PushJob>(QueueName::Pushes).await;
    let about = About::Mention {
        note: note.id,
        mentioned: vec![manager],
    };
    let [job] = jobs.as_slice() else { panic!("{jobs:?}") };
    assert_eq!((job.tenant, &job.about, &job.rest), (scope.tenant(), &about, &None));
    assert!(job.correlation_id.starts_with("evt_"), "{}", job.correlation_id);
    // A message that became known an hour later is no news.
    after.mentions = Mentions::default();
    after.updated_at = aws.now() - SignedDuration::from_hours(2);
    let known = Versioned { version, value: after };
    let again = known.value.with_text(note.text.clone(), vec![agent].into());
    let changed = store.change_of_contact(&scope, &known, &again, &aws.stamp()).await;
    changed.expect("the note is changed");
    world.deliver().await;
    assert_eq!(aws.depth(QueueName::Pushes).await, 0);
}
