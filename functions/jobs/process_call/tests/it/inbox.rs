//! Missed calls in conversations of the inbox.

use domain::inbox::{Conversation, What};
use domain::people::Identity;
use domain::telephony::{CallFacts, Outcome, Party};
use domain::tenants::Team;
use domain::terms::{ConversationId, LineId, UserId};
use kit::Done;
use serde_json::json;
use testkit::business::{CUSTOMER, LINE, missed_call_facts, phone, read, stated_call_facts};

use super::world::{World, called_back};

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
        ("1", missed_call_facts(CUSTOMER)),
        ("2", stated_call_facts(CUSTOMER, Outcome::Answered)),
        ("3", missed_call_facts(CUSTOMER)),
    ] {
        world.aws.pass(60);
        world.telephony(call, facts.clone()).await;
        assert_eq!(world.telephony(call, facts).await, Done::Already, "{call}");
    }
    let noted = conversation(&world, Some(line)).await.expect("there is one");
    assert_eq!((noted.seq, noted.unread), (2, 2));
    assert!(matches!(noted.last.map(|last| last.what), Some(What::Missed(_))));
    let last = noted.last.map(|last| last.at);
    assert_eq!(noted.waiting_since, last, "the talk ended the first wait");
    assert_eq!(conversation(&world, None).await, None);
}

/// Nobody can be called back, and the next caller is somebody else.
#[tokio::test]
async fn hidden_callers_are_in_no_conversation() {
    let world = World::new().await;
    let hidden = CallFacts {
        from: Some(Party::Withheld),
        ..missed_call_facts(CUSTOMER)
    };
    world.telephony("1", hidden).await;
    let everybody = Identity::Withheld(world.business.telephony);
    let contact = world.contact_of(&everybody).await.expect("they are one contact");
    let id = ConversationId::of(contact.id, None);
    let found = world.aws.store().conversation(world.business.scope(), id).await;
    assert_eq!(found.expect("the table answers"), None);
}

/// Its outcome is reported late: the team sees one missed call, and nobody waits once it proves to have been answered.
#[tokio::test]
async fn call_that_is_decided_again_is_noted_once() {
    let world = World::with(|configured| configured.rules[0].enabled = false).await;
    world.telephony("1", missed_call_facts(CUSTOMER)).await;
    world.aws.pass(60);
    for (outcome, waits) in [(Outcome::Voicemail, true), (Outcome::Answered, false)] {
        assert_eq!(
            world.telephony("1", stated_call_facts(CUSTOMER, outcome)).await,
            Done::Now
        );
        let noted = conversation(&world, None).await.expect("there is one");
        assert_eq!((noted.seq, noted.waiting_since.is_some()), (1, waits), "{outcome:?}");
    }
    assert_eq!(world.call().await.decided_again, 2);
}

/// A talk is an answer, whoever called.
#[tokio::test]
async fn talk_on_the_telephone_ends_the_wait() {
    for talk in [
        stated_call_facts(CUSTOMER, Outcome::Answered),
        called_back(Outcome::Answered),
    ] {
        let world = World::new().await;
        world.telephony("1", missed_call_facts(CUSTOMER)).await;
        world.aws.pass(60);
        world.telephony("2", talk.clone()).await;
        let noted = conversation(&world, None).await.expect("there is one");
        assert_eq!((noted.seq, noted.waiting_since), (1, None), "{talk:?}");
        world.aws.pass(60);
        world.telephony("3", missed_call_facts(CUSTOMER)).await;
        let noted = conversation(&world, None).await.expect("there is one");
        assert!(noted.waiting_since.is_some());
    }
}

#[tokio::test]
async fn missed_call_goes_to_the_team_of_its_line() {
    let line = read::<LineId>(json!("line_01hq5c1ynyc0000000000000ab"));
    let world = World::with(|configured| {
        configured.lines = vec![read(json!({"id": line, "name": "Main", "number": LINE}))];
    })
    .await;
    let (aws, scope) = (&world.aws, world.business.scope());
    let [person, other] = [(); 2].map(|()| UserId::new(aws.ids().ulid()));
    for fields in [
        json!({"name": "All", "members": [other], "mode": "in_turn"}),
        json!({"name": "Main", "members": [person], "lines": [line], "mode": "fewest_open", "max_open": 5}),
    ] {
        aws.create_owned::<Team>(scope, fields).await;
    }
    world.telephony("1", missed_call_facts(CUSTOMER)).await;
    let noted = conversation(&world, Some(line)).await.expect("there is one");
    assert_eq!(noted.assignee, Some(person));
}

/// Also those on other lines. Who has left meanwhile attends to none of them.
#[tokio::test]
async fn conversations_open_when_a_deleted_contact_calls() {
    let world = World::new().await;
    world.telephony("1", missed_call_facts(CUSTOMER)).await;
    let (aws, scope) = (&world.aws, world.business.scope());
    let contact = conversation(&world, None).await.expect("there is one").contact;
    let elsewhere = Some(read::<LineId>(json!("line_01hq5c1ynyc0000000000000ab")));
    let on = world.business.receive_noted(aws, contact, elsewhere).await;
    let user = UserId::new(aws.ids().ulid());
    let give = |one: &mut Conversation| one.assignee = Some(user);
    let before = world.business.change_conversation(aws, on, give).await;
    aws.delete_contact(scope, contact, true).await;
    aws.has_left(scope, user).await;
    aws.pass(60);
    world.telephony("2", missed_call_facts(CUSTOMER)).await;
    let opened = conversation(&world, elsewhere).await.expect("there is one");
    assert_eq!(
        opened,
        Conversation {
            assignee: None,
            ..before
        }
    );
    let called = conversation(&world, None).await.expect("there is one");
    assert_eq!((called.is_attended(), called.seq), (true, 2));
}
