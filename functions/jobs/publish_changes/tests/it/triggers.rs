//! Contacts enter drips by what happens to them, once, whoever changes them.

use domain::campaigns::{Campaign, Enrolment};
use domain::people::{Contact, Identity, Person, Profile};
use domain::terms::{CampaignId, CampaignState, ContactId, TagId};
use serde_json::Value;
use store::Versioned;
use testkit::business::phone;

use super::*;

impl World {
    /// A drip with these triggers, which is running.
    async fn drip(&self, triggers: Value) -> CampaignId {
        let (store, scope, stamp) = (self.aws.store(), self.business.scope(), self.aws.stamp());
        let fields = json!({"type": "drip", "name": "Welcome", "triggers": triggers});
        let before = self.aws.drip(scope, fields, &["hello"]).await;
        let (after, operation) = before.value.start_with_operation(&stamp).expect("a draft");
        let started = store.start_campaign(scope, &before, &after, &operation, &stamp);
        started.await.expect("it is started");
        self.move_to(before.value.id, CampaignState::Running).await;
        before.value.id
    }

    async fn campaign(&self, id: CampaignId) -> Versioned<Campaign> {
        let found = self.aws.store().get(self.business.scope(), &id).await;
        found.expect("the table answers").expect("it exists")
    }

    async fn move_to(&self, id: CampaignId, state: CampaignState) {
        let before = self.campaign(id).await;
        let after = before.value.with_state(state, None, self.aws.now());
        let after = after.expect("the table of states");
        let moved = self.store().move_campaign(self.scope(), before.version, &after).await;
        moved.expect("it is moved");
    }

    /// A user, or software, changes a contact.
    async fn change(&mut self, id: ContactId, change: impl FnOnce(&mut Person)) {
        self.change_person(id, change).await;
        self.record().await;
    }

    async fn enrolment(&self, contact: &Contact, drip: CampaignId) -> Option<Versioned<Enrolment>> {
        let store = self.aws.store();
        let found = store.enrolment(self.business.scope(), contact, drip, self.aws.now());
        found.await.expect("the table answers")
    }
}

#[tokio::test]
async fn new_contacts_enter_and_imported_ones_do_not() {
    let mut world = World::new().await;
    let drip = world.drip(json!({"new_contact": true})).await;
    world.record().await;
    world.records.clear();
    let called = |contact: &mut Contact| contact.last_call_at = Some(testkit::aws::noon());
    let caller = world.business.contact_with(&world.aws, "+447700900001", called).await;
    let (id, number) = (ContactId::new(world.aws.ids().ulid()), phone("+447700900003"));
    let made = Person {
        contact: Contact::first_seen(id, &Identity::Phone(number), testkit::aws::noon()),
        profile: Profile::default(),
    };
    Box::pin(world.create_person(&made)).await;
    let imported = world.business.contact_with(&world.aws, "+447700900002", |_| {}).await;
    world.record().await;
    for _delivery in 0..2 {
        world.deliver(SHARD, &world.records).await;
        let entered = world.enrolment(&caller, drip).await.expect("it has entered");
        assert_eq!((entered.version, entered.value.is_active()), (1, true));
        assert!(world.enrolment(&made.contact, drip).await.is_some());
        assert_eq!(world.enrolment(&imported, drip).await, None);
    }
}

#[tokio::test]
async fn whoever_gets_a_tag_enters_as_long_as_the_drip_is_open() {
    let mut world = World::new().await;
    let [tag, other] = [(); 2].map(|()| TagId::new(world.aws.ids().ulid()));
    let drip = world.drip(json!({"tags": [tag]})).await;
    let mut all = Vec::new();
    for last in 1..=4 {
        let number = format!("+44770090000{last}");
        all.push(world.business.contact_with(&world.aws, &number, |_| {}).await);
    }
    world.record().await;
    world.records.clear();
    let entered = async |world: &World| {
        let mut found = Vec::new();
        for contact in &all {
            found.push(world.enrolment(contact, drip).await.is_some());
        }
        found
    };
    let got = |tag: TagId| move |person: &mut Person| assert!(person.profile.tags.insert(tag));
    world.change(all[0].id, got(tag)).await;
    world.change(all[1].id, got(other)).await;
    // It is gone again before anybody looks.
    world.change(all[2].id, got(tag)).await;
    world.change(all[2].id, |person| person.profile.tags.clear()).await;
    for _delivery in 0..2 {
        world.deliver(SHARD, &world.records).await;
        assert_eq!(entered(&world).await, [true, false, false, false]);
    }
    let triggered = async |world: &World| {
        let found = world.aws.store().triggered_drips(world.business.scope()).await;
        found.expect("the table answers").len()
    };
    assert_eq!(triggered(&world).await, 1);
    let before = world.campaign(drip).await;
    let (store, stamp) = (world.aws.store(), world.aws.stamp());
    let after = before.value.with_state(CampaignState::Cancelled, None, stamp.at);
    let after = after.expect("it is running");
    let cancelled = store.cancel_campaign(world.business.scope(), &before, &after, &stamp);
    cancelled.await.expect("it is cancelled");
    world.records.clear();
    world.change(all[3].id, got(tag)).await;
    world.deliver(SHARD, &world.records).await;
    assert_eq!(entered(&world).await, [true, false, false, false]);
    assert_eq!(triggered(&world).await, 0);
}
