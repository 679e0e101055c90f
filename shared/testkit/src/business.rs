//! A business with everything that a follow-up needs, and builders of calls and messages for it.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::accounts::{EndedSessions, Member, MemberStatus, Role};
use domain::automations::Findings;
use domain::calls::{Call, CallProgress, Received};
use domain::campaigns::{Campaign, WrittenSteps};
use domain::inbox::{Conversation, Happening, What};
use domain::media::{Asset, InboundMedia, MediaKind, Medium};
use domain::messages::{CallView, InboundMessage, Material, Message, OptFlag, Sender, World};
use domain::people::{
    Address, By, Change, Contact, Identity, LinkCode, Merge, Merged, Person, Profile, Refused, Salt, Undo, merge_people,
};
use domain::telephony::{CallEvent, CallFacts, CallProvider, Direction, Outcome, Party};
use domain::templates::TemplateDefinition;
use domain::tenants::{Account, Connection, Dated, InboxSettings, Reported, Rule};
use domain::terms::{
    AssetId, CallId, Channel, ConnectionId, ContactId, ConversationId, LineId, MergeId, MessageId, Phone, Resource,
    RuleId, Stamp, SuppressionId, UserId,
};
use jiff::{SignedDuration, Timestamp};
use jobs::{CallJob, ProviderEvent};
use serde_json::{Value, json};
use store::contacts::{Brought, ContactWrite, Decided, PersonError};
use store::inbox::conversation_with;
use store::messages::{NewLink, TrackedWrite};
use store::table::effects::{Effects, Once};
use store::tenants::{ConfigCache, Configured};
use store::{Owned, Store, TenantScope, Versioned};

use crate::seed::{self, PHONE_NUMBER_ID, TWILIO_NUMBER, WABA};
use crate::{Aws, Seeded};

/// Days that a follow-up may be sent in: it is retained for the tenant's days from then on.
pub const SENT_WITHIN: i64 = 3;

/// The business's telephone number.
pub const LINE: &str = TWILIO_NUMBER;
/// Mobile number of a customer.
pub const CUSTOMER: &str = "+971501234567";

/// The mobile of one of up to a hundred customers.
pub fn mobile(last: usize) -> String {
    format!("+9715012345{last:02}")
}

/// Parses a value of `domain` from JSON.
pub fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("a value of this type")
}

pub fn phone(number: &str) -> Phone {
    number.parse().expect("a telephone number")
}

/// A seeded tenant with one rule: missed calls are answered by WhatsApp (Meta) and, two minutes later, by SMS (Twilio).
pub async fn business(aws: &Aws) -> Seeded {
    business_with(aws, |_| {}).await
}

/// A tenant as [`business`] seeds it, changed before it is written.
pub async fn business_with(aws: &Aws, change: impl FnOnce(&mut Configured)) -> Seeded {
    let mut seeded = seed::tenant(aws).await;
    seeded.configured.rules.push(rule(aws));
    seeded.configured.templates.push(template());
    let tenant = &mut seeded.configured.tenant;
    tenant.variables.insert("phone".to_owned(), LINE.to_owned());
    for connection in &mut seeded.configured.connections {
        if let Account::Twilio(twilio) = &mut connection.account {
            twilio.whatsapp_sender = None;
        }
    }
    change(&mut seeded.configured);
    seeded.write(aws).await;
    seeded
}

/// An SMS against each kind of rule of countries, with the rule's effect and what is told about it.
pub fn against_sms_rules() -> Vec<Value> {
    let all = serde_json::from_str(include_str!("../../domain/tests/against_sms_rules.json"));
    all.expect("a list")
}

/// Gives a business the sender of such an SMS. No rule is confirmed.
pub fn send_as(configured: &mut Configured, against: &Value) {
    let letters: Option<Value> = read(against["letters"].clone());
    for connection in &mut configured.connections {
        if let Account::Twilio(twilio) = &mut connection.account {
            twilio.letters = read(json!(letters.as_slice()));
            twilio.confirmed_rules = read(json!([]));
        }
    }
}

/// [`business`] with a line of its number. Returns the line, too.
pub async fn business_with_line(aws: &Aws) -> (Seeded, LineId) {
    let line = LineId::new(aws.ids().ulid());
    let branch = json!({"id": line, "name": "Marina branch", "number": LINE});
    let business = business_with(aws, |configured| configured.lines.push(read(branch)));
    (Box::pin(business).await, line)
}

