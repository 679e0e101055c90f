//! Notifying people on their devices, in process against the emulator's table and a push service that decrypts as a browser does.

use access::{Kms, PushKeys};
use domain::accounts::{Account, Member, Notifications, PasswordHash, Role, Session};
use domain::calls::Call;
use domain::live::{About, PushSubscription, SUBSCRIPTIONS_KEPT_FOR, Socket, Ticket};
use domain::notices::{Matter, Notice};
use domain::people::Note;
use domain::tenants::Team;
use domain::terms::{Actor, ConversationId, LineId, MessageId, NoteId, SessionId, UserId};
use jiff::SignedDuration;
use jobs::{PushJob, PushRest};
use kit::{Done, Job, JobError, QueueName};
use send_push::{Context, Left, handle, notify};
use serde_json::{Value, json};
use testkit::Aws;
use testkit::business::CUSTOMER;
use testkit::file_host::{FileHost, Reply};
use testkit::push::{AUTH, P256DH, decrypt_message};
use testkit::sockets::socket_id;

struct World {
    service: FileHost,
    conversation: ConversationId,
    world: testkit::World<Context>,
}

testkit::extends_world!(World.world: Context);

impl World {
    /// A business whose customer has written a moment ago.
    async fn new() -> Self {
        let service = FileHost::start(Reply::Silence);
        service.tell(201, "{}");
        let env = |aws: &Aws| {
            let variables = [
                ("PUSH_SERVICES", service.url()),
                ("PUSH_SUBJECT", "https://api.example"),
            ];
            aws.env_with(&variables)
        };
        let world = testkit::World::with_env(env, Context::new, |configured| {
            configured.tenant.time_zone = "Asia/Dubai".parse().expect("a time zone");
        })
        .await;
        let env = world.aws.env();
        let send = env.config().text("KMS_SEND_KEY_ID").expect("a key").to_owned();
        let keys = PushKeys::new(Kms::new(env.kms(), None, Some(send)));
        keys.public(&world.store()).await.expect("a key");
        let contact = world.business.contact(&world.aws, CUSTOMER).await.id;
        let conversation = world.business.receive_noted(&world.aws, contact, None).await;
        Self {
            service,
            conversation,
            world,
        }
    }

    /// An agent with a device, a session, and these wishes.
    async fn agent(&self, name: &str, wishes: Value) -> UserId {
        self.person(name, Role::Agent, wishes).await
    }

    async fn person(&self, name: &str, role: Role, wishes: Value) -> UserId {
        let (store, now) = (self.aws.store(), self.aws.now());
        let email = format!("{name}@example.org").parse().expect("an address");
        let id = UserId::new(self.aws.ids().ulid());
        let password = PasswordHash("none".to_owned());
        let mut account = Account::new(id, email, name.to_owned(), "en".to_owned(), password, now);
        account.tenants.push(self.business.tenant());
        account.preferences.notifications = serde_json::from_value::<Notifications>(wishes).expect("wishes");
        let member = Member::joining(&account, role, now);
        let seated = store
            .seat(self.business.scope(), &account, name, &member, &self.aws.stamp())
            .await;
        seated.expect("the agent is seated");
        self.device(id, name).await;
        id
    }

    /// A further device of a person.
    async fn device(&self, user: UserId, name: &str) -> PushSubscription {
        let (store, now) = (self.aws.store(), self.aws.now());
        let session = Session {
            id: SessionId::new(self.aws.ids().ulid()),
            user,
            family_sha256: String::new(),
            current_sha256: String::new(),
            previous_sha256: None,
            rotated_at: now,
            created_at: now,
            expires_at: now + SignedDuration::from_hours(24),
            second_factor: false,
            device: None,
        };
        store.begin_session(&session).await.expect("the table answers");
        let endpoint = format!("{}/push/{name}", self.service.url());
        let device = PushSubscription {
            id: PushSubscription::id_of(&endpoint),
            user,
            session: session.id,
            endpoint,
            p256dh: P256DH.to_owned(),
            auth: AUTH.to_owned(),
            device: None,
            created_at: now,
            expires_at: now + SUBSCRIPTIONS_KEPT_FOR,
        };
        store.keep_push_subscription(&device).await.expect("the table answers");
        let noted = store.note_reachable(self.business.scope(), user, now).await;
        noted.expect("the table answers");
        device
    }

    async fn push(&self) -> Result<Done, JobError> {
        let known = self.business.conversation(&self.aws, self.conversation).await.value;
        self.push_of(known.wrote.expect("a message").seq).await
    }

