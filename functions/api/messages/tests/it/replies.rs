//! Replies: each is sent once, in order, to somebody who wrote, and not over what a colleague has said meanwhile.

use domain::inbox::{Conversation, Happening, What};
use domain::messages::{EDIT, OptFlag, REACTION};
use domain::people::{By, Change, Choice, Scope, Wish};
use domain::tenants::Account;
use domain::terms::{ConversationId, Purpose};
use futures::future::join;
use jobs::SendMessage;
use kit::QueueName;
use testkit::business::business_with;

use super::*;

pub(crate) fn messages_of(id: ConversationId) -> String {
    format!("/api/v1/conversations/{id}/messages")
}

/// The conversation with a customer who has written by WhatsApp.
pub(crate) async fn wrote(aws: &Aws, business: &Seeded) -> ConversationId {
    wrote_from(aws, business, CUSTOMER).await
}

pub(crate) async fn wrote_from(aws: &Aws, business: &Seeded, number: &str) -> ConversationId {
    let now = aws.now();
    let known = |contact: &mut Contact| {
        contact.open_window(&phone(WHATSAPP), &contact.recipient(), now);
        contact.last_inbound_at = Some(now);
    };
    let contact = business.contact_with(aws, number, known).await;
    business.receive_noted(aws, contact.id, None).await
}

fn text(seen: u64, text: &str) -> Value {
    json!({"seen": seen, "text": text})
}

/// The jobs to send messages, taken out of their queue.
async fn take_send_jobs(aws: &Aws) -> Vec<SendMessage> {
    aws.take_jobs(QueueName::Sends).await
}

#[tokio::test]
async fn a_reply_is_sent_once_and_ends_the_wait() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let id = wrote(&aws, &business).await;
    let waiting = follow_up(&aws, &business, CUSTOMER, |_| {}).await;
    aws.pass(120);
    let asked = || agent.post_once(&messages_of(id), "one", text(1, "Yes, {{contact.first_name|there}}"));
    let sent = asked().await;
    let body = sent.is(201).json();
    assert_eq!(body["legs"][0]["text"], "Yes, there");
    assert_eq!(sent.header("location"), path_of(&body));
    assert_eq!(asked().await.is(201).json()["id"], body["id"], "repeated");
    assert_eq!(take_send_jobs(&aws).await.len(), 1);
    let message = read_message(&aws, &business, &body).await;
    assert_eq!((message.policy.purpose(), message.behind), (Purpose::Reply, None));
    let conversation = business.conversation(&aws, id).await.value;
    assert_eq!(
        (conversation.waiting_since, conversation.unread, conversation.seq),
        (None, 0, 2)
    );
    assert_eq!(conversation.first_response, Some(SignedDuration::from_secs(120)));
    assert_eq!(conversation.reply.map(|reply| reply.message), Some(message.id));
    // Follow-ups are no automatic answers, and replies are not among what waits for the contact.
    let known = aws.store().contact(business.scope(), id.contact()).await;
    let known = known.unwrap().expect("the contact exists");
    let open: Vec<_> = known.open.iter().map(|open| open.message).collect();
    assert_eq!(open, [waiting.id]);
}

#[tokio::test]
async fn a_reply_makes_the_automatic_answer_unnecessary() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let id = wrote(&aws, &business).await;
    let answer = follow_up(&aws, &business, CUSTOMER, |_| {}).await;
    // As if it were one.
    let answers = |contact: &mut Contact| {
        for open in &mut contact.open {
            open.purpose = Purpose::AutoReply;
        }
        Change::Contact
    };
    aws.change_contact(business.scope(), id.contact(), answers).await;
    agent.post(&messages_of(id), text(1, "Yes")).await.is(201);
    let answer = read_message(&aws, &business, &json!({"id": answer.id})).await;
    assert_eq!(answer.why(), Some("not sent: a person replied"));
}