impl Aws {
    /// Creates something of a tenant's with these fields, whichever function does it otherwise.
    pub async fn create_owned<T: Owned + Resource>(&self, scope: &TenantScope, fields: Value) -> T {
        let new = T::new(self.ids().ulid(), read(fields), self.now());
        let created = self.store().create(scope, &new, &self.stamp()).await;
        created.expect("it is created");
        new
    }

    /// A drip with these fields, as a draft. Each of its steps, which have these names, sends an SMS.
    pub async fn drip(&self, scope: &TenantScope, fields: Value, steps: &[&str]) -> Versioned<Campaign> {
        let (store, stamp) = (self.store(), self.stamp());
        let drip: Campaign = self.create_owned(scope, fields).await;
        let created = store.get::<Campaign>(scope, &drip.id).await;
        let created = created.expect("the table answers").expect("the drip");
        let message = json!({"channels": ["sms"], "category": "utility", "sms_text": "Hello"});
        let step = |name: &&str| json!({"name": name, "does": {"type": "message", "message": message}});
        let steps = WrittenSteps {
            steps: read(steps.iter().map(step).collect()),
            by: stamp.actor,
            at: stamp.at,
        };
        let written = store.write_steps(scope, &created, &steps, &stamp).await;
        written.expect("the steps are written")
    }

    /// A contact with this number, changed before it is written.
    pub async fn contact_with(&self, scope: &TenantScope, number: &str, change: impl FnOnce(&mut Contact)) -> Contact {
        let identity = Identity::Phone(phone(number));
        let mut contact = Contact::first_seen(ContactId::new(self.ids().ulid()), &identity, self.now());
        change(&mut contact);
        let write = ContactWrite {
            new_identities: contact.known_by(),
            ..ContactWrite::from(contact)
        };
        let written = self.store().write_contact(scope, &write, None).await;
        written.expect("write a contact");
        let mut contact = write.contact;
        contact.version += 1;
        contact
    }

    /// Changes a contact, as a job does.
    pub async fn change_contact(
        &self,
        scope: &TenantScope,
        contact: ContactId,
        change: impl Fn(&mut Contact) -> Change,
    ) {
        let store = self.store();
        let changed = Box::pin(store.change_contact(scope, contact, self.ids().ulid(), change)).await;
        assert!(changed.expect("the table accepts it"), "the contact is changed");
    }

    /// Deletes a contact, or restores it.
    pub async fn delete_contact(&self, scope: &TenantScope, contact: ContactId, deleted: bool) {
        let (store, brought, stamp) = (self.store(), Brought::default(), self.stamp());
        let found = store.known_person(scope, contact).await.expect("the table answers");
        let before = found.expect("the contact");
        let mut after = before.clone();
        after.contact.deleted_at = deleted.then(|| self.now());
        let changed = store.change_person(scope, &before, &after, &brought, &stamp);
        Box::pin(changed).await.expect("the contact is changed");
    }

    /// Marks a user as one who has left the tenant, as their deactivation does.
    pub async fn has_left(&self, scope: &TenantScope, user: UserId) {
        let (store, now) = (self.store(), self.now());
        let mut desk = store.desk(scope, user, now).await.expect("the table answers");
        desk.value.set_left(true, now);
        let written = store.write_desk(scope, &desk, None).await;
        written.expect("the mark is written");
    }
}

impl Seeded {
    /// A report of a call through its Twilio connection.
    pub fn twilio_report(&self, aws: &Aws, call: &str, facts: CallFacts) -> CallJob {
        self.report(aws, self.twilio, CallProvider::Twilio, call, facts)
    }

    /// A report of a call through its own telephone system.
    pub fn telephony_report(&self, aws: &Aws, call: &str, facts: CallFacts) -> CallJob {
        self.report(aws, self.telephony, CallProvider::Telephony, call, facts)
    }

    fn report(
        &self,
        aws: &Aws,
        connection: ConnectionId,
        provider: CallProvider,
        call: &str,
        facts: CallFacts,
    ) -> CallJob {
        CallJob::Reported {
            tenant: self.tenant(),
            correlation_id: format!("cor-{call}"),
            event: CallEvent {
                connection,
                provider,
                provider_call_id: call.to_owned(),
                received_at: aws.now(),
                facts,
            },
        }
    }