    async fn seq(&self) -> u64 {
        let known = self.business.conversation(&self.aws, self.conversation).await;
        known.value.seq
    }

    fn job(&self, seq: u64) -> PushJob {
        PushJob {
            tenant: self.business.tenant(),
            correlation_id: "evt".to_owned(),
            about: About::Message {
                conversation: self.conversation,
                seq,
            },
            at: self.aws.now(),
            rest: None,
        }
    }

    async fn push_of(&self, seq: u64) -> Result<Done, JobError> {
        handle(Job::new(self.job(seq), 1), &self.ctx).await
    }

    /// Notifies as this job says, and returns what is left.
    async fn notify(&self, job: PushJob) -> Left {
        let (done, left) = notify(Job::new(job, 1), &self.ctx).await.expect("it is sent");
        assert_eq!(done, Done::Now);
        left
    }

    /// Whose devices got something, in the order of names, and what they show.
    fn shown_notifications(&self) -> Vec<(String, Value)> {
        let mut shown: Vec<(String, Value)> = self
            .service
            .take_requests()
            .into_iter()
            .map(|asked| {
                assert_eq!(asked.method, "POST");
                assert!(asked.authorization.starts_with("vapid t="), "{}", asked.authorization);
                let opened = decrypt_message(&asked.body);
                let name = asked.path.trim_start_matches("/push/").to_owned();
                (name, serde_json::from_slice(&opened).expect("JSON"))
            })
            .collect();
        shown.sort_by(|one, other| one.0.cmp(&other.0));
        shown
    }

    fn names(&self) -> Vec<String> {
        self.shown_notifications().into_iter().map(|(name, _)| name).collect()
    }

    async fn change(&self, change: impl Fn(&mut domain::inbox::Conversation)) {
        self.business
            .change_conversation(&self.aws, self.conversation, change)
            .await;
    }

    /// Handles a job, whose event may have been delivered before.
    async fn handle(&self, about: About, event: &str) -> Done {
        let job = PushJob {
            correlation_id: event.to_owned(),
            about,
            ..self.job(0)
        };
        let handled = Box::pin(handle(Job::new(job, 1), &self.ctx)).await;
        handled.expect("it is sent")
    }

    async fn note(&self, mentioned: &[UserId]) -> Note {
        let id = NoteId::new(self.conversation.contact(), self.aws.ids().ulid());
        let text = "Call her back".parse().expect("a text");
        let note = Note {
            mentions: mentioned.to_vec().into(),
            ..Note::new(id, text, Actor::Operator, self.aws.now())
        };
        let (store, scope) = (self.aws.store(), self.business.scope());
        let created = store.create_of_contact(scope, &note, &self.aws.stamp()).await;
        created.expect("the note is stored");
        note
    }

    /// A missed call of the customer's that no message follows.
    async fn call(&self) -> Call {
        let leave = |call: &mut Call| call.message = None;
        let (call, _) = Box::pin(self.business.store_missed_call(&self.aws, CUSTOMER, leave)).await;
        call
    }

    async fn devices(&self, user: UserId) -> usize {
        let known = self.aws.store().push_subscriptions(user, self.aws.now()).await;
        known.expect("the table answers").len()
    }
}

#[tokio::test]
async fn unread_message_is_shown_on_devices_once() {
    let world = World::new().await;
    world.agent("maya", json!({})).await;
    world.agent("noor", json!({"texts": true})).await;
    world.agent("tom", json!({"unassigned": false})).await;
    world
        .agent("lea", json!({"quiet_hours": {"from": "00:00", "to": "00:00"}}))
        .await;
    // Noon in UTC, and four hours later where the business is.
    world
        .agent("rim", json!({"quiet_hours": {"from": "15:30", "to": "16:30"}}))
        .await;
    assert_eq!(world.push().await.expect("it is sent"), Done::Now);
    let shown = world.shown_notifications();
    let names: Vec<&str> = shown.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["maya", "noor"]);
    let expected = |text: Value| {
        json!({
            "type": "message.received", "tenant_id": world.business.tenant(), "conversation_id": world.conversation,
            "name": shown[0].1["name"], "text": text,
        })
    };
    assert_eq!(shown[0].1, expected(Value::Null));
    let text = shown[1].1["text"].as_str().expect("a text").to_owned();
    assert!(!text.is_empty());
    assert_eq!(shown[1].1, expected(text.into()));
    assert_eq!(world.aws.depth(QueueName::Pushes).await, 0, "nobody is left");
}

