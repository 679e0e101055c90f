//! Beginning the conversations of the past, in process against the emulator.

use backfill_conversations::{Context, PER_STEP, handle};
use domain::accounts::Role;
use domain::calls::{Call, Received};
use domain::inbox::{BackfillConversations, Backfilled, Conversation, ConversationState, What};
use domain::messages::{EDIT, REACTION};
use domain::people::Contact;
use domain::telephony::Outcome;
use domain::tenants::Team;
use domain::terms::{Channel, ContactId, ConversationId, LineId, OperationKind, TagId, UserId};
use serde_json::json;
use testkit::business::{business, mobile};
use testkit::operations::result_of;
use testkit::{Aws, Operations, Seeded};

const DAY: i64 = 24 * 60 * 60;

/// Begins the conversations of the past. Returns the result, and the number of steps.
async fn backfill(aws: &Aws, business: &Seeded) -> (Backfilled, usize) {
    let ctx = Context::new(aws.env()).unwrap();
    let operations = Operations::of(aws, business.scope());
    let start = operations
        .create(OperationKind::BackfillConversations, &BackfillConversations {})
        .await;
    let (operation, steps) = operations.finish(&start, &ctx, &handle).await;
    let done: Backfilled = result_of(&operation);
    assert_eq!(done.contacts, operation.progress.done);
    (done, steps)
}

/// The conversation with a contact on a line, if there is one.
async fn conversation_on_line(
    aws: &Aws,
    business: &Seeded,
    contact: ContactId,
    line: Option<LineId>,
) -> Option<Conversation> {
    let id = ConversationId::of(contact, line);
    let found = aws.store().conversation(business.scope(), id).await.unwrap();
    found.map(|found| found.value)
}

/// A contact whose row says that it has written.
async fn writer(aws: &Aws, business: &Seeded, last: usize) -> ContactId {
    let now = aws.now();
    let wrote = |contact: &mut Contact| contact.last_inbound_at = Some(now);
    business.contact_with(aws, &mobile(last), wrote).await.id
}

#[tokio::test]
async fn each_line_has_a_conversation_as_if_it_had_always_been_there() {
    let aws = Aws::new().await;
    let business = business(&aws).await;
    let line = Some(LineId::new(aws.ids().ulid()));
    let [talked, waits, over] = [
        writer(&aws, &business, 1),
        writer(&aws, &business, 2),
        writer(&aws, &business, 3),
    ];
    let [talked, waits, over] = [talked.await, waits.await, over.await];
    business.receive(&aws, over, |_| {}).await;
    aws.pass(7 * DAY);
    // On a line, and beside it: two conversations. A reaction is a turn in neither.
    let first = business.receive(&aws, waits, |received| received.line = line).await;
    business.receive(&aws, waits, |_| {}).await;
    aws.pass(60);
    let edit = |received: &mut Received| {
        received.line = line;
        (received.message.kind, received.message.opens_window) = (EDIT.to_owned(), false);
    };
    let last = business.receive(&aws, waits, edit).await;
    aws.pass(60);
    let reaction = |received: &mut Received| {
        received.line = line;
        received.message.kind = REACTION.to_owned();
    };
    business.receive(&aws, waits, reaction).await;
    // A talk ends the wait.
    writer(&aws, &business, 4).await;
    let (call, _) = Box::pin(business.store_missed_call(&aws, &mobile(4), |_| {})).await;
    business
        .receive(&aws, talked, |received| received.line = call.grounds.line)
        .await;
    aws.pass(60);
    let talk = |talk: &mut Call| {
        (talk.outcome, talk.facts.started_at) = (Outcome::Answered, Some(talk.decided_at));
    };
    Box::pin(business.store_missed_call(&aws, &mobile(1), talk)).await;
    aws.pass(60);
    let (done, steps) = backfill(&aws, &business).await;
    let expected = Backfilled {
        contacts: 4,
        conversations: 5,
        waiting: 3,
    };
    assert_eq!((done, steps), (expected, 1));

    let on_line = conversation_on_line(&aws, &business, waits, line).await.unwrap();
    assert_eq!((on_line.seq, on_line.unread, on_line.read_seq), (2, 2, 0));
    assert_eq!(on_line.last.unwrap().what, What::Inbound(last.id, Channel::WhatsApp));
    assert_eq!(
        (on_line.created_at, on_line.waiting_since),
        (first.message.at, Some(first.message.at))
    );
    assert_eq!((on_line.state, on_line.tell_at), (ConversationState::Open, None));
    assert_eq!(conversation_on_line(&aws, &business, waits, None).await.unwrap().seq, 1);
    let missed = conversation_on_line(&aws, &business, call.id.contact(), call.grounds.line)
        .await
        .unwrap();
    assert_eq!(missed.last.unwrap().what, What::Missed(call.id));
    let after_talk = conversation_on_line(&aws, &business, talked, call.grounds.line)
        .await
        .unwrap();
    assert_eq!(
        (after_talk.state, after_talk.waiting_since),
        (ConversationState::Closed, None)
    );
    let closed = conversation_on_line(&aws, &business, over, None).await.unwrap();
    assert_eq!(
        (closed.state, closed.unread, closed.waiting_since),
        (ConversationState::Closed, 0, None)
    );

    // Existing conversations stay as they are, also changed ones, and none begins with a contact that was deleted meanwhile.
    aws.delete_contact(business.scope(), over, true).await;
    let begun = Conversation::empty(ConversationId::of(over, line), aws.now());
    let store = aws.store();
    let refused = store.begin_conversation(business.scope(), begun).await.unwrap_err();
    assert!(refused.is_conflict(), "{refused}");
    let id = ConversationId::of(waits, line);
    business
        .change_conversation(&aws, id, |one| one.move_to(ConversationState::Pending, None))
        .await;
    let before = conversation_on_line(&aws, &business, waits, line).await;
    let (done, _) = backfill(&aws, &business).await;
    assert_eq!((done.conversations, done.waiting), (0, 0));
    assert_eq!(conversation_on_line(&aws, &business, waits, line).await, before);
}

#[tokio::test]
async fn those_who_wait_go_to_their_team_page_by_page() {
    let aws = Aws::new().await;
    let business = business(&aws).await;
    let users: [UserId; 2] = [
        business.member(&aws, Role::Agent).await.user,
        business.member(&aws, Role::Agent).await.user,
    ];
    let team = json!({"name": "Front desk", "members": users, "mode": "fewest_open"});
    let team = aws.create_owned::<Team>(business.scope(), team).await.id;
    let others = json!({"name": "Wholesale", "tags": [TagId::new(aws.ids().ulid())]});
    aws.create_owned::<Team>(business.scope(), others).await;
    let all = usize::try_from(PER_STEP).unwrap() + 1;
    let mut contacts = Vec::new();
    for number in 1..=all {
        contacts.push(writer(&aws, &business, number).await);
    }
    for contact in &contacts[..3] {
        business.receive(&aws, *contact, |_| {}).await;
    }
    let (done, steps) = backfill(&aws, &business).await;
    let expected = Backfilled {
        contacts: all as u64,
        conversations: 3,
        waiting: 3,
    };
    assert_eq!((done, steps), (expected, 2));
    for contact in &contacts[..3] {
        let given = conversation_on_line(&aws, &business, *contact, None).await.unwrap();
        assert_eq!(given.team, Some(team));
        assert!(given.assignee.is_some_and(|user| users.contains(&user)), "{given:?}");
    }
}
