//! Mails about what people must attend to, in process against the emulator's table and queue.

mod waits;

use std::collections::{BTreeMap, BTreeSet};

use domain::Timestamp;
use domain::accounts::{Account, Member, MemberStatus, PasswordHash, Role};
use domain::campaigns::Campaign;
use domain::inbox::{Conversation, Happening, What};
use domain::notices::{MAX_MAILINGS, Mailing, Mailings, Matter, Notice, Waiting, day_of};
use domain::templates::{TemplateDefinition, TemplateKey, TemplateReport, TemplateStatus};
use domain::tenants::{Connection, Health, TenantStatus};
use domain::terms::{
    CampaignState, Channel, ConnectionId, ContactId, ConversationId, MessageId, Reason, Refusal, Resource as _, RuleId,
    UserId,
};
use jiff::SignedDuration;
use jobs::{Mail, MailJob};
use notify_people::{Context, handle};
use serde_json::json;
use store::Versioned;
use store::tenants::Configured;
use testkit::business::{business, mobile, phone, read};
use testkit::{Aws, Seeded};

const A_DAY: i64 = 24 * 3600;

const URLS: [(&str, &str); 2] = [
    ("APP_URL", "https://app.example"),
    ("PUBLIC_BASE_URL", "https://api.example"),
];

struct World(testkit::World<Context>);

testkit::extends_world!(World.0: Context);

impl World {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// A business with two WhatsApp accounts. Returns the second one's connection, too.
    async fn with_two_accounts() -> (Self, ConnectionId) {
        let id: ConnectionId = "conn_00000000000000000000000077".parse().expect("an id");
        let add = |configured: &mut Configured| {
            let mut known = configured.connections.iter();
            let own = known.find(|known| known.account.kind() == "whatsapp");
            let mut other = own.expect("it has WhatsApp").clone();
            (other.id, other.name) = (id, "WhatsApp Dubai".to_owned());
            if let domain::tenants::Account::WhatsApp(account) = &mut other.account {
                "900000000000077".clone_into(&mut account.waba_id);
                "910000000000077".clone_into(&mut account.phone_number_id);
                account.display_number = phone("+971501234577");
            }
            configured.connections.push(other);
        };
        (Self::with(add).await, id)
    }

    async fn with(change: impl FnOnce(&mut Configured)) -> Self {
        let env = |aws: &Aws| aws.env_with(&URLS);
        Self(testkit::World::with_env(env, Context::new, change).await)
    }

    /// Gives the business a person of this role, changed before they are written. Returns their address.
    async fn seat(&self, role: Role, change: impl FnOnce(&mut Account, &mut Member)) -> String {
        seat(&self.aws, &self.business, role, change).await
    }

    async fn run(&self) {
        let run = Box::pin(handle(self.aws.deadline(180), &self.ctx));
        run.await.expect("the run ends well");
    }

    /// Runs, and takes the mails out of their queue, by address.
    async fn mails(&self) -> BTreeMap<String, MailJob> {
        self.run().await;
        let mails = self.aws.take_mails().await;
        let count = mails.len();
        let mails: BTreeMap<String, MailJob> = mails.into_iter().map(|mail| (mail.to.clone(), mail)).collect();
        assert_eq!(mails.len(), count, "one mail for each person");
        mails
    }

    /// Records a notice as `publish_changes` does. Returns whether it was new.
    async fn record(&self, notice: &Notice) -> bool {
        let store = self.aws.store();
        let recorded = store.record_notice(self.business.scope(), notice, self.aws.now()).await;
        recorded.expect("the table answers")
    }

    /// The provider refuses a connection, or accepts it again.
    async fn set_health(&self, id: ConnectionId, health: Health) -> Option<Notice> {
        let (store, scope) = (self.aws.store(), self.business.scope());
        let read = async || {
            let found = store.connection(scope, id).await;
            found.expect("the table answers").expect("the connection")
        };
        let before = read().await;
        let set = |current| Connection { health, ..current };
        let changed = store.change_connection(scope, &before, set).await;
        assert!(changed.expect("nobody else changes it"));
        Notice::of_connection(Some(&before), &read().await)
    }

    async fn refuse(&self, id: ConnectionId) -> Notice {
        let now = self.aws.now();
        let refused = Health::Unhealthy {
            since: now,
            reason: "the access token is not valid".to_owned(),
            tried_at: now,
        };
        let notice = self.set_health(id, refused).await.expect("it was healthy");
        assert!(self.record(&notice).await);
        notice
    }

