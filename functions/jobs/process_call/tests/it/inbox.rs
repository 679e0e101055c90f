//! Missed calls in conversations of the inbox.

use domain::{
    base::ids::{ConversationId, LineId},
    calls::call::{CallFacts, Outcome, Party},
    contacts::contact::Identity,
    inbox::conversation::{Conversation, What},
};
use kit::Done;
use serde_json::json;
use testkit::business::{CUSTOMER, LINE, from_to, missed, phone, read, stated};

use crate::world::World;

async fn conversation(world: &World, line: Option<LineId>) -> Option<Conversation> {
    let customer = world.contact_of(&Identity::Phone(phone(CUSTOMER))).await?;
    let id = ConversationId::of(customer.id, line);
    let found = world.aws.store().conversation(world.business.scope(), id).await;
    found.expect("the table answers").map(|found| found.value)
}

#[tokio::test]
async fn missed_call_is_noted_once_on_its_line() {
    let line = read::<LineId>(json!("line_01hq5c1ynyc0000000000000ab"));
    let world = World::with(|configured| {
        configured.lines = vec![read(json!({"id": line, "name": "Main", "number": LINE}))];
    })
    .await;
    for (call, facts) in [
        ("1", missed(CUSTOMER)),
        ("2", stated(CUSTOMER, Outcome::Answered)),
        ("3", missed(CUSTOMER)),
    ] {
        world.aws.pass(60);
        world.telephony(call, facts.clone()).await;
        assert_eq!(world.telephony(call, facts).await, Done::Already, "{call}");
    }
    let noted = conversation(&world, Some(line)).await.expect("there is one");
    assert_eq!((noted.seq, noted.unread), (2, 2));
    assert!(matches!(noted.last.map(|last| last.what), Some(What::Missed(_))));
    assert!(noted.waiting_since < noted.last.map(|last| last.at));
    assert_eq!(conversation(&world, None).await, None);
}

/// Nobody can be called back, and the next caller is somebody else.
#[tokio::test]
async fn hidden_callers_are_in_no_conversation() {
    let world = World::new().await;
    let hidden = CallFacts {
        from: Some(Party::Withheld),
        ..missed(CUSTOMER)
    };
    world.telephony("1", hidden).await;
    let everybody = Identity::Withheld(world.business.telephony);
    let contact = world.contact_of(&everybody).await.expect("they are one contact");
    let id = ConversationId::of(contact.id, None);
    let found = world.aws.store().conversation(world.business.scope(), id).await;
    assert_eq!(found.expect("the table answers"), None);
}

/// The outcome that was reported first is corrected: the team sees one missed call.
#[tokio::test]
async fn call_that_is_decided_again_is_noted_once() {
    let world = World::new().await;
    world.telephony("1", stated(CUSTOMER, Outcome::Answered)).await;
    assert_eq!(conversation(&world, None).await, None);
    let corrected = |outcome| CallFacts {
        stated: Some(outcome),
        ..from_to(CUSTOMER)
    };
    world.telephony("1", corrected(Outcome::Busy)).await;
    let known = world.call().await;
    let noted = conversation(&world, None).await;
    assert_eq!(
        noted.map(|noted| noted.seq),
        known.outcome.nobody_answered().then_some(1)
    );
}
