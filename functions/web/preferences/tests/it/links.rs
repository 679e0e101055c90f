//! Links that lead to no page, and requests that the page does not send.

use domain::accounts::{ApiKey, Member, MemberStatus, Role};
use domain::people::{Change, Choice, Contact, LINK_LIFETIME, LinkCode, LinkOrigin, MADE_LINK_LIFETIME};
use domain::terms::{Actor, ApiKeyId};
use store::consent::LinkWrite;
use testkit::Call;
use testkit::business::{CUSTOMER, business};

use super::document::Page;
use super::{World, saving};

/// Replaces one character of a code.
fn tampered_code(code: &LinkCode) -> String {
    let mut text = code.as_str().to_owned();
    let last = if text.ends_with('0') { "1" } else { "0" };
    text.replace_range(15.., last);
    text
}

/// Nobody learns from the answer whether there ever was such a link, contact or business.
#[tokio::test]
async fn links_that_do_not_work_look_the_same() {
    let world = World::new().await;
    let (aws, store, scope) = (&world.aws, world.aws.store(), world.business.scope());
    let fresh = || LinkCode::of(aws.ids().secret().unwrap());
    // A link of this business to the contact of another one.
    let other = Box::pin(business(aws)).await;
    let theirs = other.contact(aws, CUSTOMER).await;
    let foreign = fresh();
    world.link(&foreign, &theirs).await;
    // A deleted contact, and one whose erasure has begun.
    let mut gone = Vec::new();
    for erasing in [false, true] {
        let number = if erasing { "+971501234560" } else { "+971501234569" };
        let contact = world.business.contact(aws, number).await;
        let code = fresh();
        world.link(&code, &contact).await;
        let at = aws.now();
        let delete = |contact: &mut Contact| {
            contact.deleted_at = Some(at);
            contact.erasing = erasing;
            Change::Contact
        };
        aws.change_contact(scope, contact.id, delete).await;
        gone.push(code.as_str().to_owned());
    }
    // An erased one.
    let erased = world.business.contact(aws, "+971501234561").await;
    let code = fresh();
    world.link(&code, &erased).await;
    store.erase_contact_rows(scope, &erased).await.unwrap();
    let mut codes = vec![
        fresh().as_str().to_owned(),
        tampered_code(&world.code),
        foreign.as_str().to_owned(),
        code.as_str().to_owned(),
        "x".to_owned(),
        "o0000000000000il".to_owned(),
        "%F0%9F%8D%9E".to_owned(),
        world.contact.id.to_string(),
        "a".repeat(3_000),
    ];
    codes.extend(gone);
    let mut pages = Vec::new();
    for code in codes {
        let path = format!("/p/{code}");
        let shown = world.call(&Call::get(&path)).await;
        let posted = world.call(&Call::form(&path, "do=stop")).await;
        for answer in [shown, posted] {
            answer.is(404);
            Page::of(&answer).is_accessible();
            pages.push(answer.text().to_owned());
        }
    }
    pages.dedup();
    assert_eq!(pages.len(), 1);
    assert!(pages[0].contains("This link does not work") && pages[0].contains("reply STOP"));
    assert!(!pages[0].contains("Harbour Lane"));
    let contact = store.contact(other.scope(), theirs.id).await.unwrap();
    assert!(contact.unwrap().opted_out().is_none());
}

#[tokio::test]
async fn link_expires() {
    let world = World::new().await;
    world.aws.pass(LINK_LIFETIME.as_secs() - 1);
    world.get("").await.is(200);
    world.aws.pass(1);
    let before = world.stored_contact().await;
    world.get("").await.is(404);
    world.post("do=stop").await.is(404);
    assert_eq!(world.stored_contact().await, before);
}

/// Read aloud and typed in, a code may have capitals.
#[tokio::test]
async fn capitals_do_not_matter() {
    let world = World::new().await;
    let path = world
        .path()
        .replace(world.code.as_str(), &world.code.as_str().to_ascii_uppercase());
    world.call(&Call::get(&path)).await.is(200);
}