    /// An event of WhatsApp's webhook for its number; `value` is the content of `changes[].value`.
    pub fn whatsapp_event(&self, aws: &Aws, field: &str, value: &Value) -> ProviderEvent {
        let change = providers::whatsapp::webhook::Change {
            waba_id: WABA.to_owned(),
            phone_number_id: Some(PHONE_NUMBER_ID.to_owned()),
            field: field.to_owned(),
            time: None,
            received_at: None,
            place: 0,
            raw: json!({"field": field, "value": value}).to_string(),
        };
        let change = serde_json::to_string(&change).expect("a change is JSON");
        self.event(aws, self.whatsapp, jobs::EventSource::WhatsApp, change)
    }

    /// An event of one of its connections.
    pub fn event(
        &self,
        aws: &Aws,
        connection: ConnectionId,
        source: jobs::EventSource,
        payload: String,
    ) -> ProviderEvent {
        ProviderEvent {
            tenant: self.tenant(),
            connection,
            correlation_id: "cor-event".to_owned(),
            received_at: aws.now(),
            group: jobs::EventGroup::Inbound,
            source,
            payload: jobs::Payload::Inline(payload),
        }
    }

    /// A contact in the table with this number.
    pub async fn contact(&self, aws: &Aws, number: &str) -> Contact {
        self.contact_with(aws, number, |_| {}).await
    }

    /// Deletes the tenant's row, or a contact's rows of a kind.
    pub async fn remove(&self, aws: &Aws, prefix: &str, contact: Option<ContactId>) {
        let (dynamodb, table) = (aws.dynamodb(), aws.table());
        let partition = self.partition(contact);
        let query = dynamodb.query().table_name(table);
        let query = query.key_condition_expression("pk = :pk AND begins_with(sk, :sk)");
        let query = query.expression_attribute_values(":pk", AttributeValue::S(partition));
        let query = query.expression_attribute_values(":sk", AttributeValue::S(prefix.to_owned()));
        let found = query.send().await.expect("the table answers").items.unwrap_or_default();
        assert!(!found.is_empty(), "there is something to remove");
        for item in found {
            let key = |name: &str| item[name].clone();
            let delete = dynamodb.delete_item().table_name(table);
            let delete = delete.key("pk", key("pk")).key("sk", key("sk"));
            delete.send().await.expect("the row is removed");
        }
    }

    /// Makes a message unreadable by writing a large number to an attribute of its row: `f`, as a newer version does, or
    /// `data`, as nobody should.
    pub async fn spoil(&self, aws: &Aws, message: &Message, attribute: &str) {
        let row = format!("MSG#{}", message.id.own().to_string().to_ascii_lowercase());
        let contact = Some(message.id.contact());
        self.spoil_row(aws, contact, "", &row, attribute).await;
    }

    /// Makes any row of the tenant or of a contact unreadable, as [`Seeded::spoil`] does. `partition` is the end of its partition's name.
    pub async fn spoil_row(&self, aws: &Aws, of: Option<ContactId>, partition: &str, row: &str, attribute: &str) {
        let partition = self.partition(of) + partition;
        let dynamodb = aws.dynamodb();
        let update = dynamodb
            .update_item()
            .table_name(aws.table())
            .key("pk", AttributeValue::S(partition))
            .key("sk", AttributeValue::S(row.to_owned()))
            .update_expression("SET #attribute = :number")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_names("#attribute", attribute)
            .expression_attribute_values(":number", AttributeValue::N("999".to_owned()));
        update.send().await.expect("the row is changed");
    }

    /// The partition of the tenant's own rows, or of a contact's.
    fn partition(&self, contact: Option<ContactId>) -> String {
        let tenant = self.tenant().to_string();
        let partition = format!("T#{}", tenant.trim_start_matches("tnt_"));
        match contact {
            Some(contact) => format!("{partition}#C#{}", contact.to_string().trim_start_matches("ctc_")),
            None => partition,
        }
    }