#[tokio::test]
async fn colleagues_do_not_answer_the_same_question_twice() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let [one, other] = [
        town.key_of(business.scope(), Role::Agent).await,
        town.key_of(business.scope(), Role::Agent).await,
    ];
    let id = wrote(&aws, &business).await;
    let path = &messages_of(id);
    aws.pass(60);
    // Both write at once.
    let both = join(
        one.post(path, text(1, "Yes")).into_future(),
        other.post(path, text(1, "No")).into_future(),
    );
    let (first, second) = both.await;
    let (won, lost, loser, winner) = match (first.status(), second.status()) {
        (201, 409) => (first, second, &other, &one),
        (409, 201) => (second, first, &one, &other),
        both => panic!("{both:?}"),
    };
    let won = won.json();
    let refused = lost.is_refused(409, "conversation_moved").json();
    assert_eq!(
        json!([refused["facts"]["seq"], refused["facts"]["message"]]),
        json!([2, won["id"]])
    );
    assert_eq!(refused["facts"]["messages"], json!([won["id"]]));
    // A reaction is no turn: it hides nothing of what was missed.
    aws.pass(60);
    let reacts = |received: &mut Received| received.message.kind = REACTION.to_owned();
    business.receive(&aws, id.contact(), reacts).await;
    let still = loser.post(path, text(1, "No")).await;
    let still = still.is_refused(409, "conversation_moved").json();
    assert_eq!(still["facts"]["messages"], json!([won["id"]]));
    // Whoever wrote it goes on without looking, and a customer's message keeps nobody from replying.
    let edits = |received: &mut Received| {
        (received.message.kind, received.message.opens_window) = (EDIT.to_owned(), false);
    };
    let edit = business.receive(&aws, id.contact(), edits).await;
    let happening = Happening {
        at: edit.message.at,
        what: What::Inbound(edit.id, edit.message.channel),
    };
    let note = |known: &mut Conversation| known.note(happening, None);
    business.change_conversation(&aws, id, note).await;
    aws.pass(60);
    let more = winner.post(path, text(1, "One more thing")).await.is(201).json();
    for (seen, missed) in [(2, json!([more["id"]])), (1, json!([more["id"], won["id"]]))] {
        let refused = loser.post(path, text(seen, "No")).await;
        let refused = refused.is_refused(409, "conversation_moved").json();
        assert_eq!(refused["facts"]["messages"], missed);
    }
    loser.post(path, text(4, "Now I know")).await.is(201);
    let future = loser.post(path, text(9, "Hello")).await;
    future.is_refused(422, "invalid").names_only(&["seen"]);
    assert_eq!(take_send_jobs(&aws).await.len(), 3);
}

#[tokio::test]
async fn reply_after_a_day_is_one_of_the_offered_templates() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let id = wrote(&aws, &business).await;
    aws.pass(DAY);
    let late = agent.post(&messages_of(id), text(1, "Yes")).await;
    assert!(late.is_refused(409, "window_closed").detail().contains("template"));
    let refused = late.json();
    assert_eq!(refused["facts"], json!({"closed_at": aws.now()}));
    // The template is offered with the values of the rule that sends it, for this person.
    let [offer] = &refused["templates"].as_array().unwrap()[..] else {
        panic!("{refused}");
    };
    assert_eq!(
        json!([offer["text"], offer["missing"]]),
        json!([
            "Hello there, sorry we missed your call to Harbour Lane today. How can we help?",
            []
        ])
    );
    let template = json!({"seen": 1, "template": offer["template"]});
    let sent = agent.post(&messages_of(id), template).await.is(201).json();
    assert_eq!(sent["legs"][0]["template"]["name"], "missed_call_followup");
}

#[tokio::test]
async fn offers_say_what_a_reply_would_meet() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let id = wrote(&aws, &business).await;
    let offers = |id: ConversationId| agent.get(&format!("/api/v1/conversations/{id}/offers"));
    let codes = |shown: &Value| json!([shown["text"]["code"], shown["sms_text"]["code"], shown["starts"]]);
    let open = offers(id).await.is(200).json();
    assert_eq!(codes(&open), json!(["planned", "planned", false]));
    assert_eq!(
        open["window_closes_at"],
        json!(aws.now() + SignedDuration::from_hours(24))
    );
    aws.pass(DAY);
    let late = offers(id).await.is(200).json();
    assert_eq!(codes(&late), json!(["window_closed", "no_consent", false]));
    let refused = agent.post(&messages_of(id), text(1, "Yes")).await;
    let refused = refused.is_refused(409, "window_closed").json();
    assert_eq!(late["templates"], refused["templates"], "what a refused reply offers");
    // Whoever only called gets no reply, but a message that starts the conversation.
    let caller = business.contact(&aws, &mobile(2)).await.id;
    let id = business.receive_noted(&aws, caller, None).await;
    let start = offers(id).await.is(200).json();
    assert_eq!(codes(&start), json!(["window_closed", "planned", true]));
    let template = &start["templates"][0]["template"];
    let said = json!({"contact_id": caller, "category": "utility", "basis": "A call", "template": template});
    agent.post("/api/v1/conversations", said).await.is(201);
    let viewer = town.key_of(business.scope(), Role::Viewer).await;
    let path = format!("/api/v1/conversations/{id}/offers");
    viewer.get(&path).await.is_refused(403, "forbidden");
}

