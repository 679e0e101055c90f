//! Erasing a contact, in process against the emulator.

#![expect(
    clippy::unwrap_used,
    reason = "everything here is a test; the lint's own exception covers only the functions marked as such"
)]

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{
    account::Email,
    actor::{Actor, Stamp},
    contact::{Change, Identity, OptOut},
    erasure::{EraseContact, Erased},
    ids::{ContactId, MessageId, OperationId},
    inbound::{InboundMessage, Sender},
    message::{Channel, SendOutcome},
    operation::{Data, Operation, OperationKind, OperationState},
    outside::ShownName,
    profile::Profile,
    record::{ConsentEntry, Received},
};
use erase_contact::{Context, handle};
use jiff::SignedDuration;
use jobs::StartOperation;
use kit::{
    operation::{Ran, Runner, Turn, run},
    schedule::Deadline,
};
use store::{
    contacts::ContactWrite,
    effects::{Effects, Once},
    messages::Reference,
};
use testkit::{
    Aws, Seeded,
    business::{CUSTOMER, business, phone},
};

/// A number that the contact has no room for any more.
const FORMER: &str = "+971501000002";
const OTHER: &str = "+971502222222";
const EMAIL: &str = "maya@example.org";
const BSUID: &str = "AE.13491208655302741918";
const TEXT: &str = "Where is my saffron cake?";
/// Meta's ids contain the customer's number.
const SENT: &str = "wamid.HBgMOTcxNTAxMjM0NTY3FQIAERgSQTBCMUMyRDNFNEY1QTZCN0M4RDkA";
const RECEIVED: &str = "wamid.HBgMOTcxNTAxMjM0NTY3FQIAEhgUM0EwQjFDMkQzRTRGNUE2QjdDOEQA";

/// Everything by which the person could be found, in lower case.
fn traces() -> Vec<String> {
    let digits = |number: &str| number.trim_start_matches('+').to_owned();
    let backwards = |number: &str| number.trim_start_matches('+').chars().rev().collect();
    let mut traces = vec![digits(CUSTOMER), digits(FORMER), backwards(CUSTOMER), backwards(FORMER)];
    let words = [EMAIL, BSUID, TEXT, "maya", "haddad", SENT, RECEIVED];
    traces.extend(words.map(str::to_lowercase));
    traces
}

type Rows = BTreeMap<String, HashMap<String, AttributeValue>>;

struct World {
    aws: Aws,
    business: Seeded,
    ctx: Context,
    runner: Runner,
}

impl World {
    async fn new() -> Self {
        let aws = Aws::new().await;
        let business = Box::pin(business(&aws)).await;
        let ctx = Context::new(aws.env()).unwrap();
        let runner = Runner::new(aws.env()).unwrap();
        Self {
            aws,
            business,
            ctx,
            runner,
        }
    }

    /// A contact with a call, a message in each direction, a profile, a consent ledger, and identities of all kinds that a
    /// person can have.
    async fn contact_with_everything(&self) -> ContactId {
        let (store, scope, now) = (self.aws.store(), self.business.scope(), self.aws.now());
        let known = self.business.contact_with(&self.aws, CUSTOMER, |contact| {
            contact.emails = vec![EMAIL.parse::<Email>().unwrap()];
            contact.bsuids = vec![BSUID.to_owned()];
        });
        let id = known.await.id;
        let timers = self.aws.env().config().timers().unwrap();
        let mut message = Box::pin(self.business.follow_up(&self.aws, CUSTOMER)).await;
        message.claim(0, "claim".to_owned(), now, &timers);
        let provider_ref = SENT.parse().unwrap();
        let accepted = SendOutcome::Accepted {
            provider_ref: SENT.parse().unwrap(),
            segments: None,
        };
        message.record(1, accepted, now, &timers);
        let reference = Reference {
            attempt: 1,
            api: "whatsapp",
            provider_ref: &provider_ref,
            parked: None,
        };
        store.record_message(scope, &message, &reference, now).await.unwrap();

        let contact = store.contact(scope, id).await.unwrap().unwrap();
        let received = self.received(id);
        let effects = Effects {
            once: Once::Received {
                received: &received,
                api: "whatsapp",
                parked: None,
            },
            people: vec![contact.into()],
            ..Effects::default()
        };
        store.commit(scope, effects, now).await.unwrap();

        let mut contact = store.contact(scope, id).await.unwrap().unwrap();
        contact.opted_out = Some(OptOut {
            at: now,
            source: "wrote STOP by SMS".to_owned(),
        });
        let profile = Profile::named(ShownName::of("Maya Haddad"));
        let write = ContactWrite {
            dropped_identities: vec![Identity::Phone(phone(FORMER))],
            profile: Some(profile.into()),
            ..ContactWrite::from(contact)
        };
        let entry = ConsentEntry {
            at: now,
            what: "stop".to_owned(),
            source: "wrote STOP by SMS".to_owned(),
        };
        let consent = Some((self.aws.ids().ulid(), &entry));
        store.write_contact(scope, &write, consent).await.unwrap();
        id
    }

