//! Links to preference pages in messages.

use access::link::{Customer, Follower};
use domain::messages::{Content, Message, TrackedEnd};
use domain::people::{LINK_LIFETIME, LinkCode, LinkOrigin};
use domain::terms::{Channel, ContactId, SmsText};
use store::tenants::Configured;
use testkit::business::{CUSTOMER, missed_call_facts};

use super::world::World;

const BASE: &str = "https://api.example.com";

async fn world(text: &str) -> World {
    let change = |configured: &mut Configured| {
        configured.rules[0].then.sms_text = Some(SmsText::One(text.to_owned()));
    };
    World::at(BASE, change).await
}

/// The text of the message's SMS.
fn text(message: &Message) -> &str {
    let sms = message.plan.iter().find(|leg| leg.channel == Channel::Sms);
    match &sms.expect("an SMS").content {
        Content::Text(text) => text,
        _ => panic!("an SMS is a text"),
    }
}

/// The holder of the link with this code.
async fn holder(world: &World, code: &str) -> Option<(ContactId, LinkOrigin)> {
    let code: LinkCode = code.parse().expect("a code");
    let customer = Customer::admit(&world.aws.store(), &code, world.aws.now()).await;
    let customer = customer.expect("the table answers")?;
    assert_eq!(customer.scope().tenant(), world.business.tenant());
    Some((customer.link().contact, customer.link().origin))
}

#[tokio::test]
async fn message_carries_a_link_of_its_own() {
    let world = world("Sorry. {{preferences.link}} {{preferences.code}}").await;
    world.telephony("1", missed_call_facts(CUSTOMER)).await;
    let (_, messages) = world.history().await;
    let (link, code) = text(&messages[0])
        .trim_start_matches("Sorry. ")
        .split_once(' ')
        .unwrap();
    assert_eq!(link, format!("{BASE}/p/{code}"));
    let origin = LinkOrigin::Message(messages[0].id);
    assert_eq!(holder(&world, code).await, Some((messages[0].id.contact(), origin)));
    world.aws.pass(LINK_LIFETIME.as_secs());
    assert_eq!(holder(&world, code).await, None);
}

#[tokio::test]
async fn message_carries_tracked_links_of_its_own() {
    let world = world("Sorry. {{link:https://saffron.example/cake}} {{link:https://saffron.example/map}}").await;
    world.telephony("1", missed_call_facts(CUSTOMER)).await;
    let (_, messages) = world.history().await;
    let sms = text(&messages[0]).trim_start_matches("Sorry. ");
    let ends: Vec<TrackedEnd> = sms
        .split(' ')
        .map(|link| link.strip_prefix(&format!("{BASE}/l/")).unwrap().parse().unwrap())
        .collect();
    assert_eq!((ends[0].place, ends[1].place), (0, 1));
    assert_eq!(ends[0].code, ends[1].code);
    let follower = Follower::admit(&world.aws.store(), &ends[0].code, world.aws.now()).await;
    let follower = follower.expect("the table answers").expect("stored links");
    assert_eq!(follower.scope().tenant(), world.business.tenant());
    assert_eq!(follower.link().message, messages[0].id);
    assert_eq!(
        follower.link().targets,
        ["https://saffron.example/cake", "https://saffron.example/map"]
    );
}

/// A row for each message that nobody asked for would be paid for.
#[tokio::test]
async fn message_without_a_link_stores_none() {
    let rows = async |text: &str| {
        let world = world(text).await;
        let before = world.aws.row_count().await;
        world.telephony("1", missed_call_facts(CUSTOMER)).await;
        world.aws.row_count().await - before
    };
    let none = rows("Sorry.").await;
    assert_eq!(none + 1, rows("Sorry. {{preferences.link}}").await);
    assert_eq!(
        none + 1,
        rows("{{link:https://a.example}} {{link:https://b.example}}").await
    );
}

/// Whoever gets no message gets no link.
#[tokio::test]
async fn refused_message_stores_no_link() {
    let world = world("Sorry. {{preferences.link}}").await;
    world.business.suppress(&world.aws, CUSTOMER).await;
    let before = world.aws.row_count().await;
    world.telephony("1", missed_call_facts(CUSTOMER)).await;
    let with_link = world.aws.row_count().await - before;
    let plain = World::new().await;
    plain.business.suppress(&plain.aws, CUSTOMER).await;
    let before = plain.aws.row_count().await;
    plain.telephony("1", missed_call_facts(CUSTOMER)).await;
    assert_eq!(with_link, plain.aws.row_count().await - before);
    assert!(world.history().await.1.is_empty());
}

/// Nobody gets it, and the erasure of the contact would not find it.
#[tokio::test]
async fn link_of_a_channel_that_is_left_out_is_not_stored() {
    let rows = async |text: &str| {
        let world = world(text).await;
        let before = world.aws.row_count().await;
        world.telephony("1", missed_call_facts(CUSTOMER)).await;
        let (_, messages) = world.history().await;
        assert!(messages[0].plan.iter().all(|leg| leg.channel == Channel::WhatsApp));
        world.aws.row_count().await - before
    };
    // Nothing is known for the other value.
    let none = rows("{{tenant.website}}").await;
    assert_eq!(
        none,
        rows("{{link:https://saffron.example/cake}} {{tenant.website}}").await
    );
}

/// The other channel does without, and the call says why.
#[tokio::test]
async fn link_without_a_public_url_is_an_unknown_value() {
    let change = |configured: &mut Configured| {
        configured.rules[0].then.sms_text = Some(SmsText::One("{{preferences.link}}".to_owned()));
    };
    let world = World::at("", change).await;
    world.telephony("1", missed_call_facts(CUSTOMER)).await;
    let (_, messages) = world.history().await;
    assert!(messages[0].plan.iter().all(|leg| leg.channel == Channel::WhatsApp));
    let decision = world.call().await.decision;
    assert!(decision.contains("nothing is known for preferences.link"), "{decision}");
}