#[tokio::test]
async fn requests_that_the_page_does_not_send_change_nothing() {
    let world = World::new().await;
    let seen = world.current_mark().await;
    let path = world.path();
    let form = |body: &str| Call::form(&path, body);
    let large = format!("do=stop&{}", "x".repeat(2_100));
    for (call, status) in [
        (form(""), 400),
        (form("do=stop&sms_utility=on"), 400),
        (form(&format!("do=save&seen={seen}&voice_utility=on")), 400),
        (form(&format!("do=save&seen={seen}&tenant_id=tnt_1")), 400),
        (form(&format!("do=save&seen={seen}&sms_utility=yes")), 400),
        (form("do=save&sms_utility=on"), 400),
        (Call::json(&path, "{\"do\":\"stop\"}"), 415),
        (Call::new("POST", &path).body("do=stop"), 415),
        (form(&large), 413),
        (Call::new("PUT", &path), 405),
        (Call::new("DELETE", &path), 405),
        (Call::new("OPTIONS", &path), 405),
    ] {
        let answer = world.call(&call).await;
        answer.is(status);
        Page::of(&answer).is_accessible();
        assert!(answer.text().contains("Nothing was changed."), "{}", answer.text());
        let allow = if status == 405 { "GET, HEAD, POST" } else { "" };
        assert_eq!(answer.header("allow"), allow);
    }
    assert_eq!(world.stored_contact().await, world.contact);
    // A mark that no page has shown is that of an old page.
    world.post("do=save&seen=0000000000000000&sms_utility=on").await.is(409);
    assert_eq!(world.ledger().await, []);
}

#[tokio::test]
async fn changes_by_one_link_are_limited() {
    let world = World::new().await;
    for _ in 0..30 {
        world.post("do=stop").await.is(303);
    }
    let refused = world.post("do=stop").await;
    refused.is(429);
    Page::of(&refused).is_accessible();
    assert_eq!(refused.header("retry-after"), "3600");
    // Looking is not limited by it, nor is another link.
    world.get("").await.is(200);
    let another = LinkCode::of(world.aws.ids().secret().unwrap());
    world.link(&another, &world.contact).await;
    let path = format!("/p/{}", another.as_str());
    world.call(&Call::form(&path, "do=stop")).await.is(303);
    world.aws.pass(3_600);
    world.post("do=stop").await.is(303);
}

#[tokio::test]
async fn guesses_from_one_address_are_limited() {
    let world = World::new().await;
    let guess = |address: &str| Call::get("/p/0000000000000000").from_address(address);
    for _ in 0..300 {
        world.call(&guess("203.0.113.7")).await.is(404);
    }
    let refused = world.call(&guess("203.0.113.7")).await;
    refused.is(429);
    assert_eq!(refused.header("retry-after"), "60");
    let known = Call::get(&world.path()).from_address("203.0.113.7");
    world.call(&known).await.is(429);
    world.call(&guess("203.0.113.8")).await.is(404);
}

/// The table does not answer: a page, and nothing of the cause.
#[tokio::test]
async fn outage_is_a_page_too() {
    let world = World::new().await;
    world.aws.delete_table().await;
    for answer in [world.get("").await, world.post("do=stop").await] {
        answer.is(503);
        Page::of(&answer).is_accessible();
        assert!(answer.text().contains("Not available at the moment"));
    }
}

/// Whoever stops messages by the link of a contact that was merged into another stops those of both.
#[tokio::test]
async fn link_of_a_merged_contact_stops_the_survivor() {
    let world = World::new().await;
    let survivor = world.business.contact(&world.aws, "+971502222222").await;
    world.business.merge(&world.aws, survivor.id, world.contact.id).await;
    world.get("").await.is(200);
    world.post("do=stop").await.is(303);
    let contact = world.stored_contact().await;
    assert_eq!(contact.id, survivor.id);
    assert!(contact.opted_out().is_some());
    let (store, scope) = (world.aws.store(), world.business.scope());
    let (ledger, _) = store.consent_ledger(scope, &contact, 9, world.aws.now()).await.unwrap();
    assert_eq!(ledger.len(), 1);
}