    /// A contact as [`Seeded::contact`] creates it, changed before it is written.
    pub async fn contact_with(&self, aws: &Aws, number: &str, change: impl FnOnce(&mut Contact)) -> Contact {
        aws.contact_with(&self.scope().clone(), number, change).await
    }

    /// A new member of the business.
    pub async fn member(&self, aws: &Aws, role: Role) -> Member {
        let member = Member {
            user: UserId::new(aws.ids().ulid()),
            email: "ann@example.org".parse().expect("an address"),
            name: "Ann".to_owned(),
            role,
            status: MemberStatus::Active,
            sessions_from: aws.now(),
            spared_session: None,
            ended_sessions: EndedSessions::NONE,
            joined_at: aws.now(),
        };
        let created = aws.store().create(self.scope(), &member, &aws.stamp()).await;
        created.expect("the member is stored");
        member
    }

    /// A text of a contact by WhatsApp, written now, with this change.
    pub fn received_text(&self, aws: &Aws, contact: ContactId, change: impl FnOnce(&mut Received)) -> Received {
        let id = MessageId::new(contact, aws.ids().ulid());
        let message = InboundMessage {
            channel: Channel::WhatsApp,
            provider_ref: format!("wamid.{}", id.own()).parse().expect("a reference"),
            from: Sender::default(),
            to: None,
            at: aws.now(),
            kind: "text".to_owned(),
            cut: false,
            text: Some("Hello".to_owned()),
            payload: None,
            media: vec![],
            shared: None,
            reply_to: None,
            opt_flag: None,
            standby: false,
            opens_window: true,
        };
        let mut received = Received {
            id,
            connection: self.whatsapp,
            line: None,
            message,
            remarks: vec![],
            recovered: 0,
            answers_after: vec![],
            templates: vec![],
            answer: None,
            correlation_id: "cor".to_owned(),
            keep_until: None,
        };
        change(&mut received);
        received
    }

    /// Stores a text of a customer, changed before it is written.
    pub async fn receive(&self, aws: &Aws, contact: ContactId, change: impl FnOnce(&mut Received)) -> Received {
        let received = self.received_text(aws, contact, change);
        let effects = effects_of(&received, vec![]);
        let stored = aws.store().commit(self.scope(), effects, aws.now()).await;
        stored.expect("the message is stored");
        received
    }

    /// Stores tracked links of a message to these pages. Returns their code, which no text of the message has yet.
    pub async fn track(&self, aws: &Aws, message: MessageId, pages: &[&str]) -> LinkCode {
        let code = LinkCode::of(aws.ids().secret().expect("random bytes"));
        let tracked = TrackedWrite {
            code: code.clone(),
            message,
            targets: pages.iter().copied().map(str::to_owned).collect(),
            keep_until: None,
        };
        let effects = Effects {
            links: vec![NewLink::Tracked(tracked)],
            ..Effects::default()
        };
        let stored = aws.store().commit(self.scope(), effects, aws.now()).await;
        stored.expect("the links are stored");
        code
    }

    /// A text of a contact on a line, stored and noted as by `process_provider_event`. Returns its conversation.
    pub async fn receive_noted(&self, aws: &Aws, contact: ContactId, line: Option<LineId>) -> ConversationId {
        let received = self.receive(aws, contact, |received| received.line = line).await;
        let (store, id) = (aws.store(), ConversationId::of(contact, line));
        let known = store.conversation(self.scope(), id).await.expect("the table answers");
        let happening = Happening {
            at: received.message.at,
            what: What::Inbound(received.id, received.message.channel),
        };
        let tell_after = InboxSettings::default().notify_after();
        let conversation = conversation_with(known, id, happening, tell_after);
        let written = store.write_conversation(self.scope(), &conversation, None).await;
        written.expect("the conversation is written");
        id
    }

    /// A conversation, as its row says now.
    pub async fn conversation(&self, aws: &Aws, id: ConversationId) -> Versioned<Conversation> {
        let found = aws.store().conversation(self.scope(), id).await;
        found.expect("the table answers").expect("the conversation")
    }

    /// Changes a conversation. Returns it as it is then.
    pub async fn change_conversation(
        &self,
        aws: &Aws,
        id: ConversationId,
        change: impl FnOnce(&mut Conversation),
    ) -> Conversation {
        let mut found = self.conversation(aws, id).await;
        change(&mut found.value);
        let written = aws.store().write_conversation(self.scope(), &found, None).await;
        written.expect("the conversation is written");
        found.value
    }