    async fn mend(&self, id: ConnectionId) {
        assert_eq!(self.set_health(id, Health::Healthy).await, None);
    }

    /// WhatsApp pauses the template of the automation.
    async fn pause_template(&self) -> Notice {
        self.pause_template_of(&[self.business.whatsapp]).await.remove(0)
    }

    /// WhatsApp pauses the template of the automation in the account of these connections.
    async fn pause_template_of(&self, connections: &[ConnectionId]) -> Vec<Notice> {
        let (store, scope) = (self.aws.store(), self.business.scope());
        let read = async |connection: ConnectionId| {
            let id = format!("{connection}#missed_call_followup#en_GB");
            let found = store.get::<TemplateDefinition>(scope, &id).await;
            found.expect("the table answers").expect("the template").value
        };
        let mut before = Vec::new();
        for connection in connections {
            before.push(read(*connection).await);
        }
        let key = TemplateKey::new("missed_call_followup", "en_GB").expect("a key");
        let report = TemplateReport {
            status: Some(TemplateStatus("PAUSED".to_owned())),
            ..TemplateReport::of(key, self.aws.now())
        };
        let noted = store.note_template(scope, connections, &report).await;
        assert!(noted.expect("nobody else changes it"));
        let mut notices = Vec::new();
        for (connection, before) in connections.iter().zip(&before) {
            let notice = Notice::of_template(Some(before), &read(*connection).await, self.aws.now());
            let notice = notice.expect("it was approved");
            assert!(self.record(&notice).await);
            notices.push(notice);
        }
        notices
    }

    /// Records a day with calls, some of them matched by these automations.
    async fn calls(&self, rules: &[RuleId]) {
        let now = self.aws.now();
        let rules = rules.iter().copied().collect();
        let store = self.aws.store();
        let noted = store.note_calls(self.business.scope(), day_of(now), &rules, now);
        noted.await.expect("nobody else writes");
    }

    async fn mailings(&self) -> Option<Versioned<Mailings>> {
        let pending = self
            .aws
            .store()
            .pending_notices(self.business.scope(), &BTreeSet::new())
            .await;
        pending.expect("the table answers").mailings
    }

    /// Writes the row of mailings, as a run of before left it.
    async fn write_mailings(&self, mailings: Mailings) {
        let before = self.mailings().await;
        let store = self.aws.store();
        let written = store
            .write_mailings(self.business.scope(), before.as_ref(), mailings, self.aws.now())
            .await;
        written.expect("nobody else writes");
    }

    /// Leaves no further mailing for today.
    async fn use_up_mailings(&self) {
        let used_up = Mailings {
            day: day_of(self.aws.now()),
            count: MAX_MAILINGS,
            open: None,
        };
        self.write_mailings(used_up).await;
    }
}

/// The row while the first mailing of its day, of this notice, has not ended.
fn first_mailing(begun: Timestamp, notice: &Notice) -> Mailings {
    let open = Mailing {
        at: begun,
        notices: vec![notice.key()],
    };
    Mailings {
        day: day_of(begun),
        count: 1,
        open: Some(open),
    }
}

async fn seat(aws: &Aws, business: &Seeded, role: Role, change: impl FnOnce(&mut Account, &mut Member)) -> String {
    let now = aws.now();
    let user = UserId::new(aws.ids().ulid());
    let email = format!("{user}@bakery.example").parse().expect("an address");
    let password = PasswordHash(String::new());
    let mut account = Account::new(user, email, "Ann".to_owned(), "en".to_owned(), password, now);
    account.tenants = vec![business.tenant()];
    let mut member = Member::joining(&account, role, now);
    change(&mut account, &mut member);
    let (store, hash, stamp) = (aws.store(), user.to_string(), aws.stamp());
    let seated = store.seat(business.scope(), &account, &hash, &member, &stamp);
    seated.await.expect("the person is seated");
    account.email.as_str().to_owned()
}