/// Once a merge is undone, a message that went to the other contact is not the survivor's, and nor is the link in it.
#[tokio::test]
async fn carried_link_works_only_for_the_recipient() {
    let world = World::new().await;
    let (aws, store, scope) = (&world.aws, world.aws.store(), world.business.scope());
    let survivor = world.contact.id;
    let other = world.business.contact(aws, "+971502222222").await;
    let merge = world.business.merge(aws, survivor, other.id).await;
    let message = Box::pin(world.business.follow_up(aws, "+971502222222")).await;
    assert_eq!(message.id.contact(), survivor);
    let link = LinkWrite {
        code: LinkCode::of(aws.ids().secret().unwrap()),
        contact: survivor,
        origin: LinkOrigin::Message(message.id),
    };
    store.create_preference_link(scope, &link, aws.now()).await.unwrap();
    let path = format!("/p/{}", link.code.as_str());
    let show = Call::get(&path);
    world.call(&show).await.is(200);
    world.business.unmerge(aws, merge).await;
    world.call(&show).await.is(404);
    world.call(&Call::form(&path, "do=stop")).await.is(404);
    assert!(world.stored_contact().await.opted_out().is_none());
    let other = store.contact(scope, other.id).await.unwrap();
    assert!(other.unwrap().opted_out().is_none());
    // Where a message went is forgotten with it.
    world.business.remove(aws, "MSG#", Some(survivor)).await;
    world.call(&show).await.is(200);
}

impl World {
    /// The path of a link that somebody asked for.
    async fn made_by(&self, maker: Actor) -> String {
        let code = LinkCode::of(self.aws.ids().secret().expect("random bytes"));
        self.link_of(&code, &self.contact, LinkOrigin::Actor(maker)).await;
        format!("/p/{}", code.as_str())
    }
}

/// Whoever has left, or may not change contacts any more, cannot use the links that they have kept.
#[tokio::test]
async fn created_link_ends_with_its_maker() {
    let world = World::new().await;
    let (store, scope, stamp) = (world.aws.store(), world.business.scope(), world.aws.stamp());
    let member = world.business.member(&world.aws, Role::Agent).await;
    let path = world.made_by(Actor::User(member.user)).await;
    for (role, status, shown) in [
        (Role::Manager, MemberStatus::Active, 200),
        (Role::Viewer, MemberStatus::Active, 404),
        (Role::Agent, MemberStatus::Deactivated, 404),
        (Role::Agent, MemberStatus::Active, 200),
    ] {
        let before = store.get::<Member>(scope, &member.user).await.unwrap().unwrap();
        let after = Member {
            role,
            status,
            ..before.value.clone()
        };
        store.change(scope, &before, &after, &stamp).await.unwrap();
        world.call(&Call::get(&path)).await.is(shown);
    }
    let before = store.get::<Member>(scope, &member.user).await.unwrap().unwrap();
    store.remove(scope, &before, &stamp).await.unwrap();
    world.call(&Call::get(&path)).await.is(404);
    world.call(&Call::form(&path, "do=stop")).await.is(404);

    let key = ApiKey {
        id: ApiKeyId::new(world.aws.ids().ulid()),
        name: "Shop".to_owned(),
        role: Role::Agent,
        scopes: Vec::new(),
        secrets: Vec::new(),
        created_by: Actor::Operator,
        created_at: world.aws.now(),
        expires_at: Some(world.aws.now() + MADE_LINK_LIFETIME / 2),
        revoked_at: None,
    };
    store.create(scope, &key, &stamp).await.unwrap();
    let path = world.made_by(Actor::ApiKey(key.id)).await;
    world.call(&Call::get(&path)).await.is(200);
    world.aws.pass(MADE_LINK_LIFETIME.as_secs() / 2);
    world.call(&Call::get(&path)).await.is(404);
    world.call(&Call::form(&path, "do=stop")).await.is(404);
    assert_eq!(world.ledger().await, []);
}

/// It was in the maker's hands, too, so the ledger does not call it the customer's own alone.
#[tokio::test]
async fn choice_by_a_created_link_names_its_maker() {
    let world = World::new().await;
    let maker = Actor::User(world.business.member(&world.aws, Role::Agent).await.user);
    let path = world.made_by(maker).await;
    let form = saving(&world.current_mark().await, &["sms_marketing"]);
    world.call(&Call::form(&path, &form)).await.is(303);
    let ledger = world.ledger().await;
    assert!(ledger.iter().any(|entry| entry.choice == Choice::Granted));
    for entry in &ledger {
        assert_eq!(entry.actor, Some(maker));
        let evidence = entry.evidence.as_ref().unwrap().as_str();
        assert!(evidence.ends_with(&format!(", made by {maker}")), "{evidence}");
    }
}
