//! Callers whose number a channel, a list or a person wrote in another form.

use domain::messages::OptFlag;
use domain::people::{Contact, Identity};
use testkit::business::{missed_call_facts, phone};

use super::world::World;

/// Two forms of each country's numbers, without their last two digits.
const FORMS: [(&str, &str); 6] = [
    ("+52155123456", "+5255123456"),
    ("+54911234567", "+5411234567"),
    ("+55119876543", "+5511876543"),
    ("+22901971234", "+229971234"),
    ("+22507072345", "+225072345"),
    ("+97105012345", "+9715012345"),
];

/// Numbers of two people that look like forms of one.
const STRANGERS: [(&str, &str); 4] = [
    ("+5511934567890", "+551134567890"),
    ("+390331123456", "+39331123456"),
    ("+16592123456", "+6592123456"),
    ("+24106031234", "+2416031234"),
];

/// Each pair of forms in both directions, with different numbers.
fn both_ways() -> impl Iterator<Item = (String, String)> {
    let one = FORMS.map(|(one, other)| (format!("{one}11"), format!("{other}11")));
    let other = FORMS.map(|(one, other)| (format!("{other}22"), format!("{one}22")));
    one.into_iter().chain(other)
}

/// The reason of the decision about a call of this number.
async fn reason(world: &World, caller: &str, call: &str) -> String {
    world.telephony(call, missed_call_facts(caller)).await;
    let (calls, _) = world.history_of(&Identity::Phone(phone(caller))).await;
    let decided = calls.into_iter().find(|known| known.provider_call_id == call);
    decided.expect("the call is decided").reason
}

async fn refuse(world: &World, number: &str, kind: &str) {
    let (business, aws) = (&world.business, &world.aws);
    match kind {
        "list" => business.suppress(aws, number).await,
        "erased" => business.erased_after_stop(aws, number).await,
        _ => {
            let stop = |contact: &mut Contact| {
                contact.wish(OptFlag::Stop, "wrote STOP", aws.now());
            };
            business.contact_with(aws, number, stop).await;
        }
    }
}

#[tokio::test]
async fn refusal_holds_for_the_other_form_of_a_number() {
    for kind in ["stop", "list", "erased"] {
        let world = World::new().await;
        for (refused, caller) in both_ways() {
            refuse(&world, &refused, kind).await;
            let reason = reason(&world, &caller, &caller).await;
            assert_eq!(reason, "opted_out", "{kind} {refused} {caller}");
        }
        for (refused, caller) in STRANGERS {
            refuse(&world, refused, kind).await;
            let reason = reason(&world, caller, caller).await;
            assert_ne!(reason, "opted_out", "{kind} {refused} {caller}");
        }
    }
}

#[tokio::test]
async fn cooldown_holds_for_the_other_form_of_a_number() {
    let world = World::new().await;
    for (first, second) in both_ways() {
        // A form that is in no plan may get none, as before.
        let before = reason(&world, &first, &first).await;
        let after = reason(&world, &second, &second).await;
        assert!(
            before != "follow_up" || after != "follow_up",
            "{first} {second} {after}"
        );
        for number in [&first, &second] {
            let (calls, messages) = world.history_of(&Identity::Phone(phone(number))).await;
            assert_eq!((calls.len(), messages.len() <= 1), (2, true), "{first} {second}");
        }
    }
    for (first, second) in STRANGERS {
        reason(&world, first, first).await;
        assert_ne!(reason(&world, second, second).await, "cooldown", "{first} {second}");
    }
}