#[tokio::test]
async fn offers_know_the_rules_of_the_country_for_sms() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let by_number = business_with(&aws, |configured| {
        for connection in &mut configured.connections {
            if let Account::Twilio(twilio) = &mut connection.account {
                twilio.confirmed_rules = read(json!([]));
            }
        }
    });
    let business = by_number.await;
    let agent = town.key_of(business.scope(), Role::Agent).await;
    for (number, code) in [(CUSTOMER, "country_rule"), ("+447700900111", "planned")] {
        let id = wrote_from(&aws, &business, number).await;
        let shown = agent
            .get(&format!("/api/v1/conversations/{id}/offers"))
            .await
            .is(200)
            .json();
        assert_eq!(shown["sms_text"]["code"], code, "{number}: {shown}");
        assert_eq!(shown["text"]["code"], "planned", "{number}: {shown}");
    }
}

#[tokio::test]
async fn window_is_open_for_24_hours() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let path = messages_of(wrote(&aws, &business).await);
    aws.pass(DAY - 1);
    agent.post(&path, text(1, "Just in time")).await.is(201);
    aws.pass(1);
    let late = agent.post(&path, text(1, "Late")).await;
    late.is_refused(409, "window_closed");
}

#[tokio::test]
async fn one_person_sends_sixty_replies_a_minute() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let conversations = [
        wrote(&aws, &business).await,
        wrote_from(&aws, &business, &mobile(2)).await,
    ];
    let mut sent = 0;
    for id in conversations {
        for _ in 0..30 {
            sent += 1;
            agent.post(&messages_of(id), text(1, &sent.to_string())).await.is(201);
        }
    }
    let path = messages_of(conversations[0]);
    let more = agent.post(&path, text(31, "61")).await;
    more.is_refused(429, "too_many_requests");
    let other = town.key_of(business.scope(), Role::Agent).await;
    other.post(&path, text(31, "Mine")).await.is(201);
    aws.pass(60);
    agent.post(&path, text(32, "61")).await.is(201);
}

#[tokio::test]
async fn reply_after_a_merge_names_where_it_goes_on() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let id = wrote(&aws, &business).await;
    let over = wrote_from(&aws, &business, &mobile(3)).await;
    business.change_conversation(&aws, over, Conversation::close).await;
    let survivor = business.contact_with(&aws, &mobile(2), |_| {}).await;
    let on = ConversationId::of(survivor.id, id.line());
    for (id, status, problem, names) in [
        // A closed one stays as it is, and none of the survivor goes on.
        (over, 404, "merged", survivor.id.to_string()),
        (id, 409, "conversation_continued", on.to_string()),
    ] {
        business.merge(&aws, survivor.id, id.contact()).await;
        let refused = agent.post(&messages_of(id), text(1, "Yes")).await;
        let detail = refused.is_refused(status, problem).detail();
        assert!(detail.contains(&names), "{detail}");
    }
    assert!(take_send_jobs(&aws).await.is_empty());
}

/// Also marks that change the direction of what follows, markup, and as many characters as WhatsApp takes.
#[tokio::test]
async fn text_is_sent_and_shown_as_it_was_written() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let path = messages_of(wrote(&aws, &business).await);
    let longest = "ش🧁".repeat(2_048);
    for said in [
        "\u{202e}gnp.ecip\u{2066}<b onload=alert(1)>*bold* _x_ ```1```</b>\u{2069}\n\t“quoted” &amp; %0a",
        &longest,
    ] {
        let sent = agent.post(&path, text(1, said)).await.is(201).json();
        assert_eq!(sent["legs"][0]["text"], said);
        let read = agent.get(&path_of(&sent)).await.is(200).json();
        assert_eq!(read["legs"][0]["text"], said);
    }
    let longer = format!("{longest}!");
    agent.post(&path, text(1, &longer)).await.names_only(&["text"]);
}

#[tokio::test]
async fn replies_wait_one_behind_the_other() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let id = wrote(&aws, &business).await;
    let mut before = None;
    for place in 1..=4_u8 {
        let sent = agent.post(&messages_of(id), text(1, &place.to_string())).await;
        let message = read_message(&aws, &business, &sent.is(201).json()).await;
        let behind = message.behind.map(|behind| (behind.message, behind.place));
        assert_eq!(behind, before.map(|before| (before, place - 1)));
        before = Some(message.id);
    }
}