    /// An asset of this kind and content type, which is ready. Its object does not exist.
    pub async fn asset(&self, aws: &Aws, kind: &str, content_type: &str) -> Asset {
        let id = AssetId::new(aws.ids().ulid());
        let asset: Asset = read(json!({
            "id": id, "name": "menu.pdf", "kind": kind, "content_type": content_type, "bytes": 7, "state": "ready",
        }));
        let created = aws.store().create(self.scope(), &asset, &aws.stamp()).await;
        created.expect("the asset is written");
        asset
    }

    /// A picture for a reply in this conversation, which is ready.
    pub async fn attachment(&self, aws: &Aws, conversation: ConversationId, change: impl FnOnce(&mut Asset)) -> Asset {
        let (own, name) = (aws.ids().ulid(), read(json!("dent.jpg")));
        let mut attachment = Asset::attachment(conversation, own, name, "cor-attachment", aws.now());
        attachment.kind = MediaKind::Image;
        attachment.record_upload("image/jpeg", 7, "0f".repeat(32), false);
        change(&mut attachment);
        let store = aws.store();
        let created = store.create_attachment(self.scope(), &attachment, conversation.contact());
        created.await.expect("the attachment is written");
        let files = kit::Files::new(aws.env()).expect("the test has a bucket");
        let key = kit::FileKey::asset(self.scope(), attachment.id);
        files
            .write(&key, b"picture".to_vec())
            .await
            .expect("the file is written");
        attachment
    }

    /// The provider of a connection gives an asset this id.
    pub async fn upload(&self, aws: &Aws, asset: &Asset, connection: ConnectionId, id: &str) {
        let store = aws.store();
        let found = store.asset(self.scope(), asset.id).await.expect("the table answers");
        let mut found = found.expect("the asset");
        let id = id.parse().expect("an id");
        found.value.keep_handle(connection, id, aws.now());
        let noted = store.note_asset(self.scope(), found.version, &found.value).await;
        noted.expect("the id is written");
    }

    /// Stores a customer's message with these media, which are still to be fetched.
    pub async fn receive_media(
        &self,
        aws: &Aws,
        contact: ContactId,
        media: Vec<InboundMedia>,
        change: impl FnOnce(&mut Received),
    ) -> Received {
        let received = self.received_text(aws, contact, |received| {
            received.message.media = media;
            change(received);
        });
        let (now, first_due) = (aws.now(), SignedDuration::from_secs(60));
        let kept_until = now + SignedDuration::from_hours(90 * 24);
        let pending =
            |(reported, index)| Medium::pending(received.id, index, reported, "cor-media", now, kept_until, first_due);
        let media: Vec<Medium> = received.message.media.iter().zip(0..).map(pending).collect();
        let mut effects = effects_of(&received, vec![]);
        effects.once = Once::Received {
            received: &received,
            media: &media,
            reference: Some(("whatsapp", None)),
        };
        let stored = aws.store().commit(self.scope(), effects, aws.now()).await;
        stored.expect("the message is stored");
        received
    }

    /// A medium of a message, as its row says now.
    pub async fn medium(&self, aws: &Aws, message: MessageId, index: u8) -> Medium {
        let known = aws.store().medium(self.scope(), message, index, aws.now()).await;
        known.expect("the table answers").expect("there is a medium").medium
    }

    /// Stores the file of a medium, as if it had been fetched.
    pub async fn store_fetched_medium(
        &self,
        aws: &Aws,
        message: MessageId,
        index: u8,
        mime: &str,
        file: &[u8],
    ) -> Medium {
        let mut medium = self.medium(aws, message, index).await;
        let files = kit::Files::new(aws.env()).expect("the test has a bucket");
        let key = kit::FileKey::medium(self.scope(), message, index);
        files.write(&key, file.to_vec()).await.expect("the file is written");
        medium.record_stored(mime, file.len() as u64, "0f".repeat(32), false);
        let written = aws.store().write_medium(self.scope(), &medium).await;
        written.expect("the medium is written");
        medium.version += 1;
        medium
    }