    fn received(&self, contact: ContactId) -> Received {
        let message = InboundMessage {
            channel: Channel::WhatsApp,
            provider_ref: RECEIVED.parse().unwrap(),
            from: Sender {
                phone: Some(phone(CUSTOMER)),
                bsuid: Some(BSUID.to_owned()),
                name: ShownName::of("Maya Haddad"),
            },
            to: None,
            at: self.aws.now(),
            kind: "text".to_owned(),
            cut: false,
            text: Some(TEXT.to_owned()),
            payload: None,
            media: vec![],
            reply_to: None,
            opt_flag: None,
            standby: false,
            opens_window: true,
        };
        Received {
            id: MessageId::new(contact, self.aws.ids().ulid()),
            connection: self.business.whatsapp,
            line: None,
            message,
            remarks: vec![],
            correlation_id: "cor".to_owned(),
            keep_until: None,
        }
    }

    /// Deletes the contact, if it exists, and starts the erasure, as the API does.
    async fn start(&self, contact: ContactId) -> StartOperation {
        let (store, deleted_at) = (self.aws.store(), self.aws.now());
        let deleted = store.change_contact(self.business.scope(), contact, self.aws.ids().ulid(), |contact| {
            contact.deleted_at = Some(deleted_at);
            Change::Contact
        });
        Box::pin(deleted).await.unwrap();
        let operation = Operation::new(
            OperationId::new(self.aws.ids().ulid()),
            OperationKind::EraseContact,
            Data::of(&EraseContact { contact, deleted_at }).unwrap(),
            Actor::Operator,
            "cor".to_owned(),
            self.aws.now(),
        );
        let stamp = Stamp {
            actor: Actor::Operator,
            at: self.aws.now(),
            correlation_id: "cor".to_owned(),
        };
        let created = store.create_operation(self.business.scope(), &operation, &stamp);
        created.await.unwrap();
        StartOperation::of(self.business.tenant(), &operation)
    }

    async fn operation(&self, start: &StartOperation) -> Operation {
        let store = self.aws.store();
        let found = store.operation(self.business.scope(), start.operation, self.aws.now());
        found.await.unwrap().unwrap().value
    }

    async fn run(&self, start: &StartOperation, seconds: i64) -> Ran {
        let deadline = Deadline::at(self.aws.now() + SignedDuration::from_secs(seconds));
        Box::pin(run(start, deadline, &self.runner, &self.ctx, &handle))
            .await
            .unwrap()
    }

    /// All rows of the table, by their keys.
    async fn rows(&self) -> Rows {
        let table = self.aws.env().config().text("TABLE_NAME").unwrap();
        let (mut rows, mut from) = (Rows::new(), None);
        loop {
            let scan = self.aws.dynamodb().scan().table_name(table);
            let page = scan.set_exclusive_start_key(from).send().await.unwrap();
            for row in page.items.unwrap_or_default() {
                let key = format!("{:?} {:?}", row["pk"], row["sk"]);
                rows.insert(key, row);
            }
            from = page.last_evaluated_key;
            if from.is_none() {
                return rows;
            }
        }
    }
}

/// The traces of the person in these rows.
fn found(rows: &Rows) -> Vec<String> {
    let mut found = Vec::new();
    for row in rows.values() {
        let text = format!("{row:?}").to_lowercase();
        let seen = traces().into_iter().filter(|trace| text.contains(trace));
        found.extend(seen.map(|trace| format!("{trace} in {text}")));
    }
    found
}