impl World {
    /// A customer writes now, and `tend_inbox` notices it ten minutes later. Returns the conversation.
    async fn unread(&self, last: usize) -> ConversationId {
        let contact = self.business.contact_with(&self.aws, &mobile(last), |_| {}).await;
        let id = self.business.receive_noted(&self.aws, contact.id, None).await;
        self.aws.pass(600);
        let conversation = self.business.conversation(&self.aws, id).await.value;
        let notice = Notice::of_conversation(&conversation, self.aws.now()).expect("it is unread");
        self.record(&notice).await;
        let tell = |one: &mut Conversation| (one.tell_at, one.noticed_at) = (None, Some(notice.at));
        self.business.change_conversation(&self.aws, id, tell).await;
        id
    }

    /// Somebody attends to a conversation.
    async fn give(&self, id: ConversationId, user: Option<UserId>) {
        let give = |conversation: &mut Conversation| conversation.assignee = user;
        self.business.change_conversation(&self.aws, id, give).await;
    }

    /// Somebody reads a conversation.
    async fn read(&self, id: ConversationId) {
        let read = |conversation: &mut Conversation| assert!(conversation.read_to(conversation.seq));
        self.business.change_conversation(&self.aws, id, read).await;
    }
}

/// The customers who wait, as a mail tells them.
fn waiting(mail: &MailJob) -> Waiting {
    match &described_notices(mail).0[..] {
        [
            Notice {
                matter: Matter::CustomersWait(waiting),
                ..
            },
        ] => *waiting,
        others => panic!("other notices: {others:?}"),
    }
}

#[tokio::test]
async fn agents_are_told_that_customers_wait() {
    let world = World::new().await;
    let agent = world.seat(Role::Agent, |_, _| {}).await;
    let admin = world.seat(Role::Admin, |_, _| {}).await;
    world.seat(Role::Viewer, |_, _| {}).await;
    let unwilling: Change = |account, _| account.preferences.notifications.mails.customers_wait = false;
    world.seat(Role::Agent, unwilling).await;
    let since = world.aws.now();
    world.unread(1).await;
    world.unread(2).await;
    let mails = world.mails().await;
    let people: BTreeSet<&String> = mails.keys().collect();
    assert_eq!(people, BTreeSet::from([&agent, &admin]));
    let both = Waiting {
        conversations: 2,
        since,
    };
    assert_eq!((waiting(&mails[&agent]), waiting(&mails[&admin])), (both, both));
    assert!(world.mails().await.is_empty(), "once");
}

#[tokio::test]
async fn messages_that_were_read_meanwhile_are_not_told() {
    let world = World::new().await;
    let agent = world.seat(Role::Agent, |_, _| {}).await;
    let (first, second) = (world.unread(1).await, world.unread(2).await);
    world.read(second).await;
    assert_eq!(waiting(&world.mails().await[&agent]).conversations, 1, "the other one");
    world.read(first).await;
    world.aws.pass(A_DAY);
    let third = world.unread(3).await;
    world.read(third).await;
    assert!(world.mails().await.is_empty());
    world.aws.pass(A_DAY);
    assert!(world.mails().await.is_empty(), "nor later");
}

/// More often than other matters, and without a maximum for the day.
#[tokio::test]
async fn waiting_customers_are_told_once_an_hour() {
    let world = World::new().await;
    let agent = world.seat(Role::Agent, |_, _| {}).await;
    let manager = world.seat(Role::Manager, |_, _| {}).await;
    world.unread(0).await;
    assert_eq!(waiting(&world.mails().await[&agent]).conversations, 1);
    for number in 1..=6 {
        world.unread(number).await;
        world.aws.pass(2_990);
        assert!(world.mails().await.is_empty(), "not within an hour");
        world.aws.pass(10);
        assert_eq!(waiting(&world.mails().await[&agent]).conversations, number + 1);
    }
    // They took nothing from others, and agents hear nothing of those.
    let refused = world.refuse(world.business.whatsapp).await;
    let mails = world.mails().await;
    assert_eq!(
        (mails.len(), described_notices(&mails[&manager])),
        (1, (vec![refused], 0))
    );
}

