//! Leaving tenants: all of their data is deleted, whatever the index contains, and nothing of another tenant.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::accounts::{Account, Member, PasswordHash, Role};
use domain::messages::OptFlag;
use domain::notices::{Mailings, Matter, Notice, day_of};
use domain::people::Identity;
use domain::tenants::{Account as Provider, Line};
use domain::terms::{LineId, UserId};
use store::contacts::ContactWrite;
use testkit::Seeded;
use testkit::business::{CUSTOMER, business, phone};
use testkit::seed::{PHONE_NUMBER_ID, WABA};

use crate::world::World;

fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

impl World {
    /// Deletes page by page.
    async fn delete(&self) {
        let page = async || self.store.delete_tenant_page(self.scope(), self.aws.now()).await;
        while !page().await.expect("the table answers") {}
    }

    /// Deletes page by page until one row is left in the tenant's own partitions.
    async fn delete_all_but_the_tenant(&self) {
        self.delete().await;
        let left = self.keys(&self.partition()).await;
        assert_eq!(left, [(self.partition(), "TENANT".to_owned())]);
    }

    /// The keys of the rows whose partition has this prefix.
    async fn keys(&self, partition: &str) -> Vec<(String, String)> {
        let field = |row: &HashMap<String, AttributeValue>, name| row[name].as_s().expect("a text").clone();
        let rows = self.aws.rows().await.into_iter();
        let keys = rows.map(|row| (field(&row, "pk"), field(&row, "sk")));
        keys.filter(|(pk, _)| pk.starts_with(partition)).collect()
    }

    /// The holder of a WhatsApp number (without a number: of an account), if there is one.
    async fn holder(&self, waba: &str, number: &str) -> Option<String> {
        let (pk, sk) = (text(format!("WABA#{waba}")), text(format!("NUMBER#{number}")));
        let mut rows = self.aws.rows().await.into_iter();
        let row = rows.find(|row| (&row["pk"], &row["sk"]) == (&pk, &sk))?;
        row["data"].as_m().expect("an item")["tenant"].as_s().ok().cloned()
    }
}

/// Claims the number of the fixtures and its account.
async fn claim(world: &World, business: &Seeded) {
    for number in [PHONE_NUMBER_ID, ""] {
        let claimed = world
            .store
            .claim_whatsapp_number(business.scope(), WABA, number, business.whatsapp);
        claimed.await.expect("nobody else has it");
    }
}

#[tokio::test]
async fn deletion_skips_stale_index_entries_and_finds_all_contacts() {
    let world = World::new().await;
    for number in [CUSTOMER, "+971501000002"] {
        world
            .contact_with(number, |contact| contact.language = Some("ar".to_owned()))
            .await;
    }
    // Ten entries that lead to no contact.
    world
        .put_many(10, |number| {
            let id = world.aws.ids().ulid().to_string().to_ascii_lowercase();
            let own = world.partition();
            HashMap::from([
                ("pk", format!("{own}#C#{id}")),
                ("sk", "STALE".to_owned()),
                ("gsi1pk", format!("{own}#CONTACTS")),
                ("gsi1sk", format!("a#{number}")),
            ])
        })
        .await;
    world.delete_all_but_the_tenant().await;
}

/// Only the survivor is listed; it names the others.
#[tokio::test]
async fn merged_contacts_are_deleted_with_the_survivor() {
    let world = World::new().await;
    let mut contacts = Vec::new();
    for number in [CUSTOMER, "+971501000002", "+971501000003"] {
        world.follow_up_of(number).await;
        let identity = Identity::Phone(phone(number));
        let found = world.store.contact_of(world.scope(), &identity).await.unwrap();
        contacts.push(found.unwrap().id);
    }
    world.business.merge(&world.aws, contacts[1], contacts[2]).await;
    world.business.merge(&world.aws, contacts[0], contacts[1]).await;
    world.delete().await;
    let left = world.keys(&format!("{}#C#", world.partition())).await;
    assert_eq!(left, []);
    let left = world.keys(&format!("{}#ID#phone", world.partition())).await;
    assert_eq!(left, []);
}

#[tokio::test]
async fn identities_that_lead_to_a_refusal_are_deleted() {
    let world = World::new().await;
    let mut contact = world
        .contact_with(CUSTOMER, |contact| {
            contact.wish(OptFlag::Stop, "wrote STOP", contact.created_at);
        })
        .await;
    let replaced = Identity::Phone(phone("+971501000002"));
    let write = ContactWrite {
        dropped_identities: vec![replaced.clone()],
        ..ContactWrite::from(contact.clone())
    };
    let (store, scope) = (&world.store, world.scope());
    store.write_contact(scope, &write, None).await.unwrap();
    contact.version += 1;
    assert_eq!(store.contact_of(scope, &replaced).await.unwrap(), Some(contact));
    world.delete_all_but_the_tenant().await;
}

