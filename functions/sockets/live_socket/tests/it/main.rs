//! Sockets from the clients' point of view, in process against the emulator's table. API Gateway's side is a server of the test.

use domain::accounts::{Credential, Permission, Role};
use domain::live::{Presence, TICKET_FOR, Ticket};
use domain::terms::{Actor, ContactId, ConversationId, SessionId};
use kit::sockets::{Answer, Did, SocketEvent};
use live_socket::{Context, handle};
use testkit::Aws;
use testkit::api::{House, Town};
use testkit::sockets::{Gateway, socket_id};

struct World<'a> {
    aws: &'a Aws,
    town: Town<'a>,
    gateway: Gateway,
    ctx: Context,
}

impl<'a> World<'a> {
    async fn new(aws: &'a Aws) -> Self {
        let gateway = Gateway::start();
        let env = aws.env_with(&[("CONNECTIONS_URL", gateway.url())]);
        Self {
            aws,
            town: Town::new(aws, |_| Ok(axum::Router::new())).await,
            gateway,
            ctx: Context::new(&env).expect("a context"),
        }
    }

    /// A new ticket of a caller.
    async fn ticket(&self, house: &House, who: Actor) -> String {
        self.ticket_for(house, who, 200).await
    }

    async fn ticket_for(&self, house: &House, who: Actor, most: u32) -> String {
        let ticket = Ticket {
            tenant: house.tenant,
            who,
            credential: None,
            role: None,
            most,
            until: self.aws.now() + TICKET_FOR,
        };
        self.create_ticket(&ticket).await
    }

    /// Creates a ticket, and returns its token.
    async fn create_ticket(&self, ticket: &Ticket) -> String {
        let token = access::token::link_token(self.aws.ids().secret().expect("randomness"));
        let sha256 = access::token::sha256_hex(&token);
        let created = self.aws.store().create_ticket(&sha256, ticket).await;
        created.expect("the table answers");
        token
    }

    fn person(&self, role: Role) -> Actor {
        Actor::User(self.town.home.person(role).user)
    }

    async fn does(&self, id: &str, did: Did) -> Answer {
        self.does_in(&self.ctx, id, did).await
    }

    /// In this process.
    async fn does_in(&self, process: &Context, id: &str, did: Did) -> Answer {
        let event = SocketEvent {
            id: socket_id(id),
            network: None,
            did,
        };
        handle(event, process).await.expect("the event is handled")
    }

    async fn connects(&self, id: &str, ticket: &str) -> Answer {
        let query = [("ticket".to_owned(), ticket.to_owned())];
        self.does(id, Did::Connect(query.into())).await
    }

    /// A socket of a person of the home tenant.
    async fn open(&self, id: &str, role: Role) {
        let ticket = self.ticket(&self.town.home, self.person(role)).await;
        assert_eq!(self.connects(id, &ticket).await, Answer::Taken);
    }

    /// Says this for a client, and returns the answers.
    async fn says(&self, id: &str, said: &str) -> Vec<serde_json::Value> {
        assert_eq!(self.does(id, Did::Say(said.to_owned())).await, Answer::Taken);
        self.gateway.take_messages(&socket_id(id))
    }

    async fn is_refused(&self, id: &str, said: &str, kind: &str) {
        let told = self.says(id, said).await;
        assert_eq!(told.len(), 1, "{said}");
        assert_eq!(told[0]["type"], "refused", "{said}");
        assert_eq!(told[0]["kind"], kind, "{said}: {}", told[0]);
    }

    async fn is_known(&self, id: &str) -> bool {
        let sockets = self.aws.store().sockets(self.town.home.scope(), self.aws.now()).await;
        let sockets = sockets.expect("the table answers");
        sockets.iter().any(|socket| socket.value.id.as_str() == id)
    }
}

#[tokio::test]
async fn a_ticket_opens_one_socket_within_a_minute() {
    let aws = Aws::new().await;
    let world = World::new(&aws).await;
    let ticket = world.ticket(&world.town.home, world.person(Role::Agent)).await;
    assert_eq!(world.connects("first=", &ticket).await, Answer::Taken);
    assert_eq!(world.connects("again", &ticket).await, Answer::Refused);
    let late = world.ticket(&world.town.home, world.person(Role::Agent)).await;
    aws.pass(60);
    assert_eq!(world.connects("late", &late).await, Answer::Refused);
    for wrong in ["", "x", "key", &access::token::link_token([7; 32])] {
        assert_eq!(world.connects("wrong", wrong).await, Answer::Refused, "{wrong}");
    }
    assert_eq!(world.does("none", Did::Connect([].into())).await, Answer::Refused);
    assert!(world.is_known("first=").await);
    world.does("first=", Did::Disconnect).await;
    assert!(!world.is_known("first=").await);
    // Of one that nobody knows, nothing is to be forgotten.
    world.does("first=", Did::Disconnect).await;
}