/// They have waited for longer, and more has happened in them since, but somebody has read it.
#[tokio::test]
async fn unread_message_is_told_behind_hundreds_of_others() {
    let world = World::new().await;
    let agent = world.seat(Role::Agent, |_, _| {}).await;
    let user = agent.split('@').next().and_then(|id| id.parse().ok());
    let (since, id) = (world.aws.now(), world.unread(1).await);
    world.give(id, user).await;
    let store = world.aws.store();
    for _other in 0..210 {
        let contact = ContactId::new(world.aws.ids().ulid());
        let wrote = |at| Happening {
            at,
            what: What::Inbound(MessageId::new(contact, world.aws.ids().ulid()), Channel::WhatsApp),
        };
        let first = wrote(since - SignedDuration::from_hours(1));
        let mut value = Conversation::from_happening(ConversationId::of(contact, None), first, None);
        value.note(wrote(world.aws.now()), None);
        assert!(value.read_to(2));
        value.assignee = user;
        let other = Versioned { value, version: 0 };
        let written = store.write_conversation(world.business.scope(), &other, None);
        written.await.expect("the conversation is written");
    }
    let one = Waiting {
        conversations: 1,
        since,
    };
    assert_eq!(waiting(&world.mails().await[&agent]), one);
}

/// Their conversations are handed over soon.
#[tokio::test]
async fn customer_of_somebody_who_left_is_told_of() {
    let world = World::new().await;
    let agent = world.seat(Role::Agent, |_, _| {}).await;
    let (store, scope, now) = (world.aws.store(), world.business.scope(), world.aws.now());
    let leaver = UserId::new(world.aws.ids().ulid());
    let mut desk = store.desk(scope, leaver, now).await.expect("the table answers");
    desk.value.set_left(true, now);
    store.write_desk(scope, &desk, None).await.expect("nobody else writes");
    let id = world.unread(1).await;
    world.give(id, Some(leaver)).await;
    assert_eq!(waiting(&world.mails().await[&agent]).conversations, 1);
}

/// There are more people than lists that are looked at.
#[tokio::test]
async fn customer_in_a_list_too_many_is_told_of() {
    let world = World::new().await;
    let agent = world.seat(Role::Agent, |_, _| {}).await;
    let mut last = None;
    for _more in 0..60 {
        last = Some(world.business.member(&world.aws, Role::Agent).await.user);
    }
    let (since, id) = (world.aws.now(), world.unread(1).await);
    world.give(id, last).await;
    let one = Waiting {
        conversations: 1,
        since,
    };
    assert_eq!(waiting(&world.mails().await[&agent]), one);
}

/// Others wait for the next day then.
#[tokio::test]
async fn waiting_customers_are_told_on_a_day_without_further_mailings() {
    let world = World::new().await;
    let admin = world.seat(Role::Admin, |_, _| {}).await;
    world.use_up_mailings().await;
    world.refuse(world.business.whatsapp).await;
    world.unread(1).await;
    assert!(world.mails().await.is_empty(), "the others are put off");
    assert_eq!(waiting(&world.mails().await[&admin]).conversations, 1);
    assert!(world.mails().await.is_empty());
}

/// A change of a person before they are written.
type Change = fn(&mut Account, &mut Member);

/// The notices that a mail describes, and the number of others.
fn described_notices(mail: &MailJob) -> (Vec<Notice>, usize) {
    let Mail::Notices { notices, more, .. } = &mail.mail else {
        panic!("a mail of another kind: {mail:?}");
    };
    (notices.clone(), *more)
}

#[tokio::test]
async fn managers_get_one_mail_in_their_language() {
    let world = World::new().await;
    let admin = world.seat(Role::Admin, |_, _| {}).await;
    let manager = world
        .seat(Role::Manager, |account, _| account.language = "ar-AE".to_owned())
        .await;
    let others: [(Role, Change); 5] = [
        (Role::Agent, |_, _| {}),
        (Role::Viewer, |_, _| {}),
        (Role::Manager, |_, member| member.status = MemberStatus::Deactivated),
        (Role::Manager, |account, _| account.awaits_password = true),
        (Role::Manager, |account, _| {
            account.preferences.notifications.mails.connection_refused = false;
        }),
    ];
    for (role, change) in others {
        world.seat(role, change).await;
    }
    let notice = world.refuse(world.business.whatsapp).await;
    let mails = world.mails().await;
    let people: Vec<&str> = mails.keys().map(String::as_str).collect();
    let mut expected = vec![admin.as_str(), manager.as_str()];
    expected.sort_unstable();
    assert_eq!(people, expected);
    assert_eq!(
        (mails[&admin].language.as_str(), mails[&manager].language.as_str()),
        ("en", "ar-AE")
    );
    for mail in mails.values() {
        assert_eq!(described_notices(mail), (vec![notice.clone()], 0));
        assert_eq!(mail.tenant, Some(world.business.tenant()));
        assert_eq!(mail.mail.url(), Some("https://app.example/account/notifications"));
        let Mail::Notices { business, .. } = &mail.mail else {
            unreachable!("told")
        };
        assert_eq!(business, "Harbour Lane");
    }
    assert!(world.mails().await.is_empty(), "once");
}

