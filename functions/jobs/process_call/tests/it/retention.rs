//! Retention of a call and its message: by the tenant's setting when the call is decided.

use domain::telephony::CallFacts;
use domain::tenants::Retention;
use jiff::SignedDuration;
use testkit::business::{CUSTOMER, SENT_WITHIN, missed_call_facts};

use super::world::World;

fn keep(calls_days: u32, messages_days: u32) -> Option<Retention> {
    Some(Retention {
        calls_days,
        messages_days,
    })
}

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

#[tokio::test]
async fn call_is_retained_from_its_start_message_from_last_send() {
    let world = World::with(|configured| configured.tenant.retention = keep(40, 50)).await;
    let (now, begun) = (world.aws.now(), world.aws.now() - SignedDuration::from_mins(5));
    let facts = CallFacts {
        started_at: Some(begun),
        ..missed_call_facts(CUSTOMER)
    };
    world.telephony("17", facts).await;
    let (calls, messages) = world.history().await;
    assert_eq!(calls[0].keep_until, Some(begun + days(40)));
    assert_eq!(messages[0].keep_until, Some(now + days(SENT_WITHIN + 50)));
}

/// A late report on an earlier call does not move its expiry.
#[tokio::test]
async fn changed_retention_applies_to_later_calls_only() {
    let mut world = World::new().await;
    let first = world.aws.now();
    world.telephony("17", missed_call_facts(CUSTOMER)).await;
    world.business.configured.tenant.retention = keep(40, 50);
    world.business.write(&world.aws).await;
    world.aws.pass(2 * 86_400);
    let more = CallFacts {
        voicemail_seconds: Some(14),
        ..missed_call_facts(CUSTOMER)
    };
    world.telephony("17", more).await;
    let second = world.aws.now();
    world.telephony("18", missed_call_facts(CUSTOMER)).await;
    let (calls, messages) = world.history().await;
    assert_eq!(calls[0].facts.voicemail_seconds, Some(14));
    let kept: Vec<_> = calls.iter().map(|call| call.keep_until).collect();
    assert_eq!(kept, [Some(first + days(730)), Some(second + days(40))]);
    let kept: Vec<_> = messages.iter().map(|message| message.keep_until).collect();
    let days = |count| days(SENT_WITHIN + count);
    assert_eq!(kept, [Some(first + days(730)), Some(second + days(50))]);
}
