//! Opening snoozed conversations and noticing unread messages, in process against the emulator.

use domain::Timestamp;
use domain::inbox::{Conversation, ConversationState};
use domain::tenants::{Desk, InboxSettings, Team, TenantStatus};
use domain::terms::{ConversationId, UserId};
use jiff::SignedDuration;
use serde_json::{Value, json};
use store::Versioned;
use tend_inbox::{Context, handle};
use testkit::business::{business, mobile};
use testkit::{Aws, Seeded};

/// A customer writes now. Returns the conversation.
async fn writes(aws: &Aws, business: &Seeded, last: usize) -> ConversationId {
    let contact = business.contact(aws, &mobile(last)).await;
    business.receive_noted(aws, contact.id, None).await
}

/// A conversation that is snoozed for so many hours.
async fn snoozed_conversation(aws: &Aws, business: &Seeded, last: usize, hours: i64) -> ConversationId {
    let id = writes(aws, business, last).await;
    let until = aws.now() + SignedDuration::from_hours(hours);
    let snooze = |conversation: &mut Conversation| {
        conversation.read_to(1);
        conversation.move_to(ConversationState::Snoozed, Some(until));
    };
    business.change_conversation(aws, id, snooze).await;
    id
}

/// Changes the desk of a person.
async fn change_desk(aws: &Aws, business: &Seeded, user: UserId, change: impl FnOnce(&mut Desk)) {
    let (store, scope) = (aws.store(), business.scope());
    let mut desk = store.desk(scope, user, aws.now()).await.expect("the desk is read");
    change(&mut desk.value);
    store
        .write_desk(scope, &desk, None)
        .await
        .expect("nobody else writes it");
}

async fn run(aws: &Aws) {
    let ctx = Context::new(aws.env()).expect("a context");
    handle(aws.deadline(60), &ctx).await.expect("the run ends well");
}

/// A run that fails.
async fn fail(aws: &Aws) {
    let ctx = Context::new(aws.env()).expect("a context");
    handle(aws.deadline(60), &ctx).await.expect_err("the run fails");
}

/// The notice about customers who wait, with the number of its changes.
async fn waiting_notice(aws: &Aws, business: &Seeded) -> Option<(Timestamp, u64)> {
    let store = aws.store();
    let found = store
        .notice(business.scope(), "customers_wait")
        .await
        .expect("the table answers");
    found.map(|found| (found.value.notice.at, found.version))
}

#[tokio::test]
async fn unread_message_is_noticed_once_after_ten_minutes() {
    let aws = Aws::new().await;
    let business = business(&aws).await;
    let id = writes(&aws, &business, 1).await;
    let overdue = aws.now() + SignedDuration::from_mins(10);
    aws.pass(599);
    run(&aws).await;
    assert_eq!(waiting_notice(&aws, &business).await, None);
    aws.pass(1);
    for _run in 0..3 {
        run(&aws).await;
        assert_eq!(waiting_notice(&aws, &business).await, Some((overdue, 1)));
        aws.pass(600);
    }
    // A later message is another occurrence.
    business.receive_noted(&aws, id.contact(), None).await;
    aws.pass(600);
    run(&aws).await;
    assert_eq!(waiting_notice(&aws, &business).await, Some((aws.now(), 2)));
    assert_eq!(business.conversation(&aws, id).await.value.noticed_at, Some(aws.now()));
}

#[tokio::test]
async fn message_that_was_read_in_time_is_not_noticed() {
    let aws = Aws::new().await;
    let business = business(&aws).await;
    let id = writes(&aws, &business, 1).await;
    aws.pass(540);
    let read = |conversation: &mut Conversation| assert!(conversation.read_to(conversation.seq));
    business.change_conversation(&aws, id, read).await;
    for _run in 0..2 {
        aws.pass(600);
        run(&aws).await;
    }
    assert_eq!(waiting_notice(&aws, &business).await, None);
}