#[tokio::test]
async fn reply_that_cannot_be_sent_says_why() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let id = wrote(&aws, &business).await;
    let path = &messages_of(id);
    let stranger = ConversationId::of(ContactId::new(aws.ids().ulid()), None);
    let unknown = agent.post(&messages_of(stranger), text(0, "Yes")).await;
    unknown.is_refused(404, "not_found");
    let nothing = agent.post(path, json!({"seen": 1})).await;
    nothing.is_refused(422, "invalid").names_field("template");
    let viewer = town.key_of(business.scope(), Role::Viewer).await;
    viewer.post(path, text(1, "Yes")).await.is_refused(403, "forbidden");
    let stop = |contact: &mut Contact| contact.wish(OptFlag::Stop, "wrote STOP", aws.now());
    aws.change_contact(business.scope(), id.contact(), stop).await;
    assert_not_sent(&agent.post(path, text(1, "Yes")).await, "opted_out");
    assert!(take_send_jobs(&aws).await.is_empty());
    assert_eq!(business.conversation(&aws, id).await.value.seq, 1);
}

/// A customer's message of the same moment may be later by the clock, and earlier by the count.
#[tokio::test]
async fn crossing_message_hides_no_reply() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let [one, other] = [
        town.key_of(business.scope(), Role::Agent).await,
        town.key_of(business.scope(), Role::Agent).await,
    ];
    let id = wrote(&aws, &business).await;
    aws.pass(60);
    let said = one.post(&messages_of(id), text(1, "Yes")).await.is(201).json();
    aws.pass(1);
    business.receive(&aws, id.contact(), |_| {}).await;
    let refused = other.post(&messages_of(id), text(1, "No")).await;
    let refused = refused.is_refused(409, "conversation_moved").json();
    assert_eq!(refused["facts"]["messages"], json!([said["id"]]));
}

#[tokio::test]
async fn fifty_replies_wait_and_no_more() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let path = messages_of(wrote(&aws, &business).await);
    for number in 0..50 {
        agent.post(&path, text(1, &number.to_string())).await.is(201);
    }
    let further = agent.post(&path, text(1, "50")).await;
    let refused = further.is_refused(409, "message_refused").json();
    assert_eq!(
        json!([refused["code"], refused["facts"]["maximum"]]),
        json!(["too_many_open", 50])
    );
}

#[tokio::test]
async fn reply_to_a_deleted_contact_is_not_found() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let id = wrote(&aws, &business).await;
    aws.delete_contact(business.scope(), id.contact(), true).await;
    let refused = agent.post(&messages_of(id), text(1, "Yes")).await;
    refused.is_refused(404, "not_found");
    assert!(take_send_jobs(&aws).await.is_empty());
}

#[tokio::test]
async fn message_starts_a_conversation_once() {
    const CONVERSATIONS: &str = "/api/v1/conversations";
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let body = json!({
        "phone": CUSTOMER, "category": "utility", "basis": "Order 1042", "sms_text": "Your order is ready.",
    });
    let asked = || agent.post_once(CONVERSATIONS, "one", body.clone());
    let started = asked().await;
    let answer = started.is(201).json();
    let id: ConversationId = answer["conversation_id"].as_str().unwrap().parse().unwrap();
    assert_eq!(started.header("location"), format!("{CONVERSATIONS}/{id}"));
    let again = asked().await.is(201).json();
    assert_eq!(again["message"]["id"], answer["message"]["id"], "repeated");
    assert_eq!(take_send_jobs(&aws).await.len(), 1);
    let message = read_message(&aws, &business, &answer["message"]).await;
    assert_eq!((message.policy.purpose(), message.line), (Purpose::Api, id.line()));
    let begun = business.conversation(&aws, id).await.value;
    assert_eq!((begun.seq, begun.unread, begun.waiting_since), (1, 0, None));

    // A later one goes on in it, and what nobody has read goes on waiting.
    aws.pass(60);
    business.receive_noted(&aws, id.contact(), id.line()).await;
    let waits = business.conversation(&aws, id).await.value.waiting_since;
    let further = agent.post(CONVERSATIONS, body.clone()).await.is(201).json();
    assert_eq!(further["conversation_id"], json!(id));
    let known = business.conversation(&aws, id).await.value;
    assert_eq!((known.seq, known.unread, known.waiting_since), (3, 1, waits));

    let mut late = body.clone();
    late["send_at"] = json!(aws.now() + SignedDuration::from_hours(1));
    agent.post(CONVERSATIONS, late).await.names_only(&["send_at"]);
    // What is refused is in no conversation.
    let now = aws.now();
    let refuse =
        |contact: &mut Contact| contact.record(Wish::new(Choice::Refused, Scope::ALL, By::User, "said stop", now));
    aws.change_contact(business.scope(), id.contact(), refuse).await;
    agent.post(CONVERSATIONS, body).await.is_refused(409, "message_refused");
    assert_eq!(business.conversation(&aws, id).await.value, known);
}