#[tokio::test]
async fn only_those_who_should_know_are_notified() {
    let world = World::new().await;
    let (maya, tom) = (
        world.agent("maya", json!({})).await,
        world.agent("tom", json!({})).await,
    );
    world.change(|conversation| conversation.assignee = Some(tom)).await;
    world.push().await.expect("it is sent");
    assert_eq!(world.names(), ["tom"]);
    let team = json!({"name": "Orders", "members": [maya]});
    let team: Team = world.create_owned(team).await;
    world
        .change(|conversation| (conversation.assignee, conversation.team) = (None, Some(team.id)))
        .await;
    world.push().await.expect("it is sent");
    assert_eq!(world.names(), ["maya"]);
    // A page shows it.
    world.change(|conversation| conversation.assignee = Some(maya)).await;
    let (store, scope, now) = (world.aws.store(), world.business.scope(), world.aws.now());
    let ticket = Ticket {
        tenant: world.business.tenant(),
        who: Actor::User(maya),
        credential: None,
        role: None,
        most: 200,
        until: now,
    };
    store.create_ticket("page", &ticket).await.expect("the table answers");
    let page = Socket {
        visible: true,
        ..Socket::new_at(socket_id("page"), ticket.who, None, now)
    };
    assert!(
        store
            .open_socket(scope, "page", &page, None)
            .await
            .expect("the table answers")
    );
    // As long as a page is seen: a closed laptop says nothing.
    let seq = world.seq().await;
    let (next, wait) = world.notify(world.job(seq)).await.expect("they are looked at again");
    assert_eq!(wait, SignedDuration::from_secs(60));
    let rest = next.rest.as_ref().expect("a rest");
    assert_eq!((rest.people.as_slice(), rest.told.len()), ([maya].as_slice(), 0));
    assert_eq!(world.names(), Vec::<String>::new());
    world.push().await.expect("they are looked at again");
    assert_eq!(world.aws.depth(QueueName::Pushes).await, 1);
    world.aws.pass(150);
    assert_eq!(world.notify(next).await, None);
    assert_eq!(world.names(), ["maya"]);
    store.forget_socket(scope, &page.id).await.expect("the table answers");
    // Whoever has left is not told.
    let before = store
        .get::<Member>(scope, &maya)
        .await
        .expect("the table answers")
        .expect("a member");
    let mut after = before.value.clone();
    after.deactivate(now);
    let changed = store.change_member(scope, &before, &after, &world.aws.stamp()).await;
    changed.expect("the member is changed");
    assert_eq!(world.push().await.expect("nothing is to do"), Done::Already);
    assert_eq!(world.names(), Vec::<String>::new());
}

#[tokio::test]
async fn message_that_is_read_or_old_is_not_shown() {
    let world = World::new().await;
    world.agent("maya", json!({})).await;
    let seq = world.seq().await;
    // A later one has its own job.
    assert_eq!(world.push_of(seq - 1).await.expect("nothing is to do"), Done::Already);
    world
        .change(|conversation| conversation.read_seq = conversation.seq)
        .await;
    assert_eq!(world.push().await.expect("nothing is to do"), Done::Already);
    world.change(|conversation| conversation.read_seq = 0).await;
    let job = PushJob {
        at: world.aws.now() - SignedDuration::from_mins(6),
        ..world.job(seq)
    };
    assert_eq!(
        handle(Job::new(job, 1), &world.ctx).await.expect("nothing is to do"),
        Done::Already
    );
    assert_eq!(world.names(), Vec::<String>::new());
    assert_eq!(world.push().await.expect("it is sent"), Done::Now);
    assert_eq!(world.names(), ["maya"]);
}

#[tokio::test]
async fn devices_that_are_gone_or_logged_out_are_forgotten() {
    let world = World::new().await;
    let maya = world.agent("maya", json!({})).await;
    let phone = world.device(maya, "phone").await;
    world
        .aws
        .store()
        .end_session(maya, phone.session)
        .await
        .expect("the table answers");
    assert_eq!(world.push().await.expect("it is sent"), Done::Now);
    assert_eq!((world.names(), world.devices(maya).await), (vec!["maya".to_owned()], 1));
    for status in [404, 410] {
        world.device(maya, "phone").await;
        world.service.tell(status, "{}");
        assert_eq!(world.push().await.expect("it is done"), Done::Now);
        assert_eq!(world.names().last().map(String::as_str), Some("phone"));
        assert_eq!(world.devices(maya).await, 0);
    }
}