#[tokio::test]
async fn two_unread_conversations_are_one_notice() {
    let aws = Aws::new().await;
    let business = business(&aws).await;
    let both = [writes(&aws, &business, 1).await, writes(&aws, &business, 2).await];
    aws.pass(600);
    run(&aws).await;
    assert_eq!(waiting_notice(&aws, &business).await, Some((aws.now(), 1)));
    for id in both {
        assert_eq!(business.conversation(&aws, id).await.value.due_at(), None);
    }
}

/// A run that died after it recorded the notice.
#[tokio::test]
async fn repeated_run_records_no_second_notice() {
    let aws = Aws::new().await;
    let business = business(&aws).await;
    let id = writes(&aws, &business, 1).await;
    aws.pass(600);
    let overdue = aws.now();
    run(&aws).await;
    let untell = |conversation: &mut Conversation| conversation.tell_at = Some(overdue);
    business.change_conversation(&aws, id, untell).await;
    aws.pass(60);
    run(&aws).await;
    assert_eq!(waiting_notice(&aws, &business).await, Some((overdue, 1)));
    assert_eq!(business.conversation(&aws, id).await.value.tell_at, None);
}

#[tokio::test]
async fn suspended_tenant_has_nothing_noticed_and_nothing_due() {
    let aws = Aws::new().await;
    let mut business = business(&aws).await;
    let id = writes(&aws, &business, 1).await;
    business.configured.tenant.status = TenantStatus::Suspended;
    business.configured.status_meant = true;
    business.write(&aws).await;
    aws.pass(600);
    run(&aws).await;
    assert_eq!(waiting_notice(&aws, &business).await, None);
    assert_eq!(business.conversation(&aws, id).await.value.due_at(), None);
}

