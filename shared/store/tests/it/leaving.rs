//! Tenants that leave: all of theirs goes, whatever the index still says, and nothing of another's.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{
    account::{Account, Member, PasswordHash},
    actor::{Actor, Stamp},
    connection::Account as Provider,
    ids::{LineId, UserId},
    line::Line,
    permission::Role,
};
use testkit::{
    Seeded,
    business::{CUSTOMER, business},
    seed::{PHONE_NUMBER_ID, WABA},
};

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

    /// The keys of rows whose partition begins so.
    async fn keys(&self, partition: &str) -> Vec<(String, String)> {
        let field = |row: &HashMap<String, AttributeValue>, name| row[name].as_s().expect("a text").clone();
        let rows = self.rows().await.into_iter();
        let keys = rows.map(|row| (field(&row, "pk"), field(&row, "sk")));
        keys.filter(|(pk, _)| pk.starts_with(partition)).collect()
    }

    /// Who has claimed a WhatsApp number (without one: an account), if anybody.
    async fn holder(&self, waba: &str, number: &str) -> Option<String> {
        let (pk, sk) = (text(format!("WABA#{waba}")), text(format!("NUMBER#{number}")));
        let mut rows = self.rows().await.into_iter();
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
async fn contacts_behind_entries_of_the_index_that_are_out_of_date_go_too() {
    let world = World::new().await;
    for number in [CUSTOMER, "+971501000002"] {
        world
            .business
            .contact_with(&world.aws, number, |contact| contact.language = Some("ar".to_owned()))
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
    world.delete().await;
    let left = world.keys(&world.partition()).await;
    assert_eq!(left, [(world.partition(), "TENANT".to_owned())]);
}

#[tokio::test]
async fn people_that_stand_behind_thousands_of_rows_go_too() {
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
    let stamp = Stamp {
        actor: Actor::Operator,
        at: now,
        correlation_id: "test".to_owned(),
    };
    store.seat(scope, &account, "hash", &member, &stamp).await.unwrap();
    world.delete().await;
    assert_eq!(store.get::<Member>(scope, &user).await.unwrap(), None);
    assert!(store.account(user).await.unwrap().unwrap().value.tenants.is_empty());
    let left = world.keys(&world.partition()).await;
    assert_eq!(left, [(world.partition(), "TENANT".to_owned())]);
}

#[tokio::test]
async fn what_claims_the_numbers_of_lines_goes_too() {
    let world = World::new().await;
    let id = LineId::new(world.aws.ids().ulid());
    let line: Line =
        serde_json::from_value(serde_json::json!({"id": id, "name": "Branch", "number": "+97143330000"})).unwrap();
    let stamp = Stamp {
        actor: Actor::Operator,
        at: world.aws.now(),
        correlation_id: "test".to_owned(),
    };
    world.store.create(world.scope(), &line, &stamp).await.unwrap();
    let claim = format!("{}#ID#line:", world.partition());
    assert_eq!(world.keys(&claim).await.len(), 1);
    world.delete().await;
    let left = world.keys(&world.partition()).await;
    assert_eq!(left, [(world.partition(), "TENANT".to_owned())]);
}

#[tokio::test]
async fn who_leaves_frees_its_own_whatsapp_numbers_and_no_others() {
    let mut world = World::new().await;
    let other = Box::pin(business(&world.aws)).await;
    let holder = async || (world.holder(WABA, PHONE_NUMBER_ID).await, world.holder(WABA, "").await);
    // Both name it; the other one has proved that it is theirs.
    claim(&world, &other).await;
    world.delete().await;
    let theirs = Some(other.tenant().to_string());
    assert_eq!(holder().await, (theirs.clone(), theirs));

    world.business = other;
    world.delete().await;
    assert_eq!(world.keys("WABA#").await, []);
}

#[tokio::test]
async fn a_connection_that_is_no_longer_configured_frees_its_whatsapp_number() {
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
