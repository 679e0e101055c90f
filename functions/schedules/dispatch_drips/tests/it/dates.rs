//! Contacts enter drips on dates of theirs.

use domain::campaigns::{Campaign, WrittenSteps};
use domain::people::{Field, FieldValue, Profile};
use domain::tenants::{Tenant, TenantStatus};
use domain::terms::{CampaignState, FieldId, Reason, Refusal};
use serde_json::json;
use store::Versioned;

use super::*;

impl World {
    async fn field(&self, key: &str) -> Field {
        let fields = json!({"key": key, "name": key, "type": "date", "searchable": true});
        self.create_owned(fields).await
    }

    /// A contact with this date in the field.
    async fn contact_with_date(&self, number: &str, field: &Field, date: &str) -> ContactId {
        let contact = self.business.contact(&self.aws, number).await.id;
        let dated = |profile: &mut Profile| {
            let date = FieldValue::Date(date.parse().expect("a date"));
            profile.fields.insert(field.id, date);
            profile.listed.insert(field.id);
        };
        self.change_profile(contact, dated).await;
        contact
    }

    /// A drip that contacts enter at 09:00 on a date of theirs, started now.
    async fn dates(&self, field: FieldId, recurrence: &str, days: i16) -> Campaign {
        let date = json!({"field": field, "recurrence": recurrence, "days": days, "at": "09:00"});
        let fields = json!({"type": "drip", "name": "Dates", "reentry": true, "triggers": {"date": date}});
        let new: Campaign = self.create_owned(fields).await;
        let steps = json!([{"name": "end", "does": {"type": "exit"}}]);
        let before = self.write(&self.campaign(&new).await, steps).await;
        let (store, stamp) = (self.store(), self.aws.stamp());
        let (after, operation) = before.value.start_with_operation(&stamp).expect("it can be started");
        let started = store.start_campaign(self.scope(), &before, &after, &operation, &stamp);
        started.await.expect("it is started");
        let started = self.campaign(&new).await;
        self.move_drip(started, &[CampaignState::Running]).await.value
    }

    async fn write(&self, before: &Versioned<Campaign>, steps: serde_json::Value) -> Versioned<Campaign> {
        let stamp = self.aws.stamp();
        let written = WrittenSteps {
            steps: from_value(steps).expect("steps"),
            by: stamp.actor,
            at: stamp.at,
        };
        let store = self.store();
        store
            .write_steps(self.scope(), before, &written, &stamp)
            .await
            .expect("they are written")
    }

    async fn move_drip(&self, mut drip: Versioned<Campaign>, states: &[CampaignState]) -> Versioned<Campaign> {
        for state in states {
            let value = drip
                .value
                .with_state(*state, None, self.aws.now())
                .expect("it may have this state");
            let store = self.store();
            let version = store
                .move_campaign(self.scope(), drip.version, &value)
                .await
                .expect("it is written");
            drip = Versioned { value, version };
        }
        drip
    }

    async fn campaign(&self, drip: &Campaign) -> Versioned<Campaign> {
        self.store()
            .get(self.scope(), &drip.id)
            .await
            .expect("the table answers")
            .expect("the drip")
    }

    /// The contacts among these who have entered a drip, by their places, each with the time of entering.
    async fn entries_into_drip(&self, drip: &Campaign, contacts: &[ContactId]) -> Vec<(usize, String)> {
        let (store, mut entered) = (self.store(), Vec::new());
        for (place, contact) in contacts.iter().enumerate() {
            let itself = self.person(*contact).await.contact;
            let found = store.enrolment(self.scope(), &itself, drip.id, self.aws.now());
            if let Some(found) = found.await.expect("the table answers") {
                entered.push((place, found.value.at.to_string()));
            }
        }
        entered
    }

    /// These contacts have been through the drip.
    async fn leave(&self, drip: &Campaign, contacts: &[ContactId]) {
        let (store, now) = (self.store(), self.aws.now());
        for contact in contacts {
            let itself = self.person(*contact).await.contact;
            let found = store
                .enrolment(self.scope(), &itself, drip.id, now)
                .await
                .expect("the table answers")
                .expect("an enrolment");
            let left = found.value.with_exit(Refusal::new(Reason::Other, "it is over"), now);
            store
                .write_enrolment(self.scope(), found.version, &left)
                .await
                .expect("it is written");
        }
    }