    /// Merges a contact into another. Returns the merge.
    pub async fn merge(&self, aws: &Aws, survivor: ContactId, other: ContactId) -> MergeId {
        let read = async |id| {
            let found = aws.store().known_person(self.scope(), id).await;
            found.expect("the table answers").expect("the contact")
        };
        let (survivor, other) = (read(survivor).await, read(other).await);
        let merged = self.merge_read(aws, survivor, other).await;
        merged.expect("the contacts are merged")
    }

    /// Merges contacts that were read before.
    pub async fn merge_read(&self, aws: &Aws, survivor: Person, other: Person) -> Result<MergeId, PersonError> {
        let (undo, merge, stamp) = decided_merge(aws, survivor, other);
        let decided = Decided {
            undo: &undo,
            merge: &merge,
            told: &[],
        };
        let (store, scope) = (aws.store(), self.scope());
        Box::pin(store.merge_people(scope, &decided, &stamp)).await?;
        Ok(merge.id)
    }

    pub async fn unmerge(&self, aws: &Aws, merge: MergeId) {
        let (store, scope) = (aws.store(), self.scope());
        let survivor = store.known_person(scope, merge.contact()).await;
        let survivor = survivor.expect("the table answers").expect("the contact");
        let undoable = store.undoable(scope, merge, aws.now()).await;
        let undoable = undoable.expect("the table answers").expect("the merge");
        let undo = undoable.undo.clone().expect("it can be undone");
        let apart = undo.apply(&survivor, &undoable.leading);
        let stamp = aws.stamp();
        let undone = store.unmerge_people(scope, &survivor, &apart, &undoable, &stamp);
        Box::pin(undone).await.expect("the merge is undone");
    }

    /// Puts a number on the suppression list, by decision of the business.
    pub async fn suppress(&self, aws: &Aws, number: &str) {
        self.suppress_by(aws, number, By::User).await;
    }

    /// Puts a number on the suppression list, by this decision.
    pub async fn suppress_by(&self, aws: &Aws, number: &str, by: By) {
        let stamp = aws.stamp();
        let refused = Refused {
            at: aws.now(),
            channel: None,
            category: None,
            by,
            actor: stamp.actor,
            evidence: None,
            source: "a user put the address on the suppression list".to_owned(),
            recorded_at: aws.now(),
            left: None,
        };
        let (address, id) = (Address::Phone(phone(number)), SuppressionId::new(aws.ids().ulid()));
        let store = aws.store();
        let suppressed = store.suppress(self.scope(), &address, id, &refused, &stamp).await;
        suppressed.expect("suppress a number");
    }

    /// WhatsApp reports how many customers the business may message first in 24 hours. Returns the connection.
    pub async fn may_message_first(&self, aws: &Aws, customers: u32) -> Connection {
        let at = aws.now();
        let reported = Reported {
            customers_per_day: Some(Dated { at, value: customers }),
            ..Reported::default()
        };
        let store = aws.store();
        let connection = store.connection(self.scope(), self.whatsapp).await;
        let connection = connection.expect("the table answers").expect("the connection");
        let noted = store.note_reported(self.scope(), &connection, reported).await;
        noted.expect("it is noted");
        connection
    }

    /// Remembers of this number that its owner wrote STOP and was erased since.
    pub async fn erased_after_stop(&self, aws: &Aws, number: &str) {
        let mut contact = Contact::new(ContactId::new(aws.ids().ulid()), aws.now());
        contact.wish(OptFlag::Stop, "wrote STOP", aws.now());
        let (identities, salt) = ([Identity::Phone(phone(number)).key()], Salt::new([7; 32]));
        let store = aws.store();
        let remembered = store.remember_erased(self.scope(), &identities, &contact.consent, salt, aws.now());
        remembered.await.expect("remember an erased person");
    }

    /// A missed call by this number, stored with this change, and the message that follows it.
    pub async fn store_missed_call(&self, aws: &Aws, number: &str, change: impl FnOnce(&mut Call)) -> (Call, Message) {
        let message = Box::pin(self.follow_up(aws, number)).await;
        let mut call = self.call_of(aws, &message).await;
        change(&mut call);
        let written = aws.store().write_call(self.scope(), &call).await;
        written.expect("the call is written");
        (call, message)
    }