#[tokio::test]
async fn push_service_that_takes_nothing_is_tried_again() {
    let world = World::new().await;
    let maya = world.agent("maya", json!({})).await;
    let seq = world.seq().await;
    for status in [429, 500, 503] {
        world.service.tell(status, "{}");
        let (next, wait) = world.notify(world.job(seq)).await.expect("it is tried again");
        assert_eq!(wait, SignedDuration::from_secs(30));
        assert_eq!(next.rest.expect("a rest").people, [maya]);
        assert_eq!(world.names(), ["maya"], "{status}");
    }
    // A device that refuses for good is not.
    world.service.tell(400, "{}");
    assert_eq!(world.notify(world.job(seq)).await, None);
    assert_eq!((world.names(), world.devices(maya).await), (vec!["maya".to_owned()], 1));
    // Only those that were not told, and nobody else.
    world.agent("tom", json!({})).await;
    let phone = world.device(maya, "phone").await;
    world.service.tell(201, "{}");
    let rest = PushRest {
        people: vec![maya],
        told: vec![phone.id],
    };
    let left = PushJob {
        rest: Some(rest),
        ..world.job(seq)
    };
    assert_eq!(world.notify(left.clone()).await, None);
    assert_eq!(world.names(), ["maya"]);
    world.service.tell(503, "{}");
    let (next, _) = world.notify(left.clone()).await.expect("it is tried again");
    assert_eq!(next.rest, left.rest, "whoever was told is not told again");
    world.names();
    // A notification that would be too late is given up.
    let old = PushJob {
        at: world.aws.now() - SignedDuration::from_secs(290),
        ..left
    };
    assert_eq!(world.notify(old).await, None);
}

#[tokio::test]
async fn mention_is_shown_to_whom_it_names_once() {
    let world = World::new().await;
    let (maya, noor, tom) = (
        world.agent("maya", json!({"mine": false, "unassigned": false})).await,
        world.agent("noor", json!({"texts": true})).await,
        world.agent("tom", json!({})).await,
    );
    let lea = world.agent("lea", json!({"mentions": false})).await;
    let rim = world
        .agent("rim", json!({"quiet_hours": {"from": "15:30", "to": "16:30"}}))
        .await;
    world.change(|conversation| conversation.assignee = Some(tom)).await;
    let note = world.note(&[maya, noor, lea, rim]).await;
    // Whom it does not mention any more, when it is told, is not told.
    let about = About::Mention {
        note: note.id,
        mentioned: vec![maya, noor, tom, lea, rim],
    };
    assert_eq!(world.handle(about.clone(), "evt_1").await, Done::Now);
    let profile = world
        .aws
        .store()
        .profile(world.business.scope(), note.id.contact())
        .await;
    let name = profile.expect("the table answers").name.map(|name| name.to_string());
    let expected = |text: Value| {
        json!({
            "type": "note.mentioned", "tenant_id": world.business.tenant(), "contact_id": note.id.contact(),
            "note_id": note.id, "name": name, "text": text,
        })
    };
    let told = [
        ("maya".to_owned(), expected(Value::Null)),
        ("noor".to_owned(), expected("Call her back".into())),
    ];
    assert_eq!(world.shown_notifications(), told);
    assert_eq!(world.handle(about.clone(), "evt_1").await, Done::Already);
    assert_eq!(world.shown_notifications(), []);
    // Another change of the note.
    assert_eq!(world.handle(about.clone(), "evt_2").await, Done::Now);
    assert_eq!(world.names(), ["maya", "noor"]);
    let (store, scope) = (world.aws.store(), world.business.scope());
    let known = store.of_contact::<Note>(scope, note.id.contact(), note.id).await;
    let known = known.expect("the table answers").expect("the note");
    let removed = store.remove_of_contact(scope, &known, &world.aws.stamp()).await;
    removed.expect("the note is deleted");
    assert_eq!(world.handle(about, "evt_3").await, Done::Already);
    assert_eq!(world.shown_notifications(), []);
}