    /// Runs at this time.
    async fn run_at(&self, time: &str) {
        let time: Timestamp = time.parse().unwrap();
        self.aws.pass(time.duration_since(self.aws.now()).as_secs());
        self.run().await;
    }
}

fn at(place: usize, time: &str) -> (usize, String) {
    (place, time.to_owned())
}

#[tokio::test]
async fn contacts_enter_on_the_day_of_their_date_each_year() {
    let world = World::new().await;
    let field = world.field("birthday").await;
    let contacts = [
        world.contact_with_date("+971501000001", &field, "1990-11-22").await,
        world.contact_with_date("+971501000002", &field, "2001-11-23").await,
        world.contact_with_date("+971501000003", &field, "2026-11-22").await,
    ];
    let yearly = world.dates(field.id, "yearly", 0).await;
    let once = world.dates(field.id, "once", 1).await;
    // The day is chosen first. Its time has not come.
    for time in ["2026-11-21T12:00:00Z", "2026-11-22T08:59:59Z"] {
        world.run_at(time).await;
        assert_eq!(world.entries_into_drip(&yearly, &contacts).await, []);
    }
    let first = "2026-11-22T09:00:30Z";
    world.run_at(first).await;
    assert_eq!(
        world.entries_into_drip(&yearly, &contacts).await,
        [at(0, first), at(2, first)]
    );
    // The next run lets nobody enter once more.
    world.run_at("2026-11-22T09:01:00Z").await;
    assert_eq!(
        world.entries_into_drip(&yearly, &contacts).await,
        [at(0, first), at(2, first)]
    );
    assert_eq!(world.entries_into_drip(&once, &contacts).await, []);
    let next = "2026-11-23T09:00:10Z";
    world.run_at(next).await;
    assert_eq!(
        world.entries_into_drip(&yearly, &contacts).await,
        [at(0, first), at(1, next), at(2, first)]
    );
    assert_eq!(
        world.entries_into_drip(&once, &contacts).await,
        [at(2, next)],
        "a day after its date"
    );
    world.leave(&yearly, &contacts).await;
    // Nothing ran for months, and for a day and a half.
    world.run_at("2027-11-22T10:00:00Z").await;
    world.run_at("2027-11-22T10:01:00Z").await;
    let again = "2027-11-22T10:01:00Z";
    assert_eq!(
        world.entries_into_drip(&yearly, &contacts).await,
        [at(0, again), at(1, next), at(2, again)]
    );
}

/// The account is closed for a day, the drip is paused on the next one, and cancelled on a fourth one; the field of another is deleted.
#[tokio::test]
async fn drip_that_is_not_open_lets_nobody_enter() {
    let world = World::new().await;
    let (field, deleted) = (world.field("birthday").await, world.field("wedding").await);
    let contacts = [
        world.contact_with_date("+971501000001", &field, "1990-11-22").await,
        world.contact_with_date("+971501000002", &field, "1990-11-23").await,
        world.contact_with_date("+971501000003", &field, "1990-11-24").await,
        world.contact_with_date("+971501000005", &field, "1990-11-25").await,
    ];
    let drip = world.dates(field.id, "yearly", 0).await;
    let other = world.contact_with_date("+971501000004", &deleted, "1990-11-22").await;
    let without_field = world.dates(deleted.id, "yearly", 0).await;
    let stamp = world.aws.stamp();
    let found: Versioned<Field> = world.store().get(world.scope(), &deleted.id).await.unwrap().unwrap();
    world.store().remove(world.scope(), &found, &stamp).await.unwrap();
    world.run().await;
    let status = async |status: TenantStatus| {
        let set = |tenant: &mut Tenant| tenant.status = status;
        world.aws.change_tenant(world.scope(), set).await;
    };
    status(TenantStatus::Suspended).await;
    for time in ["2026-11-22T09:00:00Z", "2026-11-22T09:01:00Z"] {
        world.run_at(time).await;
    }
    assert_eq!(world.entries_into_drip(&without_field, &[other]).await, []);
    status(TenantStatus::Active).await;
    let paused = world
        .move_drip(world.campaign(&drip).await, &[CampaignState::Paused])
        .await;
    // The days of a pause are gone when it is resumed.
    world.run_at("2026-11-23T09:00:00Z").await;
    let running = world.move_drip(paused, &[CampaignState::Running]).await;
    world.run_at("2026-11-23T09:01:00Z").await;
    assert_eq!(world.entries_into_drip(&drip, &contacts).await, []);
    let third = "2026-11-24T09:00:00Z";
    world.run_at(third).await;
    assert_eq!(world.entries_into_drip(&drip, &contacts).await, [at(2, third)]);
    // As a run does that cannot go on: nothing leads into the drip any more.
    let cancelled = world.move_drip(running, &[CampaignState::Cancelled]).await;
    world.run_at("2026-11-25T09:00:00Z").await;
    assert_eq!(world.entries_into_drip(&drip, &contacts).await, [at(2, third)]);
    let (_, row) = world
        .store()
        .triggered_drip(world.scope(), cancelled.value.id)
        .await
        .unwrap();
    assert!(row.is_none());
}

