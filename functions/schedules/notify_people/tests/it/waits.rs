//! Customers write, agents do what they do, and whoever waits unseen for too long is told of once: as a plain model says.

use domain::Timestamp;
use domain::accounts::Role;
use domain::inbox::{Conversation, ConversationState, Happening, TeamMessage, What};
use domain::notices::{Notice, Waiting};
use domain::people::Contact;
use domain::terms::{Actor, ApiKeyId, Channel, ConversationId, MessageId, UserId};
use flows::inbox::{Assigning, note_for_team};
use jiff::SignedDuration;
use store::inbox::{DueWhat, SHARDS};
use store::tenants::ConfigCache;
use testkit::Dice;
use testkit::business::mobile;

use super::{World, waiting};

const CUSTOMERS: usize = 20;
const AGENTS: usize = 4;

/// Histories of these minutes each; as many as this variable says, where it is set: `RINGBACK_TEST_WAITS=20`.
const HISTORIES: usize = 4;
const MINUTES: i64 = 360;

/// Maximum wait of an unread message, and time between two mails.
const ALLOWED: SignedDuration = SignedDuration::from_mins(10);
const PAUSE: SignedDuration = SignedDuration::from_hours(1);

/// An unread message, and whether a mail has counted it.
#[derive(Debug, Clone, Copy)]
struct Unread {
    /// Earliest time for telling people of it.
    from: Timestamp,
    counted: bool,
}

/// A customer, as the model knows them.
#[derive(Debug, Clone, Copy, Default)]
struct Customer {
    /// Time since which they wait for an answer.
    since: Option<Timestamp>,
    wrote: Option<Timestamp>,
    answered: Option<Timestamp>,
    /// The first message that is unread, until it is overdue; and the latest one that is.
    fresh: Option<Unread>,
    overdue: Option<Unread>,
}

impl Customer {
    fn writes(&mut self, at: Timestamp, now: Timestamp) {
        self.wrote = self.wrote.max(Some(at));
        if self.answered < Some(at) {
            self.since = Some(self.since.map_or(at, |since| since.min(at)));
            let from = (now + SignedDuration::from_mins(1)).max(at + ALLOWED);
            self.fresh.get_or_insert(Unread { from, counted: false });
        }
    }

    fn read(&mut self) {
        (self.fresh, self.overdue) = (None, None);
    }

    fn answer(&mut self) {
        self.read();
        self.since = None;
    }

    /// The answer was to what came before the latest message.
    fn answer_late(&mut self) {
        self.since = self.wrote;
        if let (Some(fresh), Some(wrote)) = (&mut self.fresh, self.wrote) {
            let from = wrote + ALLOWED;
            let counted = fresh.counted && fresh.from == from;
            (*fresh, self.overdue) = (Unread { from, counted }, None);
        }
    }
}

/// Who must be told of.
#[derive(Default)]
struct Model {
    customers: Vec<Customer>,
    mailed_at: Option<Timestamp>,
    /// Whether something was found that no mail has told of.
    due: bool,
}

impl Model {
    /// Finds what is overdue, each minute.
    fn find(&mut self, now: Timestamp) {
        for customer in &mut self.customers {
            if let Some(fresh) = customer.fresh.take_if(|fresh| fresh.from <= now) {
                self.due |= !fresh.counted;
                customer.overdue = Some(fresh);
            }
        }
    }

    /// The customers to name in a mail now, if one is to be sent.
    fn mail(&mut self, now: Timestamp) -> Option<Waiting> {
        if !self.due || self.mailed_at.is_some_and(|at| now < at + PAUSE) {
            return None;
        }
        self.due = false;
        let (mut all, mut untold) = (Vec::new(), false);
        for customer in &mut self.customers {
            let mut unread: Vec<&mut Unread> = customer.overdue.iter_mut().collect();
            unread.extend(customer.fresh.iter_mut().filter(|fresh| fresh.from <= now));
            untold |= unread.iter().any(|unread| !unread.counted);
            all.extend(customer.since.filter(|_| !unread.is_empty()));
            for unread in unread {
                unread.counted = true;
            }
        }
        if !untold {
            return None;
        }
        self.mailed_at = Some(now);
        Some(Waiting {
            conversations: all.len(),
            since: all.into_iter().min()?,
        })
    }
}

/// A tenant with these customers and agents.
struct Town {
    world: World,
    contacts: Vec<Contact>,
    agents: Vec<UserId>,
    model: Model,
    dice: Dice,
}

impl Town {
    async fn new(seed: u64) -> Self {
        let (world, mut agents, mut contacts) = (World::new().await, Vec::new(), Vec::new());
        for _agent in 0..AGENTS {
            let email = world.seat(Role::Agent, |_, _| {}).await;
            agents.push(email.split('@').next().and_then(|id| id.parse().ok()).expect("an id"));
        }
        for customer in 0..CUSTOMERS {
            let number = mobile(customer);
            contacts.push(world.business.contact_with(&world.aws, &number, |_| {}).await);
        }
        let model = Model {
            customers: vec![Customer::default(); CUSTOMERS],
            ..Model::default()
        };
        Self {
            world,
            contacts,
            agents,
            model,
            dice: Dice::new(seed),
        }
    }

