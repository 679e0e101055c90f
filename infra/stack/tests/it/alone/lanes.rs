//! Lanes: what goes to many never delays what answers a person.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use domain::messages::Message;
use domain::people::{Contact, Identity};
use domain::tenants::STANDARD_THROUGHPUT;
use domain::terms::{Category, Channel, ContactId, Lane, MessageId, Narrowing, Phone, Policy, Purpose};
use jiff::Timestamp;
use jobs::NextJob;
use serde_json::json;
use stack::play::{Look, Sent, until};
use store::contacts::ContactWrite;
use store::table::effects::Effects;
use ulid::Ulid;

use crate::stage::{Business, alone_on_stage, size};

/// Messages of the load; as many as this variable says, where it is set: `RINGBACK_TEST_BULK=5000`.
const BULK: usize = 400;

/// Callers who must not wait for them.
const CALLERS: usize = 20;

/// Longer than the whole load takes on a busy machine.
const LONG: Duration = Duration::from_secs(1_800);

/// People of one transaction, each with a contact, an identity and a message.
const AT_ONCE: usize = 33;

/// A message like this one to somebody new, among bulk. Numbers made up at random would repeat among thousands.
fn to_somebody(like: &Message, number: usize) -> Result<(ContactWrite, Message)> {
    let now = Timestamp::now();
    let phone: Phone = format!("+97152{number:07}").parse().context("a number")?;
    let identity = Identity::Phone(phone.clone());
    let contact = Contact::first_seen(ContactId::new(random_ulid(now)?), &identity, now);
    let narrowing = Narrowing {
        bulk: true,
        // One message each, however long its statuses take.
        fallback_after_seconds: 0,
        ..Narrowing::default()
    };
    let mut message = like.clone();
    message.id = MessageId::new(contact.id, random_ulid(now)?);
    message.policy = Policy::for_purpose(Purpose::FollowUp, Category::Utility, &narrowing)?;
    message.to.phone = Some(phone);
    message.to.bsuid = None;
    message.attempts.clear();
    (message.ended, message.waiting, message.version) = (None, None, 0);
    (message.created_at, message.not_before) = (now, now);
    // As in this lane on AWS: the dispatcher leaves what is queued alone.
    message.due = Some(now + jiff::SignedDuration::from_mins(30));
    let write = ContactWrite::new(contact, identity);
    Ok((write, message))
}

/// An id of this time.
pub(crate) fn random_ulid(at: Timestamp) -> Result<Ulid> {
    let random = u64::from_str_radix(&stack::secrets::random_hex(8)?, 16)?;
    Ok(Ulid::from_parts(u64::try_from(at.as_millisecond())?, random.into()))
}

/// Plans and queues that many messages to as many people.
async fn broadcast(business: &Business<'_>, like: &Message, count: usize) -> Result<()> {
    let (scope, stage) = (business.scope()?, business.stage);
    let session = stage.aws.session()?;
    let url = &stage.town.outputs["BulkSendsQueueUrl"];
    let mut left = count;
    while left > 0 {
        let some = left.min(AT_ONCE);
        left -= some;
        let mut effects = Effects::default();
        for number in left..left + some {
            let (person, message) = to_somebody(like, number)?;
            effects.people.push(person);
            effects.planned.push(message);
        }
        let jobs = stage.play.store.commit(&scope, effects, Timestamp::now()).await?;
        for batch in jobs.chunks(10) {
            let mut entries = Vec::new();
            for (number, next) in batch.iter().enumerate() {
                let NextJob::Send(Lane::Bulk, job) = &next.job else {
                    anyhow::bail!("a message to many leads to the bulk lane");
                };
                entries.push(json!({
                    "Id": number.to_string(),
                    "MessageBody": serde_json::to_string(job)?,
                    "MessageGroupId": business.id(),
                }));
            }
            let send = json!({ "QueueUrl": url, "Entries": entries });
            session.call("sqs", "send_message_batch", send).await?;
        }
    }
    Ok(())
}

/// Stops the lane for many, or lets it go on.
async fn bulk_lane(business: &Business<'_>, on: bool) -> Result<()> {
    let stage = business.stage;
    let url = &stage.town.outputs["BulkSendsQueueUrl"];
    let queue = url.rsplit('/').next().unwrap_or_default();
    let name = stack::build::function(&stage.place.root, "send_message")?.deployed_name(&stage.play.endpoints.stack);
    let sources = stage.aws.set_consuming(&name, queue, on).await?;
    let source = sources.first().context("the queue has a consumer")?;
    let wanted = if on { "Enabled" } else { "Disabled" };
    until(LONG, "the lane's state", async || {
        let asked = json!({ "UUID": source });
        let now = stage.aws.call("lambda", "get_event_source_mapping", asked).await?;
        Ok(Look::when(now["State"] == wanted, || now["State"].to_string()))
    })
    .await
}