#[tokio::test]
async fn call_without_follow_up_is_shown_as_its_callers_message() {
    let world = World::new().await;
    let (maya, tom) = (
        world
            .agent("maya", json!({"mine": false, "unassigned": false, "texts": true}))
            .await,
        world.agent("tom", json!({})).await,
    );
    world.agent("lea", json!({"calls": false})).await;
    let call = world.call().await;
    let about = About::Call {
        call: call.id,
        conversation: world.conversation,
    };
    assert_eq!(world.handle(about.clone(), "evt_1").await, Done::Now);
    let shown = world.shown_notifications();
    let expected = json!({
        "type": "call.missed", "tenant_id": world.business.tenant(), "contact_id": call.id.contact(),
        "call_id": call.id, "conversation_id": world.conversation, "name": shown[0].1["name"],
    });
    assert_eq!(shown, ["maya", "tom"].map(|name| (name.to_owned(), expected.clone())));
    assert_eq!(world.handle(about.clone(), "evt_1").await, Done::Already);
    let team = json!({"name": "Orders", "members": [maya]});
    let team: Team = world.create_owned(team).await;
    for (event, assignee, told) in [("evt_2", Some(tom), "tom"), ("evt_3", None, "maya")] {
        world
            .change(|conversation| (conversation.assignee, conversation.team) = (assignee, Some(team.id)))
            .await;
        assert_eq!(world.handle(about.clone(), event).await, Done::Now);
        assert_eq!(world.names(), [told]);
    }
    // Whoever hides their number has no conversation, so anybody may attend to it.
    let hidden = About::Call {
        call: call.id,
        conversation: ConversationId::of(call.id.contact(), Some(LineId::new(world.aws.ids().ulid()))),
    };
    assert_eq!(world.handle(hidden, "evt_4").await, Done::Now);
    let shown = world.shown_notifications();
    assert_eq!(shown.len(), 2);
    assert_eq!(shown[0].1["conversation_id"], Value::Null);
    // Somebody has seen it.
    world
        .change(|conversation| (conversation.read_seq, conversation.unread) = (conversation.seq, 0))
        .await;
    assert_eq!(world.handle(about.clone(), "evt_5").await, Done::Already);
    // A message follows after all.
    world.change(|conversation| conversation.unread = 1).await;
    let message = MessageId::new(call.id.contact(), world.aws.ids().ulid());
    let mut call = world
        .aws
        .store()
        .call(world.business.scope(), call.id, world.aws.now())
        .await;
    let call = call.as_mut().expect("the table answers").as_mut().expect("the call");
    call.message = Some(message);
    let written = world.aws.store().write_call(world.business.scope(), call).await;
    written.expect("the call is written");
    assert_eq!(world.handle(about, "evt_6").await, Done::Already);
    assert_eq!(world.shown_notifications(), []);
}

#[tokio::test]
async fn what_needs_attention_is_shown_to_those_who_manage() {
    let world = World::new().await;
    for (name, role) in [
        ("ann", Role::Viewer),
        ("ben", Role::Agent),
        ("maya", Role::Manager),
        ("noor", Role::Admin),
    ] {
        world.person(name, role, json!({})).await;
    }
    world.person("tom", Role::Manager, json!({"attention": false})).await;
    let (store, scope, now) = (world.aws.store(), world.business.scope(), world.aws.now());
    let connection = world.business.whatsapp;
    let refused = Notice {
        matter: Matter::ConnectionRefused {
            connection,
            reason: "the access token is not valid".to_owned(),
        },
        name: "WhatsApp".to_owned(),
        at: now,
    };
    let about = |notice: &Notice| About::Notice { notice: notice.key() };
    assert_eq!(
        world.handle(about(&refused), "evt_1").await,
        Done::Already,
        "there is none"
    );
    store
        .record_notice(scope, &refused, now)
        .await
        .expect("the table answers");
    assert_eq!(world.handle(about(&refused), "evt_1").await, Done::Now);
    let expected = json!({
        "type": "attention", "tenant_id": world.business.tenant(), "notice": "connection_refused",
        "subject_id": connection, "name": "WhatsApp",
    });
    assert_eq!(
        world.shown_notifications(),
        ["maya", "noor"].map(|name| (name.to_owned(), expected.clone()))
    );
    assert_eq!(world.handle(about(&refused), "evt_1").await, Done::Already);
    // A template concerns nobody whose automations do not use it.
    for (name, language, told) in [
        ("unused", "en_GB", Done::Already),
        ("missed_call_followup", "en_GB", Done::Now),
    ] {
        let paused = Notice {
            matter: Matter::TemplatePaused {
                connection,
                language: language.to_owned(),
                status: "PAUSED".to_owned(),
                category: None,
            },
            name: name.to_owned(),
            at: now,
        };
        store
            .record_notice(scope, &paused, now)
            .await
            .expect("the table answers");
        assert_eq!(world.handle(about(&paused), name).await, told, "{name}");
        assert_eq!(world.names().len(), if told == Done::Now { 2 } else { 0 }, "{name}");
    }
    // It was mended, or mailed.
    let known = store
        .notice(scope, &refused.key())
        .await
        .expect("the table answers")
        .expect("a notice");
    let settled = store
        .change_notice(scope, &known, &known.value.without_due_time(), now)
        .await;
    settled.expect("the table answers");
    assert_eq!(world.handle(about(&refused), "evt_2").await, Done::Already);
    assert_eq!(world.shown_notifications(), []);
}