#[tokio::test]
async fn redelivered_notice_is_told_once() {
    let world = World::new().await;
    world.seat(Role::Admin, |_, _| {}).await;
    let notice = world.refuse(world.business.whatsapp).await;
    assert!(!world.record(&notice).await, "it is known");
    assert_eq!(world.mails().await.len(), 1);
    for _day in 0..3 {
        assert!(!world.record(&notice).await, "it is known");
        assert!(world.mails().await.is_empty());
        world.aws.pass(A_DAY);
    }
}

#[tokio::test]
async fn several_notices_are_one_mail_of_what_each_wants() {
    let world = World::new().await;
    let all = world.seat(Role::Admin, |_, _| {}).await;
    let one = world
        .seat(Role::Manager, |account, _| {
            account.preferences.notifications.mails.connection_refused = false;
        })
        .await;
    let refused = world.refuse(world.business.whatsapp).await;
    world.aws.pass(1);
    let paused = world.pause_template().await;
    let mails = world.mails().await;
    assert_eq!(
        described_notices(&mails[&all]),
        (vec![refused, paused.clone()], 0),
        "the oldest first"
    );
    assert_eq!(described_notices(&mails[&one]), (vec![paused], 0));
}

/// A connection that comes and goes is told again a day later, if it is still refused.
#[tokio::test]
async fn subject_is_told_once_a_day() {
    let world = World::new().await;
    let admin = world.seat(Role::Admin, |_, _| {}).await;
    let connection = world.business.whatsapp;
    world.refuse(connection).await;
    assert_eq!(world.mails().await.len(), 1);
    for _hour in 0..3 {
        world.aws.pass(3600);
        world.mend(connection).await;
        world.aws.pass(60);
        world.refuse(connection).await;
        assert!(world.mails().await.is_empty());
    }
    world.aws.pass(A_DAY);
    let mails = world.mails().await;
    assert_eq!(described_notices(&mails[&admin]).0.len(), 1, "the latest one");
    // Mended within the day.
    world.aws.pass(60);
    world.mend(connection).await;
    world.aws.pass(60);
    world.refuse(connection).await;
    world.mend(connection).await;
    world.aws.pass(A_DAY);
    assert!(world.mails().await.is_empty());
}

#[tokio::test]
async fn mended_connection_is_not_told() {
    let world = World::new().await;
    world.seat(Role::Admin, |_, _| {}).await;
    let connection = world.business.whatsapp;
    world.refuse(connection).await;
    world.mend(connection).await;
    assert!(world.mails().await.is_empty());
    assert_eq!(world.mailings().await, None);
    // A later refusal is another occurrence.
    world.aws.pass(60);
    world.refuse(connection).await;
    assert_eq!(world.mails().await.len(), 1);
}

#[tokio::test]
async fn paused_template_is_told_if_an_automation_uses_it() {
    let world = World::new().await;
    let admin = world.seat(Role::Admin, |_, _| {}).await;
    let notice = world.pause_template().await;
    let mails = world.mails().await;
    assert_eq!(described_notices(&mails[&admin]), (vec![notice], 0));

    let unused = World::with(|configured| configured.rules[0].enabled = false).await;
    unused.seat(Role::Admin, |_, _| {}).await;
    unused.pause_template().await;
    assert!(unused.mails().await.is_empty());
}