/// The WhatsApp messages that the provider took, in this order.
async fn outbox(business: &Business<'_>) -> Result<Vec<Sent>> {
    let mut all = business.list_sent_messages().await?;
    all.retain(|sent| sent.channel == Channel::WhatsApp);
    Ok(all)
}

/// New callers; returns when all of them have an answer.
async fn call_until_answered(business: &Business<'_>) -> Result<Vec<Phone>> {
    let mut callers = Vec::new();
    for _caller in 0..CALLERS {
        callers.push(business.miss_call("telephony").await?);
    }
    for caller in &callers {
        business.wait_until_accepted(caller, Channel::WhatsApp).await?;
    }
    Ok(callers)
}

/// Callers have their answers while a whole load waits in a lane that has stopped. Then it goes out beside further callers, every
/// message once: most of them have their answers before three quarters of the load are out. In one queue, they would wait for all
/// of it. The order counts, not the time, so a slow machine changes nothing. The number sends no more in a
/// second than WhatsApp takes.
#[test]
fn broadcast_does_not_delay_follow_ups() {
    alone_on_stage(async |stage| {
        let business = stage.business("Broadcast").await?;
        let first = business.miss_call("telephony").await?;
        let like = business.wait_until_settled(&first).await?;
        let count = size("RINGBACK_TEST_BULK", BULK)?;
        bulk_lane(&business, false).await?;
        let stopped = async {
            broadcast(&business, &like, count).await?;
            let callers = call_until_answered(&business).await?;
            let sent = outbox(&business).await?.len();
            let fine = sent == 1 + callers.len();
            ensure!(fine, "{sent} messages went out past the stopped lane");
            Ok(callers)
        };
        let stopped: Result<_> = Box::pin(stopped).await;
        // For the tests that follow, whatever came of it.
        bulk_lane(&business, true).await?;
        let early = stopped?;
        let late = call_until_answered(&business).await?;
        let is = |sent: &Sent, one: &Phone| one.to_string() == sent.to;
        let is_late = |sent: &Sent| late.iter().any(|caller| is(sent, caller));
        let is_answer = |sent: &Sent| is_late(sent) || is(sent, &first) || early.iter().any(|caller| is(sent, caller));
        let sent = outbox(&business).await?;
        let places: Vec<usize> = (0..sent.len()).filter(|place| is_late(&sent[*place])).collect();
        let [.., last] = places[..] else {
            anyhow::bail!("the callers have no answers");
        };
        let before = |place: usize| sent[..place].iter().filter(|sent| !is_answer(sent)).count();
        let (most, all) = (before(places[places.len() / 2]), before(last));
        println!("{most} of {count} bulk messages went out before most of {CALLERS} follow-ups, {all} before the last");
        let fair = most * 4 <= count * 3;
        ensure!(
            fair,
            "more than three quarters of the load went out before most of the follow-ups"
        );
        let sent = until(LONG, "the rest of the load", async || {
            let sent = outbox(&business).await?;
            let out = sent.iter().filter(|sent| !is_answer(sent)).count();
            let found = (out >= count).then_some(sent);
            Ok(Look::from_option(found, || format!("{out} of {count} bulk messages")))
        })
        .await?;
        let mut by_second: BTreeMap<i64, u32> = BTreeMap::new();
        for sent in &sent {
            *by_second.entry(sent.accepted_at.as_second()).or_default() += 1;
        }
        // By the provider's clock, what was sent in one second can arrive in the next.
        for first in by_second.keys() {
            let sent: u32 = by_second.range(first..&(first + 2)).map(|(_, sent)| sent).sum();
            ensure!(
                sent <= 3 * STANDARD_THROUGHPUT,
                "{sent} messages of a number in two seconds"
            );
        }
        let mut people: Vec<&str> = sent.iter().map(|sent| sent.to.as_str()).collect();
        people.sort_unstable();
        people.dedup();
        let (sent, people) = (sent.len(), people.len());
        let fine = sent == count + 2 * CALLERS + 1 && people == sent;
        ensure!(fine, "{sent} messages to {people} people");
        Ok(())
    });
}
