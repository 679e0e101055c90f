//! Opening snoozed conversations, in process against the emulator.

#![expect(
    clippy::unwrap_used,
    reason = "everything here is a test; the lint's own exception covers only the functions marked as such"
)]

use domain::{
    base::ids::ConversationId,
    inbox::conversation::{Conversation, ConversationState, Happening, What},
    messages::message::Channel,
};
use jiff::SignedDuration;
use kit::schedule::Deadline;
use store::{Versioned, inbox::conversation::noted};
use tend_inbox::{Context, handle};
use testkit::{
    Aws, Seeded,
    business::{business, mobile},
};

/// A conversation that is snoozed for so many hours.
async fn snoozed(aws: &Aws, business: &Seeded, last: usize, hours: i64) -> ConversationId {
    let contact = business.contact_with(aws, &mobile(last), |_| {}).await;
    let received = business.receive(aws, contact.id, |_| {}).await;
    let id = ConversationId::of(contact.id, None);
    let what = What::Inbound(received.id, Channel::WhatsApp);
    let mut conversation = noted(None, id, Happening { at: aws.now(), what });
    let until = aws.now() + SignedDuration::from_hours(hours);
    conversation.value.move_to(ConversationState::Snoozed, Some(until));
    aws.store()
        .write_conversation(business.scope(), &conversation, None)
        .await
        .unwrap();
    id
}

#[tokio::test]
async fn snoozed_conversations_open_at_their_time() {
    let aws = Aws::new().await;
    let business = business(&aws).await;
    let ctx = Context::new(&aws.env_with(&[])).unwrap();
    let mut all = Vec::new();
    for (last, hours) in [(1, 1), (2, 1), (3, 5)] {
        all.push(snoozed(&aws, &business, last, hours).await);
    }
    let run = async || {
        let deadline = Deadline::at(aws.now() + SignedDuration::from_secs(60));
        handle(deadline, &ctx).await.unwrap();
        let mut found: Vec<Versioned<Conversation>> = Vec::new();
        for id in &all {
            let read = aws.store().conversation(business.scope(), *id).await;
            found.push(read.unwrap().unwrap());
        }
        found
    };
    let states = |found: &[Versioned<Conversation>]| {
        let states = found.iter().map(|one| one.value.state.as_str());
        states.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(states(&run().await), "snoozed snoozed snoozed");
    aws.pass(3600);
    let opened = run().await;
    assert_eq!(states(&opened), "open open snoozed");
    assert_eq!(opened[0].value.snoozed_until, None);
    // Nothing is written again.
    let again = run().await;
    assert_eq!(again, opened);
    aws.pass(4 * 3600);
    assert_eq!(states(&run().await), "open open open");
}