#[tokio::test]
async fn paused_campaign_is_told_until_it_is_resumed() {
    let world = World::new().await;
    let admin = world.seat(Role::Admin, |_, _| {}).await;
    let (store, scope, now) = (world.aws.store(), world.business.scope(), world.aws.now());
    let fields = read(json!({"type": "broadcast", "name": "Offer for the holidays"}));
    let draft = Campaign::new(world.aws.ids().ulid(), fields, now);
    store.create(scope, &draft, &world.aws.stamp()).await.expect("a draft");
    let scheduled = draft
        .with_state(CampaignState::Scheduled, None, now)
        .expect("it is started");
    let running = scheduled
        .with_state(CampaignState::Running, None, now)
        .expect("it begins");
    let why = Refusal::new(Reason::FailureRate, "31 of its last 100 messages failed");
    let paused = running
        .with_state(CampaignState::Paused, Some(why.clone()), now)
        .expect("it is paused");
    let notice = Notice::of_campaign(&paused).expect("a notice");
    assert!(
        world.record(&notice).await && !world.record(&notice).await,
        "the same when it is tried again"
    );
    let version = store.move_campaign(scope, 1, &paused).await.expect("it is paused");
    assert_eq!(described_notices(&world.mails().await[&admin]), (vec![notice], 0));

    // It pauses again, and is resumed before people are told.
    world.aws.pass(A_DAY);
    let again = paused
        .with_state(CampaignState::Running, None, world.aws.now())
        .expect("it is resumed");
    let paused = again
        .with_state(CampaignState::Paused, Some(why), world.aws.now())
        .expect("it is paused");
    assert!(world.record(&Notice::of_campaign(&paused).expect("a notice")).await);
    store.move_campaign(scope, version, &again).await.expect("it runs");
    assert_eq!(Notice::of_campaign(&again), None);
    assert!(world.mails().await.is_empty(), "nobody need attend to it");
}

/// Templates of the same name are others in another account.
#[tokio::test]
async fn templates_of_two_accounts_are_told_apart() {
    let (world, second) = World::with_two_accounts().await;
    let admin = world.seat(Role::Admin, |_, _| {}).await;
    for (connection, name) in [(second, Some("WhatsApp Dubai")), (world.business.whatsapp, None)] {
        let notices = world.pause_template_of(&[connection]).await;
        let mails = world.mails().await;
        assert_eq!(described_notices(&mails[&admin]), (notices, 0));
        let Mail::Notices { connections, .. } = &mails[&admin].mail else {
            unreachable!("told")
        };
        assert_eq!(connections.len(), 1);
        assert!(name.is_none_or(|name| connections[&connection] == name));
        world.aws.pass(1800);
    }
}

/// They may be of one account: WhatsApp then says it once.
#[tokio::test]
async fn template_paused_for_two_connections_is_told_once() {
    let (world, second) = World::with_two_accounts().await;
    let admin = world.seat(Role::Admin, |_, _| {}).await;
    let notices = world.pause_template_of(&[second, world.business.whatsapp]).await;
    let mails = world.mails().await;
    let (told, more) = described_notices(&mails[&admin]);
    assert_eq!((told.len(), more), (1, 0));
    assert!(notices.contains(&told[0]));
    world.aws.pass(A_DAY);
    assert!(world.mails().await.is_empty(), "nor later");
}

#[tokio::test]
async fn automation_without_a_match_is_told_after_seven_days() {
    let world = World::new().await;
    let admin = world.seat(Role::Admin, |_, _| {}).await;
    let rule = world.business.configured.rules[0].id;
    // Whatever happened before the records began is not known.
    for _day in 0..8 {
        world.calls(&[]).await;
        assert!(world.mails().await.is_empty());
        world.aws.pass(A_DAY);
    }
    assert!(world.mails().await.is_empty(), "without a call");
    world.calls(&[]).await;
    assert!(world.mails().await.is_empty(), "the review is recorded first");
    let mails = world.mails().await;
    let (notices, _) = described_notices(&mails[&admin]);
    assert_eq!(notices[0].matter, Matter::AutomationUnmatched { automation: rule });
    assert_eq!(notices[0].name, "Missed calls");
    // It is told once, however long it lasts.
    for _day in 0..20 {
        world.aws.pass(A_DAY);
        world.calls(&[]).await;
        assert!(world.mails().await.is_empty());
    }
    world.calls(&[rule]).await;
    for _day in 0..8 {
        world.run().await;
        world.aws.pass(A_DAY);
        world.calls(&[]).await;
    }
    world.run().await;
    assert_eq!(world.mails().await.len(), 1, "once more after a match");
}