    /// The call that a message follows.
    pub async fn call_of(&self, aws: &Aws, message: &Message) -> Call {
        let id = message.cause.call().expect("it follows a call");
        let found = aws.store().call(self.scope(), id, aws.now()).await;
        found.expect("the table answers").expect("the call is stored")
    }

    /// The result of the rules for a missed call by this number, stored as by `process_call`, with the message due.
    pub async fn follow_up(&self, aws: &Aws, number: &str) -> Message {
        Box::pin(self.follow_up_after(aws, number, None)).await
    }

    /// The result of [`Seeded::follow_up`] for a call with earlier reports.
    pub async fn follow_up_after(&self, aws: &Aws, number: &str, reported: Option<CallProgress>) -> Message {
        let (store, scope, now) = (aws.store(), self.scope().clone(), aws.now());
        let identity = Identity::Phone(phone(number));
        let config = store.config(&scope, &ConfigCache::default()).await;
        let config = config.expect("the configuration").expect("a tenant");
        let (known, _) = store.known_or_refusals(&scope, &identity).await.expect("the contact");
        let new = known.is_none();
        let Person { mut contact, profile } = known.unwrap_or_else(|| Person {
            contact: Contact::first_seen(ContactId::new(aws.ids().ulid()), &identity, now),
            profile: Profile::default(),
        });
        let call_id = CallId::new(contact.id, aws.ids().ulid());
        let facts = missed_call_facts(number);
        let view = CallView {
            id: call_id,
            connection: self.telephony,
            facts: &facts,
            outcome: Outcome::Missed,
            started_at: now,
        };
        let world = World {
            config: &config,
            material: Material::NONE,
            contact: &contact,
            profile: &profile,
            open: &[],
            now,
            line_type: &|_: &Phone| domain::terms::LineType::Other,
        };
        let needs = Findings::of(&view, &world).needs(&world);
        let material = store.material(&scope, &needs, &store::Along::default()).await;
        let material = material.expect("the templates");
        let open = store.messages(&scope, &needs.open, now).await;
        let mut open = open.expect("the open messages");
        let world = World {
            material: &material,
            open: &open,
            ..world
        };
        let decision = Findings::of(&view, &world).decide(&world);
        let sentence = decision.sentence().to_owned();
        let because = decision.facts().clone();
        let composed = decision.follow_up;
        let composed = composed.unwrap_or_else(|_| panic!("the rules send nothing: {sentence}"));
        let timers = aws.env().config().timers().expect("timers");
        let correlation_id = aws.ids().ulid().to_string();
        let mut message = composed.message(correlation_id.clone(), now, &timers);
        let message_id = message.id;
        if open.is_empty() {
            let known = store.messages(&scope, &contact.to_make_room(), now).await;
            open = known.expect("the open messages");
        }
        let replaced = contact.opens(&message, open);
        let call = Call {
            id: call_id,
            connection: self.telephony,
            provider: CallProvider::Telephony,
            provider_call_id: call_id.to_string(),
            facts: facts.clone(),
            outcome: Outcome::Missed,
            decided_at: now,
            decision: sentence,
            reason: "follow_up".to_owned(),
            because,
            grounds: decision.grounds,
            message: Some(message_id),
            decided_again: 0,
            recovered: 0,
            noted_at: None,
            remarks: vec![],
            correlation_id: correlation_id.clone(),
            keep_until: Some(config.tenant.retention.unwrap_or_default().call_until(now, now)),
            version: 1,
        };
        let first = || CallProgress {
            connection: self.telephony,
            provider: CallProvider::Telephony,
            provider_call_id: call_id.to_string(),
            facts,
            first_seen: now,
            decided: None,
            due: None,
            dispatches: 0,
            correlation_id,
            version: 0,
        };
        let progress = CallProgress {
            decided: Some(call_id),
            due: None,
            ..reported.unwrap_or_else(first)
        };
        let effects = Effects {
            once: Once::Decided {
                progress: &progress,
                call: &call,
            },
            people: vec![ContactWrite {
                new_identities: if new { vec![identity] } else { vec![] },
                ..ContactWrite::from(contact)
            }],
            planned: vec![message.clone()],
            ended: replaced.into_iter().collect(),
            ..Effects::default()
        };
        store.commit(&scope, effects, now).await.expect("store a call");
        message.version += 1;
        message
    }
}