/// Each step is made twice: by a worker that dies before it records it, and by the next one, whose time is up then.
#[tokio::test]
async fn erased_contact_leaves_no_trace_despite_interruptions() {
    let world = World::new().await;
    Box::pin(world.business.follow_up(&world.aws, OTHER)).await;
    let before = world.rows().await;
    assert_eq!(found(&before), Vec::<String>::new());
    let contact = Box::pin(world.contact_with_everything()).await;
    let all = format!("{:?}", found(&world.rows().await));
    for trace in traces() {
        // Numbers are listed backwards only where contacts are searched by their last digits.
        let backwards = trace.starts_with("7654") || trace.starts_with("2000");
        assert!(all.contains(&trace) || backwards, "{trace} was never there");
    }

    let start = world.start(contact).await;
    let mut steps = 0;
    while !world.operation(&start).await.state.is_end() {
        let turn = Turn::new(world.business.scope().clone(), world.operation(&start).await);
        Box::pin(handle(turn, &world.ctx)).await.unwrap();
        let ran = world.run(&start, 0).await;
        assert_ne!(ran, Ran::Nothing);
        steps += 1;
        assert!(steps < 50, "it makes no progress");
    }
    assert!(steps >= 5, "only {steps} steps");
    assert_eq!(world.operation(&start).await.state, OperationState::Done);

    let mut after = world.rows().await;
    assert_eq!(found(&after), Vec::<String>::new());
    // The rows of everybody else are as they were.
    for (key, row) in &before {
        assert_eq!(after.remove(key).as_ref(), Some(row), "{key}");
    }
    // New are the operation, and what is remembered: a salt, and a hash of each identity.
    let kinds: Vec<String> = after.values().map(|row| row["kind"].as_s().unwrap().clone()).collect();
    let of = |kind: &str| kinds.iter().filter(|known| *known == kind).count();
    assert_eq!(
        (of("operation"), of("erasure_salt"), of("erased"), kinds.len()),
        (1, 1, 4, 6)
    );
    let (store, scope) = (world.aws.store(), world.business.scope());
    let identities = [
        Identity::Phone(phone(CUSTOMER)),
        Identity::Phone(phone(FORMER)),
        Identity::Email(EMAIL.parse().unwrap()),
        Identity::Bsuid(BSUID.to_owned()),
    ];
    for identity in identities {
        assert!(store.is_erased(scope, &identity).await.unwrap(), "{identity:?}");
    }
    let other = Identity::Phone(phone(OTHER));
    assert!(!store.is_erased(scope, &other).await.unwrap());
}

#[tokio::test]
async fn result_proves_what_was_deleted() {
    let world = World::new().await;
    let contact = Box::pin(world.contact_with_everything()).await;
    let start = world.start(contact).await;
    assert_eq!(world.run(&start, 300).await, Ran::Ended);
    let operation = world.operation(&start).await;
    let result = operation.result.unwrap().into_json();
    let deleted: Erased = serde_json::from_value(result["deleted"].clone()).unwrap();
    let expected = Erased {
        contacts: 1,
        profiles: 1,
        identities: 4,
        calls: 1,
        messages: 2,
        consents: 1,
        references: 3,
        // The name's words.
        listings: deleted.listings,
        others: 0,
    };
    assert_eq!(deleted, expected);
    assert_eq!(operation.progress.done, deleted.total());
    assert!(result["notes"].as_array().is_some_and(|notes| !notes.is_empty()));
    // Once more: there is nobody.
    let again = world.start(contact).await;
    assert_eq!(world.run(&again, 300).await, Ran::Ended);
    let operation = world.operation(&again).await;
    assert_eq!((operation.state, operation.progress.done), (OperationState::Done, 0));
}

/// The number belongs to somebody else since.
#[tokio::test]
async fn identity_that_leads_to_another_contact_stays() {
    let world = World::new().await;
    let (store, scope) = (world.aws.store(), world.business.scope());
    let owner = world.business.contact(&world.aws, OTHER).await;
    let claims = world.business.contact(&world.aws, CUSTOMER).await;
    // Its own row names the number, too, but the number leads to its owner.
    let mut names_both = store.contact(scope, claims.id).await.unwrap().unwrap();
    names_both.phones.push(phone(OTHER));
    store.write_contact(scope, &names_both.into(), None).await.unwrap();
    let start = world.start(claims.id).await;
    assert_eq!(world.run(&start, 300).await, Ran::Ended);
    let number = Identity::Phone(phone(OTHER));
    let found = store.contact_of(scope, &number).await.unwrap();
    assert_eq!(found.map(|contact| contact.id), Some(owner.id));
    let own = Identity::Phone(phone(CUSTOMER));
    assert!(store.contact_of(scope, &own).await.unwrap().is_none());
}

#[tokio::test]
async fn all_pages_of_a_long_history_are_erased() {
    let world = World::new().await;
    let contact = world.business.contact(&world.aws, CUSTOMER).await.id;
    let (store, scope) = (world.aws.store(), world.business.scope());
    for _ in 0..230 {
        let known = store.contact(scope, contact).await.unwrap().unwrap();
        let entry = ConsentEntry {
            at: world.aws.now(),
            what: "start".to_owned(),
            source: "wrote START by SMS".to_owned(),
        };
        let consent = Some((world.aws.ids().ulid(), &entry));
        store.write_contact(scope, &known.into(), consent).await.unwrap();
    }
    let start = world.start(contact).await;
    while world.run(&start, 0).await == Ran::Continues {}
    let operation = world.operation(&start).await;
    let deleted: Erased = serde_json::from_value(operation.result.unwrap().into_json()["deleted"].clone()).unwrap();
    assert_eq!((deleted.consents, deleted.contacts), (230, 1));
}