#[tokio::test]
async fn many_enter_once_although_runs_are_killed() {
    let world = World::new().await;
    let field = world.field("birthday").await;
    let mut contacts = Vec::new();
    for number in 0..250 {
        let number = format!("+97150200{number:04}");
        contacts.push(world.contact_with_date(&number, &field, "1990-11-22").await);
    }
    let drip = world.dates(field.id, "yearly", 0).await;
    world.run().await;
    world.aws.pass(2 * 24 * 3_600);
    for killed_after in [10, 40, 90, 160] {
        let killed = tokio::time::timeout(Duration::from_millis(killed_after), world.run());
        let _ = tokio::join!(Box::pin(killed), Box::pin(world.run()));
    }
    world.run().await;
    let (store, now) = (world.store(), world.aws.now());
    let mut people = Vec::new();
    for contact in &contacts {
        people.push(world.person(*contact).await);
    }
    for seconds in [0, 60] {
        world.aws.pass(seconds);
        world.run().await;
        let entered = store
            .enrolments_of(world.scope(), &people, drip.id, world.aws.now())
            .await
            .unwrap();
        assert_eq!(entered.len(), contacts.len());
        for enrolment in entered.into_values().map(Result::unwrap) {
            assert_eq!((enrolment.version, enrolment.value.at), (1, now), "entered once");
        }
    }
}

#[tokio::test]
async fn dates_that_cannot_be_read_keep_nobody_waiting() {
    let world = World::new().await;
    let field = world.field("birthday").await;
    let contacts = [world.contact_with_date("+971501000001", &field, "1990-11-21").await];
    let drips = [
        world.dates(field.id, "yearly", 0).await,
        world.dates(field.id, "yearly", 0).await,
    ];
    world.run().await;
    let own = format!("TRIGGER#{}", drips[0].id.ulid().to_string().to_ascii_lowercase());
    world.business.spoil_row(&world.aws, None, "#CONF", &own, "f").await;
    let time = "2026-11-21T09:00:00Z";
    world.aws.pass(21 * 3_600);
    let run = handle(world.aws.deadline(100), &world.ctx);
    assert!(run.await.is_err(), "an alarm sees it");
    assert_eq!(world.entries_into_drip(&drips[0], &contacts).await, []);
    assert_eq!(world.entries_into_drip(&drips[1], &contacts).await, [at(0, time)]);
    let (store, now) = (world.store(), world.aws.now());
    for (seconds, due) in [(0, 0), (600, 1)] {
        world.aws.pass(seconds);
        let mut rounds = 0;
        for shard in 0..SHARDS {
            let page = store.due_steps(shard, world.aws.now(), None, 100).await.unwrap();
            rounds += page.rounds.len();
        }
        assert_eq!(rounds, due, "{seconds} seconds after {now}");
    }
}