#[tokio::test]
async fn automation_that_matches_is_never_told() {
    let world = World::new().await;
    world.seat(Role::Admin, |_, _| {}).await;
    let rule = world.business.configured.rules[0].id;
    for day in 0..30 {
        let matched: Vec<RuleId> = (day % 7 == 0).then_some(rule).into_iter().collect();
        world.calls(&matched).await;
        assert!(world.mails().await.is_empty(), "day {day}");
        world.aws.pass(A_DAY);
    }
}

#[tokio::test]
async fn many_notices_are_described_in_part_and_counted() {
    let mut world = World::new().await;
    for _more in 0..13 {
        let mut rule = world.business.configured.rules[0].clone();
        rule.id = RuleId::new(world.aws.ids().ulid());
        world.business.configured.rules.push(rule);
    }
    world.business.write(&world.aws).await;
    let admin = world.seat(Role::Admin, |_, _| {}).await;
    world.calls(&[]).await;
    for days in [7, 1] {
        world.aws.pass(days * A_DAY);
        world.calls(&[]).await;
    }
    world.run().await;
    let mails = world.mails().await;
    let (notices, more) = described_notices(&mails[&admin]);
    assert_eq!((notices.len(), more), (10, 4));
    assert!(world.mails().await.is_empty());
}

#[tokio::test]
async fn what_a_day_has_no_mailing_for_is_told_the_next_day() {
    let world = World::new().await;
    let admin = world.seat(Role::Admin, |_, _| {}).await;
    world.use_up_mailings().await;
    let first = world.refuse(world.business.whatsapp).await;
    assert!(world.mails().await.is_empty());
    world.aws.pass(3600);
    let second = world.refuse(world.business.twilio).await;
    assert!(world.mails().await.is_empty());
    // Until midnight.
    world.aws.pass(11 * 3600);
    let mails = world.mails().await;
    assert_eq!(described_notices(&mails[&admin]), (vec![first, second], 0));
}

#[tokio::test]
async fn suspended_tenant_is_told_nothing() {
    let mut world = World::new().await;
    world.seat(Role::Admin, |_, _| {}).await;
    let id = world.business.whatsapp;
    world.refuse(id).await;
    let refused = world.aws.store().connection(world.business.scope(), id).await;
    // Writing the tenant does not mend it.
    world.business.connection_mut(id).health = refused.expect("the table answers").expect("the connection").health;
    world.business.configured.tenant.status = TenantStatus::Suspended;
    world.business.configured.status_meant = true;
    world.business.write(&world.aws).await;
    assert!(world.mails().await.is_empty());
    world.business.configured.tenant.status = TenantStatus::Active;
    world.business.write(&world.aws).await;
    world.aws.pass(A_DAY);
    assert!(world.mails().await.is_empty(), "nor later");
}

/// A worker died before it marked a notice: the mails are repeated with the same ids, so the sender recognizes them.
#[tokio::test]
async fn interrupted_mailing_is_repeated_with_the_same_mails() {
    let world = World::new().await;
    let admin = world.seat(Role::Admin, |_, _| {}).await;
    let notice = world.refuse(world.business.whatsapp).await;
    let begun = world.aws.now();
    let first = world.mails().await;
    assert_eq!(first.len(), 1);
    let (store, scope) = (world.aws.store(), world.business.scope());
    let state = store.notice(scope, &notice.key()).await.expect("the table answers");
    let state = state.expect("the notice");
    let mut unmarked = state.value.clone();
    (unmarked.due, unmarked.mailed_at) = (Some(begun), None);
    let changed = store.change_notice(scope, &state, &unmarked, begun).await;
    changed.expect("nobody else changes it");
    let open = first_mailing(begun, &notice);
    world.write_mailings(open.clone()).await;
    assert!(world.mails().await.is_empty(), "its worker may be at it");
    world.aws.pass(240);
    let again = world.mails().await;
    assert_eq!(again[&admin].id, first[&admin].id);
    assert_eq!(described_notices(&again[&admin]), (vec![notice.clone()], 0));
    assert_eq!(
        world.mailings().await.expect("a row").value,
        open.without_open_mailing()
    );
    assert!(world.mails().await.is_empty());

    // A worker that died after it marked a notice had queued all mails.
    world.write_mailings(open.clone()).await;
    assert_eq!(world.refuse(world.business.twilio).await.at, world.aws.now());
    assert!(world.mails().await.is_empty(), "the former mailing ends");
    assert_eq!(world.mails().await.len(), 1, "and the next one begins");
}