/// The effects of a text by WhatsApp: it is stored, and these contacts are written.
pub fn effects_of(received: &Received, people: Vec<ContactWrite>) -> Effects<'_> {
    Effects {
        once: Once::Received {
            received,
            media: &[],
            reference: Some(("whatsapp", None)),
        },
        people,
        ..Effects::default()
    }
}

/// A merge of two contacts, as it would be written now.
pub fn decided_merge(aws: &Aws, survivor: Person, other: Person) -> (Undo, Merge, Stamp) {
    let Merged { person, conflicts } = merge_people(&survivor, &other, aws.now()).expect("they can be merged");
    let stamp = aws.stamp();
    let merge = Merge {
        id: MergeId::new(survivor.contact.id, aws.ids().ulid()),
        other: other.contact.id,
        by: stamp.actor,
        at: stamp.at,
        conflicts,
        undone: None,
    };
    let undo = Undo {
        survivor,
        other,
        merged: person,
        conversations: Vec::new(),
    };
    (undo, merge, stamp)
}

/// Erases a contact with everything that is stored of it, by the calls of its operation and in their order.
pub async fn erase(store: &Store, scope: &TenantScope, id: ContactId, now: Timestamp) {
    const ANSWERS: &str = "the table answers";
    let found = store.contact(scope, id).await.expect(ANSWERS);
    let mut contact = found.expect("the contact");
    (contact.deleted_at, contact.erasing) = (Some(now), true);
    let begun = store.write_contact(scope, &contact.clone().into(), None).await;
    begun.expect("the erasure begins");
    contact.version += 1;
    let person: Vec<ContactId> = contact.ids().collect();
    let identities: Vec<String> = contact.known_by().iter().map(Identity::key).collect();
    let remembered = store.remember_erased(scope, &identities, &contact.consent, Salt::new([7; 32]), now);
    remembered.await.expect(ANSWERS);
    let erased = store.erase_identities(scope, &person, &identities).await;
    erased.expect(ANSWERS);
    store.erase_listings(scope, id).await.expect(ANSWERS);
    for own in &person {
        loop {
            let page = store.erase_history_page(scope, *own, &person).await;
            if !page.expect(ANSWERS).more {
                break;
            }
        }
    }
    for alias in &contact.aliases {
        store.erase_alias_rows(scope, *alias).await.expect(ANSWERS);
    }
    let erased = store.erase_contact_and_mentions(scope, &contact).await;
    erased.expect("nobody else writes the contact");
}

/// A call that the telephone system reports as missed.
pub fn missed_call_facts(from: &str) -> CallFacts {
    stated_call_facts(from, Outcome::Missed)
}

/// A call whose outcome the telephone system reports.
pub fn stated_call_facts(from: &str, outcome: Outcome) -> CallFacts {
    CallFacts {
        stated: Some(outcome),
        ..from_to(from)
    }
}

/// A call with nothing known but its two ends.
pub fn from_to(from: &str) -> CallFacts {
    CallFacts {
        direction: Some(Direction::Inbound),
        from: Some(Party::Phone(phone(from))),
        to: Some(Party::Phone(phone(LINE))),
        ..CallFacts::default()
    }
}

fn rule(aws: &Aws) -> Rule {
    read(json!({
        "id": RuleId::new(aws.ids().ulid()),
        "name": "Missed calls",
        "priority": 10,
        "then": {
            "channels": ["whatsapp", "sms"],
            "template": {
                "name": "missed_call_followup",
                "language": "en_GB",
                "variables": {
                    "1": {"from": "contact.first_name", "default": "there"},
                    "2": {"from": "tenant.name"},
                },
            },
            "sms_text": "Sorry we missed you, {{contact.first_name|there}}. {{tenant.name}}, {{tenant.phone}}. \
                         Reply STOP to opt out.",
        },
    }))
}

fn template() -> TemplateDefinition {
    read(json!({
        "name": "missed_call_followup",
        "language": "en_GB",
        "category": "utility",
        "status": "APPROVED",
        "body": "Hello {{1}}, sorry we missed your call to {{2}} today. How can we help?",
        "buttons": [{"kind": "quick_reply", "text": "Call me back"}],
        "content_sid": "HX0123456789abcdef0123456789abcdef",
    }))
}