#[tokio::test]
async fn a_socket_watches_what_its_caller_may_see() {
    let aws = Aws::new().await;
    let world = World::new(&aws).await;
    world.open("one", Role::Viewer).await;
    let watching = world
        .says("one", r#"{"action": "watch", "views": ["inbox:mine", "calls"]}"#)
        .await;
    let expected = serde_json::json!({"type": "watching", "views": ["inbox:mine", "calls"]});
    assert_eq!(watching, [expected]);
    // A foreign id is a view of nothing.
    let none = r#"{"action": "watch", "views": ["contact:ctc_01hq5c1ynyc0000000000000ab"]}"#;
    assert_eq!(world.says("one", none).await[0]["type"], "watching");
    for (said, kind) in [
        (r#"{"action": "watch", "views": ["inbox:yours"]}"#, "unknown_view"),
        (r#"{"action": "sing"}"#, "unknown_action"),
        ("[[[", "unknown_action"),
        ("", "unknown_action"),
    ] {
        world.is_refused("one", said, kind).await;
    }
    let many = serde_json::json!({"action": "watch", "views": vec!["calls"; 21]}).to_string();
    world.is_refused("one", &many, "too_many_views").await;
    let large = format!(r#"{{"action": "ping"{}}}"#, " ".repeat(33 * 1024));
    world.is_refused("one", &large, "too_large").await;
    // A key has no conversations of its own.
    let scopes = [Permission::LiveRead, Permission::ConversationsRead];
    let (key, _) = world.town.new_key(Role::Viewer, &scopes).await;
    let ticket = world.ticket(&world.town.home, Actor::ApiKey(key)).await;
    assert_eq!(world.connects("software", &ticket).await, Answer::Taken);
    let mine = r#"{"action": "watch", "views": ["inbox:mine"]}"#;
    world.is_refused("software", mine, "forbidden").await;
    let calls = r#"{"action": "watch", "views": ["calls"]}"#;
    world.is_refused("software", calls, "forbidden").await;
    let all = r#"{"action": "watch", "views": ["inbox:all"]}"#;
    assert_eq!(world.says("software", all).await[0]["type"], "watching");
}

/// Deactivates a person of the home tenant.
async fn lose_access(world: &World<'_>, role: Role) {
    let (store, scope) = (world.aws.store(), world.town.home.scope());
    let user = world.town.home.person(role).user;
    let before = store.get::<domain::accounts::Member>(scope, &user).await;
    let before = before.expect("the table answers").expect("a member");
    let mut after = before.value.clone();
    after.deactivate(world.aws.now());
    let changed = store.change_member(scope, &before, &after, &world.aws.stamp()).await;
    changed.expect("the member is changed");
}

#[tokio::test]
async fn whoever_lost_access_is_heard_no_more() {
    let aws = Aws::new().await;
    let world = World::new(&aws).await;
    let (store, scope) = (aws.store(), world.town.home.scope().clone());
    let ping = r#"{"action": "ping"}"#;
    world.open("one", Role::Agent).await;
    assert_eq!(world.says("one", ping).await[0]["type"], "pong");
    let ticket = world.ticket(&world.town.home, world.person(Role::Agent)).await;
    lose_access(&world, Role::Agent).await;
    assert_eq!(world.says("one", ping).await, Vec::<serde_json::Value>::new());
    assert!(world.gateway.is_closed(&socket_id("one")));
    world.does("one", Did::Disconnect).await;
    assert!(!world.is_known("one").await);
    assert_eq!(world.connects("two", &ticket).await, Answer::Refused);
    // Whoever ended all sessions also ended what they had just asked for.
    let ticket = world.ticket(&world.town.home, world.person(Role::Viewer)).await;
    world.open("other", Role::Viewer).await;
    aws.pass(10);
    let viewer = world.town.home.person(Role::Viewer).user;
    let ended = store
        .end_member_sessions(&scope, viewer, aws.now(), None, &aws.stamp())
        .await;
    ended.expect("the table answers");
    aws.pass(10);
    assert_eq!(world.connects("stolen", &ticket).await, Answer::Refused);
    assert_eq!(world.says("other", ping).await, Vec::<serde_json::Value>::new());
    assert!(world.gateway.is_closed(&socket_id("other")));
    world.open("new", Role::Viewer).await;
    // After two hours API Gateway closes sockets, and after ten minutes without a word; one that it left open is closed here.
    world.open("old", Role::Manager).await;
    for _ in 0..11 {
        aws.pass(10 * 60);
        assert_eq!(world.says("old", ping).await[0]["type"], "pong");
    }
    assert!(!world.is_known("new").await);
    aws.pass(10 * 60);
    assert_eq!(world.says("old", ping).await, Vec::<serde_json::Value>::new());
    assert!(world.gateway.is_closed(&socket_id("old")));
    // So is an unknown one.
    world.says("stranger", ping).await;
    assert!(world.gateway.is_closed(&socket_id("stranger")));
}

#[tokio::test]
async fn whoever_says_something_is_told_what_was_missed() {
    let aws = Aws::new().await;
    let world = World::new(&aws).await;
    let (store, scope) = (aws.store(), world.town.home.scope().clone());
    world.open("one", Role::Agent).await;
    let behind = store.note_behind(&scope, &socket_id("one"), aws.now()).await;
    behind.expect("the table answers");
    let since = aws.now().as_millisecond().to_string();
    aws.pass(100);
    let told = world.says("one", r#"{"action": "ping"}"#).await;
    assert_eq!(told, [serde_json::json!({"type": "catch_up", "cursor": since})]);
    let now = aws.now().as_millisecond().to_string();
    let told = world.says("one", r#"{"action": "ping"}"#).await;
    assert_eq!(told, [serde_json::json!({"type": "pong", "cursor": now})]);
    // So is whoever says that the page is seen.
    let behind = store.note_behind(&scope, &socket_id("one"), aws.now()).await;
    behind.expect("the table answers");
    let visible = r#"{"action": "visible", "visible": true}"#;
    let told = world.says("one", visible).await;
    assert_eq!(told, [serde_json::json!({"type": "catch_up", "cursor": now})]);
    assert_eq!(world.says("one", visible).await, Vec::<serde_json::Value>::new());
    let user = world.town.home.person(Role::Agent).user;
    let open = store.sockets(&scope, aws.now()).await.expect("the table answers");
    let open = open.iter().map(|socket| &socket.value);
    assert_eq!(Presence::of(user, open, aws.now()), Presence::Online);
}

#[tokio::test]
async fn a_client_that_shouts_is_closed() {
    let aws = Aws::new().await;
    let world = World::new(&aws).await;
    world.open("loud", Role::Agent).await;
    world.open("calm", Role::Agent).await;
    for _ in 0..30 {
        assert_eq!(world.says("loud", r#"{"action": "ping"}"#).await[0]["type"], "pong");
    }
    world.is_refused("loud", r#"{"action": "ping"}"#, "too_many").await;
    assert!(world.gateway.is_closed(&socket_id("loud")));
    assert_eq!(world.says("calm", r#"{"action": "ping"}"#).await[0]["type"], "pong");
    // Ten seconds later they count anew.
    for _ in 0..3 {
        aws.pass(10);
        for _ in 0..20 {
            assert_eq!(world.says("calm", r#"{"action": "ping"}"#).await[0]["type"], "pong");
        }
    }
}

/// Lambda gives the actions of a socket to any process, so its row counts those that change it.
#[tokio::test]
async fn all_processes_together_hear_thirty_actions() {
    let aws = Aws::new().await;
    let world = World::new(&aws).await;
    let env = aws.env_with(&[("CONNECTIONS_URL", world.gateway.url())]);
    let processes: Vec<Context> = (0..3).map(|_| Context::new(&env).expect("a context")).collect();
    world.open("loud", Role::Agent).await;
    let say = async |number: usize, said: &str| {
        let said = Did::Say(said.to_owned());
        assert_eq!(world.does_in(&processes[number % 3], "loud", said).await, Answer::Taken);
        world.gateway.take_messages(&socket_id("loud"))
    };
    // Each kind of action that changes the row; a conversation that is read counts as three.
    let kinds = [
        r#"{"action": "ping"}"#,
        r#"{"action": "visible", "visible": true}"#,
        r#"{"action": "watch", "views": ["calls"]}"#,
        r#"{"action": "reading", "conversation_id": null}"#,
    ];
    for (number, said) in kinds.iter().cycle().take(20).enumerate() {
        say(number, said).await;
    }
    assert!(!world.gateway.is_closed(&socket_id("loud")));
    let told = say(20, kinds[0]).await;
    assert_eq!((&told[0]["kind"], told.len()), (&"too_many".into(), 1));
    assert!(world.gateway.is_closed(&socket_id("loud")));
}

/// No row counts them, so each process does.
#[tokio::test]
async fn eleven_actions_without_effect_close_a_socket() {
    let aws = Aws::new().await;
    let world = World::new(&aws).await;
    let (key, _) = world.town.new_key(Role::Agent, &[]).await;
    let ticket = world.ticket(&world.town.home, Actor::ApiKey(key)).await;
    assert_eq!(world.connects("forbidden", &ticket).await, Answer::Taken);
    let conversation = ConversationId::of(ContactId::new(aws.ids().ulid()), None);
    let typing = format!(r#"{{"action": "typing", "conversation_id": "{conversation}"}}"#);
    let unknown = r#"{"action": "watch", "views": ["none"]}"#;
    for (id, said, kind) in [
        ("unreadable", "sing", Some("unknown_action")),
        ("refused", unknown, Some("unknown_view")),
        ("forbidden", &typing, Some("forbidden")),
        ("typing", &typing, None),
    ] {
        if kind != Some("forbidden") {
            world.open(id, Role::Agent).await;
        }
        for _ in 0..10 {
            let told = world.says(id, said).await;
            assert_eq!(told.first().and_then(|told| told["kind"].as_str()), kind, "{id}");
        }
        world.is_refused(id, said, "too_many").await;
        assert!(world.gateway.is_closed(&socket_id(id)), "{id}");
    }
}

#[tokio::test]
async fn sockets_of_a_caller_are_limited() {
    let aws = Aws::new().await;
    let world = World::new(&aws).await;
    for number in 0..10 {
        world.open(&format!("own{number}"), Role::Agent).await;
    }
    let ticket = world.ticket(&world.town.home, world.person(Role::Agent)).await;
    assert_eq!(world.connects("more", &ticket).await, Answer::Refused);
    world.does("own3", Did::Disconnect).await;
    // The ticket was used.
    let ticket = world.ticket(&world.town.home, world.person(Role::Agent)).await;
    assert_eq!(world.connects("more", &ticket).await, Answer::Taken);
    world.open("other", Role::Manager).await;
    // A plan allows so many in all.
    let ticket = world.ticket_for(&world.town.home, world.person(Role::Viewer), 11).await;
    assert_eq!(world.connects("beyond", &ticket).await, Answer::Refused);
    assert!(!world.is_known("beyond").await);
    let ticket = world.ticket_for(&world.town.home, world.person(Role::Viewer), 12).await;
    assert_eq!(world.connects("within", &ticket).await, Answer::Taken);
}

#[tokio::test]
async fn readers_and_writers_are_told_to_those_who_watch() {
    let aws = Aws::new().await;
    let world = World::new(&aws).await;
    let id = || ConversationId::of(ContactId::new(aws.ids().ulid()), None).to_string();
    let (read, other) = (id(), id());
    let says = async |socket: &str, said: serde_json::Value| world.says(socket, &said.to_string()).await;
    let watch =
        |conversation: &str| serde_json::json!({"action": "watch", "views": [format!("conversation:{conversation}")]});
    let reading =
        |conversation: Option<&str>| serde_json::json!({"action": "reading", "conversation_id": conversation});
    let told = |socket: &str| world.gateway.take_messages(&socket_id(socket));
    let user = world.town.home.person(Role::Agent).user;
    let is_told = |conversation: &str, reading: bool| serde_json::json!({"type": "reading", "conversation_id": conversation, "user_id": user, "reading": reading});
    for (socket, role) in [
        ("agent", Role::Agent),
        ("tablet", Role::Agent),
        ("manager", Role::Manager),
        ("viewer", Role::Viewer),
    ] {
        world.open(socket, role).await;
    }
    let stranger = Actor::User(world.town.away.person(Role::Admin).user);
    let ticket = world.ticket(&world.town.away, stranger).await;
    assert_eq!(world.connects("stranger", &ticket).await, Answer::Taken);
    for socket in ["agent", "tablet", "manager", "stranger"] {
        says(socket, watch(&read)).await;
    }
    assert_eq!(
        says("agent", reading(Some(&read))).await,
        Vec::<serde_json::Value>::new()
    );
    assert_eq!(told("manager"), [is_told(&read, true)]);
    // Whoever comes later is told, too.
    let watching = says("viewer", watch(&read)).await;
    assert_eq!(watching[1..], [is_told(&read, true)]);
    let typing = serde_json::json!({"action": "typing", "conversation_id": read});
    says("agent", typing.clone()).await;
    let typed = serde_json::json!({"type": "typing", "conversation_id": read, "user_id": user});
    assert_eq!(told("viewer"), std::slice::from_ref(&typed));
    assert_eq!(told("manager"), [typed]);
    // They still read it on another device.
    says("tablet", reading(Some(&read))).await;
    assert_eq!(told("manager"), [is_told(&read, true)]);
    says("agent", reading(Some(&other))).await;
    assert_eq!(told("manager"), Vec::<serde_json::Value>::new());
    world.does("tablet", Did::Disconnect).await;
    assert_eq!(told("manager"), [is_told(&read, false)]);
    assert!(told("agent").is_empty() && told("tablet").is_empty() && told("stranger").is_empty());
    // Only those who may see it are told.
    says("manager", watch(&other)).await;
    told("viewer");
    lose_access(&world, Role::Manager).await;
    says("viewer", watch(&other)).await;
    says("agent", reading(None)).await;
    assert_eq!(told("viewer"), [is_told(&other, false)]);
    assert!(told("manager").is_empty());
    let viewers = says("viewer", typing).await;
    assert_eq!(viewers[0]["kind"], "forbidden");
    let (key, _) = world.town.new_key(Role::Agent, &[]).await;
    let ticket = world.ticket(&world.town.home, Actor::ApiKey(key)).await;
    assert_eq!(world.connects("software", &ticket).await, Answer::Taken);
    assert_eq!(says("software", reading(Some(&read))).await[0]["kind"], "forbidden");
}

#[tokio::test]
async fn a_person_is_there_while_they_see_a_page() {
    let aws = Aws::new().await;
    let world = World::new(&aws).await;
    let user = world.town.home.person(Role::Agent).user;
    let presence = async || {
        let open = aws.store().sockets(world.town.home.scope(), aws.now()).await;
        let open: Vec<_> = open
            .expect("the table answers")
            .into_iter()
            .map(|socket| socket.value)
            .collect();
        Presence::of(user, &open, aws.now())
    };
    assert_eq!(presence().await, Presence::Offline);
    world.open("page", Role::Agent).await;
    assert_eq!(presence().await, Presence::Away);
    let visible = r#"{"action": "visible", "visible": true}"#;
    assert_eq!(world.says("page", visible).await, Vec::<serde_json::Value>::new());
    assert_eq!(presence().await, Presence::Online);
    // As long as something is heard every two minutes.
    for _ in 0..2 {
        aws.pass(2 * 60);
        world.says("page", r#"{"action": "ping"}"#).await;
        assert_eq!(presence().await, Presence::Online);
    }
    aws.pass(150);
    assert_eq!(presence().await, Presence::Away, "a closed laptop");
    // Ten minutes later API Gateway has closed it, unless it was heard again.
    aws.pass(450);
    world.says("page", r#"{"action": "visible", "visible": false}"#).await;
    aws.pass(2 * 60);
    assert_eq!(presence().await, Presence::Away);
    aws.pass(9 * 60);
    assert_eq!(presence().await, Presence::Offline);
}

#[tokio::test]
async fn sockets_end_with_their_session() {
    let aws = Aws::new().await;
    let world = World::new(&aws).await;
    let (store, scope) = (aws.store(), world.town.home.scope().clone());
    let user = world.town.home.person(Role::Agent).user;
    let session = SessionId::new(aws.ids().ulid());
    let ticket = Ticket {
        tenant: world.town.home.tenant,
        who: Actor::User(user),
        credential: Some(Credential::Session(session)),
        role: Some(Role::Agent),
        most: 200,
        until: aws.now() + TICKET_FOR,
    };
    let (first, second) = (world.create_ticket(&ticket).await, world.create_ticket(&ticket).await);
    assert_eq!(world.connects("first", &first).await, Answer::Taken);
    world.open("other", Role::Agent).await;
    let ended = store.end_member_session(&scope, user, session, aws.now()).await;
    ended.expect("the table answers");
    assert_eq!(world.connects("second", &second).await, Answer::Refused);
    let ping = r#"{"action": "ping"}"#;
    assert_eq!(world.says("first", ping).await, Vec::<serde_json::Value>::new());
    assert!(world.gateway.is_closed(&socket_id("first")));
    assert_eq!(world.says("other", ping).await[0]["type"], "pong");
}