    /// A message becomes known that was written at this time.
    async fn receive(&self, contact: &Contact, at: Timestamp) {
        let (aws, scope) = (&self.world.aws, self.world.business.scope());
        let (store, id) = (aws.store(), ConversationId::of(contact.id, None));
        let config = store.config(scope, &ConfigCache::default()).await.expect("it is read");
        let known = store.conversation(scope, id).await.expect("it is read");
        let what = What::Inbound(MessageId::new(contact.id, aws.ids().ulid()), Channel::WhatsApp);
        let (happening, config) = (Happening { at, what }, config.expect("a tenant"));
        let assigning = Assigning {
            config: &config,
            contact,
            now: aws.now(),
        };
        let noted = note_for_team(&store, scope, known, id, happening, assigning);
        let noted = Box::pin(noted).await.expect("it is noted");
        let written = store.write_conversation(scope, &noted, None).await;
        written.expect("it is written");
    }

    /// Something happens between a customer and an agent.
    async fn act(&mut self) {
        let now = self.world.aws.now();
        let (place, kind) = (self.dice.below(CUSTOMERS), self.dice.below(14));
        let (contact, user) = (self.contacts[place].clone(), *self.dice.one(&self.agents));
        let customer = &mut self.model.customers[place];
        // An answered customer's message may become known late, after a quarter of an hour.
        let late = kind == 0 && customer.since.is_none();
        if late || kind < 4 || customer.wrote.is_none() {
            let at = if late { now - SignedDuration::from_mins(15) } else { now };
            customer.writes(at, now);
            return self.receive(&contact, at).await;
        }
        let message = MessageId::new(contact.id, self.world.aws.ids().ulid());
        let (since, wrote) = (customer.since, customer.wrote.expect("one who wrote"));
        let allowed = Some(ALLOWED);
        let sent = TeamMessage {
            at: now,
            message,
            channel: Channel::WhatsApp,
        };
        let change = |one: &mut Conversation| match kind {
            4 | 5 => {
                one.read_to(one.seq);
                customer.read();
            }
            6 => {
                one.reply(Actor::User(user), one.seq, sent, allowed);
                customer.answer();
                customer.answered = Some(now);
            }
            7 if since.is_some() => {
                let seen = one.wrote.map_or(0, |wrote| wrote.seq - 1);
                one.reply(Actor::User(user), seen, sent, allowed);
                customer.answer_late();
                customer.answered = Some(now);
            }
            8 => {
                one.move_to(ConversationState::Closed, None);
                customer.answer();
            }
            9 => {
                one.move_to(ConversationState::Pending, None);
                customer.read();
            }
            10 => {
                one.note_talk(now, allowed);
                if since.is_some() {
                    customer.answer();
                }
            }
            // A call before the latest message becomes known, after software has written.
            11 => {
                let key = ApiKeyId::new(self.world.aws.ids().ulid());
                one.start(Actor::ApiKey(key), sent);
                let called = wrote - SignedDuration::from_secs(1);
                one.note_talk(called, allowed);
                if since.is_some_and(|since| since <= called) {
                    customer.answer_late();
                }
            }
            12 => one.assignee = None,
            _ => one.assignee = Some(user),
        };
        let id = ConversationId::of(contact.id, None);
        self.world
            .business
            .change_conversation(&self.world.aws, id, change)
            .await;
    }

    /// Does the work that `tend_inbox` does each minute.
    async fn find(&mut self) {
        let (aws, business) = (&self.world.aws, &self.world.business);
        for shard in 0..SHARDS {
            let due = aws.store().due_in_inbox(shard, aws.now(), None, 100).await;
            let (due, _) = due.expect("the table answers");
            for due in due.into_iter().filter(|due| due.tenant == business.tenant()) {
                let DueWhat::Conversation(id) = due.what else {
                    continue;
                };
                let known = business.conversation(aws, id).await.value;
                let notice = Notice::of_conversation(&known, aws.now()).expect("it is overdue");
                self.world.record(&notice).await;
                let noticed = |one: &mut Conversation| (one.tell_at, one.noticed_at) = (None, Some(notice.at));
                business.change_conversation(aws, id, noticed).await;
            }
        }
        self.model.find(aws.now());
    }

    /// Whoever is to be told gets a mail, and it says what the model says.
    async fn mail(&mut self) {
        let mails = self.world.mails().await;
        let expected = self.model.mail(self.world.aws.now());
        let told: Vec<Waiting> = mails.values().map(waiting).collect();
        let expected = expected.map_or_else(Vec::new, |waiting| vec![waiting; AGENTS]);
        assert_eq!(told, expected, "{} {:#?}", self.world.aws.now(), self.model.customers);
    }
}

#[tokio::test]
async fn whoever_waits_is_told_of_once_in_any_history() {
    for seed in 0..testkit::size("RINGBACK_TEST_WAITS", HISTORIES) {
        let (mut town, mut mails) = (Town::new(seed as u64).await, 0);
        // Where little happens, one mail is about few.
        let pace = if seed % 2 == 0 { 1 } else { 12 };
        for minute in 0..MINUTES {
            let mut rest = 60;
            let events = if town.dice.once_in(pace) { town.dice.below(3) } else { 0 };
            for _event in 0..events {
                let seconds = 1 + i64::try_from(town.dice.roll(25)).expect("below 25");
                town.world.aws.pass(seconds);
                rest -= seconds;
                Box::pin(town.act()).await;
            }
            town.world.aws.pass(rest);
            let (mails_now, mail_first) = (minute % 5 == 0, town.dice.once_in(2));
            if mails_now && mail_first {
                town.mail().await;
            }
            town.find().await;
            if mails_now && !mail_first {
                town.mail().await;
            }
            mails += usize::from(town.model.mailed_at == Some(town.world.aws.now()));
        }
        assert!(mails >= 3, "{mails} mails: nothing is shown");
    }
}