#[tokio::test]
async fn members_behind_thousands_of_rows_are_deleted() {
    let world = World::new().await;
    world
        .put_many(2_100, |number| {
            let (part, sort) = (format!("{}#IAM", world.partition()), format!("A#{number}"));
            [("pk", part), ("sk", sort), ("kind", "other".to_owned())].into()
        })
        .await;
    let (store, scope, now) = (&world.store, world.scope(), world.aws.now());
    let user = UserId::new(world.aws.ids().ulid());
    let (email, password) = ("ann@example.com".parse().unwrap(), PasswordHash(String::new()));
    let mut account = Account::new(user, email, "Ann".to_owned(), "en".to_owned(), password, now);
    account.tenants.push(world.business.tenant());
    let member = Member::joining(&account, Role::Admin, now);
    let stamp = world.stamp();
    store.seat(scope, &account, "hash", &member, &stamp).await.unwrap();
    world.delete().await;
    assert_eq!(store.get::<Member>(scope, &user).await.unwrap(), None);
    assert!(store.account(user).await.unwrap().unwrap().value.tenants.is_empty());
    let left = world.keys(&world.partition()).await;
    assert_eq!(left, [(world.partition(), "TENANT".to_owned())]);
}

#[tokio::test]
async fn notices_are_deleted() {
    let world = World::new().await;
    let (store, scope, now) = (&world.store, world.scope(), world.aws.now());
    let rule = world.business.configured.rules[0].id;
    let matched = [rule].into();
    store.note_calls(scope, day_of(now), &matched, now).await.unwrap();
    let notice = Notice {
        matter: Matter::AutomationUnmatched { automation: rule },
        name: "Missed calls".to_owned(),
        at: now,
    };
    assert!(store.record_notice(scope, &notice, now).await.unwrap());
    let begun = Mailings::begin(None, vec![notice.key()], now).unwrap();
    store.write_mailings(scope, None, begun, now).await.unwrap();
    let part = format!("{}#NOTICE", world.partition());
    assert_eq!(world.keys(&part).await.len(), 4);
    world.delete_all_but_the_tenant().await;
}

#[tokio::test]
async fn claims_of_line_numbers_are_deleted() {
    let world = World::new().await;
    let id = LineId::new(world.aws.ids().ulid());
    let line: Line =
        serde_json::from_value(serde_json::json!({"id": id, "name": "Branch", "number": "+97143330000"})).unwrap();
    let stamp = world.stamp();
    world.store.create(world.scope(), &line, &stamp).await.unwrap();
    let claim = format!("{}#ID#line:", world.partition());
    assert_eq!(world.keys(&claim).await.len(), 1);
    world.delete_all_but_the_tenant().await;
}

#[tokio::test]
async fn deleted_tenant_frees_only_its_own_whatsapp_numbers() {
    let mut world = World::new().await;
    let other = Box::pin(business(&world.aws)).await;
    let holder = async || (world.holder(WABA, PHONE_NUMBER_ID).await, world.holder(WABA, "").await);
    // Both tenants configure it; the other one has proved that it owns it.
    claim(&world, &other).await;
    world.delete().await;
    let theirs = Some(other.tenant().to_string());
    assert_eq!(holder().await, (theirs.clone(), theirs));

    world.business = other;
    world.delete().await;
    assert_eq!(world.keys("WABA#").await, []);
}

#[tokio::test]
async fn removed_connection_frees_its_whatsapp_number() {
    let mut world = World::new().await;
    let own = Some(world.business.tenant().to_string());
    claim(&world, &world.business).await;
    world.business.write(&world.aws).await;
    assert_eq!(world.holder(WABA, PHONE_NUMBER_ID).await, own, "it is configured still");

    // Another number of the same account: the account stays the tenant's.
    let whatsapp = world.business.whatsapp;
    if let Provider::WhatsApp(account) = &mut world.business.connection_mut(whatsapp).account {
        account.phone_number_id = "910000000000002".to_owned();
    }
    world.business.write(&world.aws).await;
    assert_eq!(world.holder(WABA, PHONE_NUMBER_ID).await, None);
    assert_eq!(world.holder(WABA, "").await, own);

    let connections = &mut world.business.configured.connections;
    connections.retain(|connection| connection.id != whatsapp);
    world.business.write(&world.aws).await;
    assert_eq!(world.keys("WABA#").await, []);
}