/// A mailing whose end was not written. Later occurrences wait for their day, but no longer.
#[tokio::test]
async fn later_occurrence_is_told_although_a_mailing_did_not_end() {
    let world = World::new().await;
    let admin = world.seat(Role::Admin, |_, _| {}).await;
    let (connection, begun) = (world.business.whatsapp, world.aws.now());
    let first = world.refuse(connection).await;
    assert_eq!(world.mails().await.len(), 1);
    world.write_mailings(first_mailing(begun, &first)).await;
    world.aws.pass(A_DAY / 2);
    world.mend(connection).await;
    world.aws.pass(60);
    let later = world.refuse(connection).await;
    assert!(world.mails().await.is_empty());
    world.aws.pass(A_DAY / 2);
    assert!(world.mails().await.is_empty(), "the former mailing ends");
    let mails = world.mails().await;
    assert_eq!(described_notices(&mails[&admin]), (vec![later], 0));
}

#[tokio::test]
async fn mails_that_no_queue_takes_are_queued_later() {
    let world = World::new().await;
    world.seat(Role::Admin, |_, _| {}).await;
    world.refuse(world.business.whatsapp).await;
    let nowhere = [URLS[0], URLS[1], ("MAILS_QUEUE_URL", "http://127.0.0.1:1/none")];
    let broken = Context::new(&world.aws.env_with(&nowhere)).expect("a context");
    let failed = Box::pin(handle(world.aws.deadline(180), &broken)).await;
    assert!(failed.is_err(), "it is said");
    world.aws.pass(300);
    assert_eq!(world.mails().await.len(), 1);
    assert!(world.mails().await.is_empty());
}

#[tokio::test]
async fn runs_at_the_same_time_send_one_mail() {
    let world = World::new().await;
    world.seat(Role::Admin, |_, _| {}).await;
    world.refuse(world.business.whatsapp).await;
    tokio::join!(world.run(), world.run(), world.run());
    assert_eq!(world.aws.take_mails().await.len(), 1);
    assert!(world.mails().await.is_empty());
}

#[tokio::test]
async fn unreadable_notice_of_a_tenant_blocks_no_other() {
    let world = World::new().await;
    let other = Box::pin(business(&world.aws)).await;
    seat(&world.aws, &other, Role::Admin, |_, _| {}).await;
    world.seat(Role::Admin, |_, _| {}).await;
    let notice = world.refuse(world.business.whatsapp).await;
    let notices = other.tenant().to_string().replace("tnt_", "T#") + "#NOTICE";
    let own = format!("NOTICE#{}", notice.key());
    let broken = [
        ("pk", notices.as_str()),
        ("sk", own.as_str()),
        ("kind", "notice"),
        ("data", "no notice"),
        ("gsi2pk", "DUE#notices"),
        ("gsi2sk", "2026-11-20T11:00:00.000Z#NOTICE#1"),
    ];
    world.aws.put_row(&broken).await;
    let failed = Box::pin(handle(world.aws.deadline(180), &world.ctx)).await;
    assert!(failed.is_err(), "it is said");
    assert_eq!(world.aws.take_mails().await.len(), 1);
}

/// Without a URL there is no link, and nothing else is missing.
#[tokio::test]
async fn deployment_without_url_sends_mails_without_link() {
    let mut world = World::new().await;
    world.ctx = Context::new(world.aws.env()).expect("a context");
    let admin = world.seat(Role::Admin, |_, _| {}).await;
    world.refuse(world.business.whatsapp).await;
    let mails = world.mails().await;
    assert_eq!(mails[&admin].mail.url(), None);
    let link = Mail::Notices {
        business: "Harbour Lane".to_owned(),
        notices: described_notices(&mails[&admin]).0,
        more: 0,
        link: None,
        connections: BTreeMap::new(),
        time_zone: Some("Europe/London".parse().expect("a zone")),
    };
    assert_eq!(mails[&admin].mail, link);
}

#[tokio::test]
async fn run_stops_before_its_time_is_over() {
    let world = World::new().await;
    world.seat(Role::Admin, |_, _| {}).await;
    world.refuse(world.business.whatsapp).await;
    let run = Box::pin(handle(world.aws.deadline(19), &world.ctx));
    run.await.expect("the run ends well");
    assert!(world.aws.take_mails().await.is_empty());
    assert_eq!(world.mails().await.len(), 1);
}