#[tokio::test]
async fn snoozed_conversations_open_at_their_time() {
    let aws = Aws::new().await;
    let business = business(&aws).await;
    let mut all = Vec::new();
    for (last, hours) in [(1, 1), (2, 1), (3, 5)] {
        all.push(snoozed_conversation(&aws, &business, last, hours).await);
    }
    let attended = async || {
        run(&aws).await;
        let mut found: Vec<Versioned<Conversation>> = Vec::new();
        for id in &all {
            found.push(business.conversation(&aws, *id).await);
        }
        found
    };
    let states = |found: &[Versioned<Conversation>]| {
        let states = found.iter().map(|one| one.value.state.as_str());
        states.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(states(&attended().await), "snoozed snoozed snoozed");
    aws.pass(3600);
    let opened = attended().await;
    assert_eq!(states(&opened), "open open snoozed");
    assert_eq!(opened[0].value.snoozed_until, None);
    // Nothing is written again.
    let again = attended().await;
    assert_eq!(again, opened);
    aws.pass(4 * 3600);
    assert_eq!(states(&attended().await), "open open open");
}

/// As during a deployment, when a newer version has written it. The others are attended to.
#[tokio::test]
async fn conversation_that_cannot_be_read_is_put_off() {
    let aws = Aws::new().await;
    let business = business(&aws).await;
    let [spoilt, other] = [
        snoozed_conversation(&aws, &business, 1, 1).await,
        snoozed_conversation(&aws, &business, 2, 1).await,
    ];
    business
        .spoil_row(&aws, Some(spoilt.contact()), "", "CONV#-", "f")
        .await;
    aws.pass(3600);
    fail(&aws).await;
    let opened = business.conversation(&aws, other).await;
    assert_eq!(opened.value.state, ConversationState::Open);
    // It is looked at again ten minutes later.
    run(&aws).await;
    aws.pass(600);
    fail(&aws).await;
}

#[tokio::test]
async fn conversations_of_whoever_goes_go_to_others_of_the_team() {
    let aws = Aws::new().await;
    let business = business(&aws).await;
    let [going, staying] = [(); 2].map(|()| UserId::new(aws.ids().ulid()));
    let fields = json!({"name": "Orders", "members": [going, staying], "mode": "fewest_open"});
    let team: Team = aws.create_owned(business.scope(), fields).await;
    let mut all = Vec::new();
    for last in 1..=4 {
        let id = writes(&aws, &business, last).await;
        let give = |conversation: &mut Conversation| {
            (conversation.assignee, conversation.team) = (Some(going), Some(team.id));
        };
        business.change_conversation(&aws, id, give).await;
        all.push(id);
    }
    let until = aws.now() + SignedDuration::from_hours(1);
    let change = async |place: usize, change: &(dyn Fn(&mut Conversation) + Sync)| {
        business.change_conversation(&aws, all[place], change).await;
    };
    change(1, &|conversation| conversation.waiting_since = None).await;
    change(2, &|conversation| conversation.team = None).await;
    change(3, &|conversation| {
        conversation.move_to(ConversationState::Snoozed, Some(until))
    })
    .await;
    let persons = async || {
        let mut found = Vec::new();
        for id in &all {
            found.push(business.conversation(&aws, *id).await.value.assignee);
        }
        found
    };
    let away = |desk: &mut Desk| desk.set_available(false, Some(aws.now()), aws.now());
    change_desk(&aws, &business, going, away).await;
    for _run in 0..3 {
        aws.pass(60);
        run(&aws).await;
        assert_eq!(persons().await, [Some(staying), Some(going), None, Some(going)]);
    }
    let leave = |desk: &mut Desk| {
        assert_eq!(desk.hand_over_at, None);
        desk.set_left(true, aws.now());
    };
    change_desk(&aws, &business, going, leave).await;
    for _run in 0..3 {
        aws.pass(60);
        run(&aws).await;
        assert_eq!(persons().await, [Some(staying), Some(staying), None, Some(going)]);
    }
    // The snoozed one is nobody's of theirs any more when it opens.
    aws.pass(3600);
    run(&aws).await;
    assert_eq!(persons().await[3], Some(staying));
}

/// As during a deployment: the others are handed over all the same.
#[tokio::test]
async fn unreadable_conversation_keeps_no_other_with_whoever_left() {
    let aws = Aws::new().await;
    let business = business(&aws).await;
    let going = UserId::new(aws.ids().ulid());
    let mut all = Vec::new();
    for last in 1..=2 {
        let id = writes(&aws, &business, last).await;
        let give = |conversation: &mut Conversation| conversation.assignee = Some(going);
        business.change_conversation(&aws, id, give).await;
        all.push(id);
        aws.pass(1);
    }
    business
        .spoil_row(&aws, Some(all[0].contact()), "", "CONV#-", "f")
        .await;
    let leave = |desk: &mut Desk| desk.set_left(true, aws.now());
    change_desk(&aws, &business, going, leave).await;
    run(&aws).await;
    assert_eq!(business.conversation(&aws, all[1]).await.value.assignee, None);
    // Only that one is left.
    fail(&aws).await;
}

#[tokio::test]
async fn person_who_cannot_be_read_is_put_off() {
    let aws = Aws::new().await;
    let business = business(&aws).await;
    let going = UserId::new(aws.ids().ulid());
    let leave = |desk: &mut Desk| desk.set_left(true, aws.now());
    change_desk(&aws, &business, going, leave).await;
    business.spoil_row(&aws, None, "#DESK", &going.to_string(), "f").await;
    for after in [0, 600] {
        aws.pass(after);
        fail(&aws).await;
        run(&aws).await;
    }
}

/// The inbox of the business from now on.
async fn set_inbox(aws: &Aws, business: &Seeded, fields: Value) {
    let store = aws.store();
    let mut tenant = store
        .tenant(business.scope())
        .await
        .expect("the table answers")
        .expect("a tenant");
    let inbox: InboxSettings = serde_json::from_value(fields).expect("settings");
    tenant.inbox = Some(inbox);
    let stamp = aws.stamp();
    let changed = Box::pin(store.change_inbox(business.scope(), &tenant, &stamp)).await;
    changed.expect("nobody else changes it");
}

#[tokio::test]
async fn conversations_in_which_nothing_happens_are_closed() {
    let aws = Aws::new().await;
    let business = business(&aws).await;
    let mut all = Vec::new();
    for last in 1..=4 {
        all.push(writes(&aws, &business, last).await);
    }
    let states = async || {
        let mut found = Vec::new();
        for id in &all {
            let conversation = business.conversation(&aws, *id).await.value;
            found.push((conversation.state, conversation.unread));
        }
        found
    };
    let answered = |conversation: &mut Conversation| conversation.waiting_since = None;
    business.change_conversation(&aws, all[0], answered).await;
    let pending = |conversation: &mut Conversation| {
        answered(conversation);
        conversation.move_to(ConversationState::Pending, None);
    };
    business.change_conversation(&aws, all[1], pending).await;
    let (open, closed) = ((ConversationState::Open, 1), (ConversationState::Closed, 1));
    set_inbox(&aws, &business, json!({"close_after_days": 7})).await;
    aws.pass(6 * 86_400);
    run(&aws).await;
    assert_eq!(states().await, [open, (ConversationState::Pending, 0), open, open]);
    // Something happens in one of those that wait.
    business.receive_noted(&aws, all[3].contact(), None).await;
    aws.pass(86_400);
    run(&aws).await;
    let last = (ConversationState::Open, 2);
    let quiet = (ConversationState::Closed, 0);
    assert_eq!(states().await, [closed, quiet, open, last]);
    // At once, whenever the next look would be.
    let also = json!({"close_after_days": 7, "close_unanswered": true});
    set_inbox(&aws, &business, also).await;
    run(&aws).await;
    assert_eq!(states().await, [closed, quiet, closed, last]);
    let waits = business.conversation(&aws, all[2]).await.value.waiting_since;
    assert_eq!(waits, None);

    set_inbox(&aws, &business, json!({})).await;
    aws.pass(30 * 86_400);
    for _run in 0..2 {
        run(&aws).await;
    }
    assert_eq!(states().await[3], last, "nobody wants it closed any more");
    let look = aws.store().idle_look(business.scope()).await.unwrap().unwrap();
    assert_eq!(look.value.at, None);
}

#[tokio::test]
async fn idle_conversations_are_found_page_by_page() {
    let aws = Aws::new().await;
    let business = business(&aws).await;
    let mut all = Vec::new();
    for last in 1..=5 {
        all.push(writes(&aws, &business, last).await);
        aws.pass(60);
    }
    let before = aws.now() - SignedDuration::from_secs(120);
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let (page, next) = aws
            .store()
            .idle_conversations(business.scope(), ConversationState::Open, before, after, 2)
            .await
            .unwrap();
        found.extend(page.into_iter().map(|one| one.value.id()));
        after = next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(found, all[..4]);
}

/// The conversations of somebody who is away, and whose customers write again, come to others again and again.
#[tokio::test]
async fn whoever_is_away_is_looked_at_again_if_the_tenant_wants_it() {
    let aws = Aws::new().await;
    let business = business(&aws).await;
    set_inbox(&aws, &business, json!({"hand_over_after_minutes": 60})).await;
    let away = UserId::new(aws.ids().ulid());
    let later = aws.now() + SignedDuration::from_hours(1);
    let leave = |desk: &mut Desk| desk.set_available(false, Some(later), aws.now());
    change_desk(&aws, &business, away, leave).await;
    let id = writes(&aws, &business, 1).await;
    let give = |conversation: &mut Conversation| conversation.assignee = Some(away);
    for round in 0..2 {
        business.change_conversation(&aws, id, give).await;
        if round == 0 {
            aws.pass(3_540);
            run(&aws).await;
            assert_eq!(business.conversation(&aws, id).await.value.assignee, Some(away));
        }
        for _run in 0..4 {
            aws.pass(1_200);
            run(&aws).await;
        }
        assert_eq!(business.conversation(&aws, id).await.value.assignee, None);
    }
}
