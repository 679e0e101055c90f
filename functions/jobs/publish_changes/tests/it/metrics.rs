//! Counters by hour and line equal the truth, however changes arrive, also after they are rolled up.

use domain::Timestamp;
use domain::messages::{AnsweredTemplate, TemplateEdition};
use domain::templates::TemplateId;
use domain::terms::LineId;
use jiff::civil::Date;
use store::TenantScope;
use store::reports::{Lines, join_counts};
use store::table::effects::Consent;
use testkit::business::{LINE, business_with, effects_of};

use super::again::made_at;
use super::*;

/// Id of the line that is called.
const SHOP: &str = "line_01hq5bakery0000000000000n1";

/// Counters by hour and line.
type Hours = BTreeMap<(Timestamp, Option<LineId>), Counters>;

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// Customers call a line of the business's own.
fn a_line(configured: &mut Configured) {
    let line = json!({"id": SHOP, "name": "Shop", "number": LINE});
    configured.lines = vec![read(line)];
}

/// The hours of a business as readers see them.
async fn hours(world: &World, business: &Seeded, lines: Lines) -> Hours {
    let (store, scope) = (world.aws.store(), business.scope());
    let basis = store.basis(scope).await.expect("the table answers");
    let rolled = basis.expect("a tenant").rolled;
    let (from, to) = (time("2026-11-01T00:00:00Z"), time("2026-12-01T00:00:00Z"));
    let counted = store.hours(scope, &rolled, from, to, lines).await;
    let mut sums = Hours::new();
    for hour in counted.expect("the table answers") {
        join_counts(sums.entry((hour.at, hour.line)).or_default(), &hour.counters);
    }
    sums
}

fn total(hours: &Hours) -> Counters {
    let mut sum = Counters::new();
    hours.values().for_each(|counters| join_counts(&mut sum, counters));
    sum
}

/// Rolls up all that can be. Returns the days.
async fn roll_up(world: &World, business: &Seeded) -> Vec<String> {
    let mut days = Vec::new();
    let next = async || world.aws.store().roll_up_next(business.scope(), world.aws.now()).await;
    while let Some(day) = next().await.expect("nobody else rolls up") {
        days.push(day.to_string());
    }
    days
}

/// The change as if made at this time.
fn changed_at(record: &EventRecord, at: Timestamp) -> EventRecord {
    let mut record = record.clone();
    let at = at.to_string().parse().expect("a time of the event's kind");
    record.change.approximate_creation_date_time = at;
    record
}

#[tokio::test]
async fn changes_are_counted_in_their_hour_and_line() {
    let mut world = World::with(a_line).await;
    world.follow_up(CUSTOMER).await;
    let (planned, sent) = world.records.split_at(2);
    let at = |records: &[EventRecord], time| -> Vec<EventRecord> {
        records.iter().map(|record| made_at(record, time)).collect()
    };
    let (planned, sent) = (at(planned, "09:30:00"), at(sent, "10:59:59"));
    world.deliver(SHARD, &[planned, sent].concat()).await;
    let shop: LineId = SHOP.parse().expect("an id");
    let each = hours(&world, &world.business, Lines::Each).await;
    let places: Vec<_> = each.keys().copied().collect();
    let expected_places = ["2026-11-20T09:00:00Z", "2026-11-20T10:00:00Z"].map(|hour| (time(hour), Some(shop)));
    assert_eq!(places, expected_places);
    assert_eq!(each[&expected_places[0]]["calls"], 1);
    assert_eq!(each[&expected_places[1]]["read_whatsapp"], 1);
    assert_eq!(total(&each), expected_counters(1));
    assert_eq!(hours(&world, &world.business, Lines::One(shop)).await, each);
    let other = Lines::One("line_01hq5bakery0000000000000n2".parse().expect("an id"));
    assert!(hours(&world, &world.business, other).await.is_empty());
    let together = hours(&world, &world.business, Lines::Together).await;
    assert!(together.keys().all(|(_, line)| line.is_none()));
    assert_eq!(total(&together), expected_counters(1));
}

#[tokio::test]
async fn rolled_days_say_the_same_and_replays_join_them() {
    let mut world = World::with(a_line).await;
    world.follow_up(CUSTOMER).await;
    let first = std::mem::take(&mut world.records);
    world.deliver(SHARD, &first).await;
    world.follow_up("+971501234568").await;
    let given_up: Vec<_> = world.records.iter().map(|record| made_at(record, "08:00:00")).collect();
    let before = hours(&world, &world.business, Lines::Each).await;
    assert!(
        roll_up(&world, &world.business).await.is_empty(),
        "today is not rolled up"
    );
    world.aws.pass(3 * 86_400);
    assert_eq!(roll_up(&world, &world.business).await, [DAY]);
    assert_eq!(hours(&world, &world.business, Lines::Each).await, before);
    assert_eq!(world.counters().await, expected_counters(1));
    for _twice in 0..2 {
        world.bring_again(&given_up).await.expect("it is counted");
        // At once, and once that is rolled up again.
        assert_eq!(world.counters().await, expected_counters(2));
        assert_eq!(roll_up(&world, &world.business).await, [DAY]);
        assert!(roll_up(&world, &world.business).await.is_empty());
        assert_eq!(world.counters().await, expected_counters(2));
        let each = hours(&world, &world.business, Lines::Each).await;
        assert_eq!((each.len(), total(&each)), (2, expected_counters(2)));
    }
}

/// Other refusals are not new, or nobody's decision but the business's.
#[tokio::test]
async fn only_new_refusals_of_customers_are_opt_outs() {
    let mut world = World::new().await;
    let contact = world.business.contact(&world.aws, CUSTOMER).await.id;
    world.record().await;
    world.records.clear();
    let stop = json!({
        "at": "2026-11-20T12:00:00Z", "choice": "refused", "by": "keyword", "source": "asked for no more messages by SMS",
    });
    for (name, value) in [
        ("source", json!("asked for no more messages by SMS")),
        ("category", json!("marketing")),
        ("choice", json!("granted")),
        ("at", json!("2026-11-19T11:59:59Z")),
        ("by", json!("user")),
        ("repeats", json!(true)),
    ] {
        let mut entry = stop.clone();
        entry[name] = value;
        let consent = Consent {
            contact,
            id: world.aws.ids().ulid(),
            entry: read(entry),
        };
        let effects = Effects {
            consent: vec![consent],
            ..Effects::default()
        };
        world.commit(effects).await;
    }
    for _twice in 0..2 {
        world.deliver(SHARD, &world.records).await;
    }
    let expected = counters_from(&[("opt_outs", 1), ("opt_outs_marketing", 1)]);
    assert_eq!(world.counters().await, expected);
}

#[tokio::test]
async fn recovered_calls_and_reply_times_are_counted_once() {
    let mut world = World::new().await;
    let contact = world.business.contact(&world.aws, CUSTOMER).await.id;
    world.record().await;
    world.records.clear();
    for (recovered, answers_after) in [(2, vec![12, 7_200]), (0, vec![13]), (0, vec![])] {
        let received = world.business.received_text(&world.aws, contact, |received| {
            (received.recovered, received.answers_after) = (recovered, answers_after);
        });
        world.commit(effects_of(&received, vec![])).await;
    }
    for _twice in 0..2 {
        world.deliver(SHARD, &world.records).await;
    }
    let expected = counters_from(&[
        ("received_whatsapp", 3),
        ("recovered", 2),
        ("reply.0", 2),
        ("reply.9", 1),
    ]);
    assert_eq!(world.counters().await, expected);
}

/// Five days, the first of them rolled up meanwhile: at random between deliveries, which repeat and overlap.
#[test]
fn hours_equal_the_truth_for_any_sequence() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let began = time("2026-11-15T12:00:00Z");
    let place = |hour: usize| began + SignedDuration::from_hours(i64::try_from(hour).unwrap_or_default());
    // Each change in an hour of its own, counted once, says what it raises.
    let (world, truth) = runtime.block_on(async {
        let mut world = World::with(a_line).await;
        world.follow_up(CUSTOMER).await;
        world.follow_up("+971501234568").await;
        for (hour, record) in world.records.iter().enumerate() {
            world.deliver(SHARD, &[changed_at(record, place(hour))]).await;
        }
        let counted = hours(&world, &world.business, Lines::Each).await;
        assert_eq!(total(&counted), expected_counters(2));
        let of = |hour| counted.iter().find(|((at, _), _)| *at == place(hour));
        let raised = |hour| of(hour).map(|((_, line), sum)| (*line, sum.clone()));
        let truth: Vec<_> = (0..world.records.len()).map(raised).collect();
        (world, truth)
    });
    let deliveries = prop::collection::vec((0..8_usize, 1..10_usize, any::<bool>()), 1..20);
    let when = prop::collection::vec(0..120_usize, world.records.len());
    let counted = cases(8).run(&(deliveries, when), |(deliveries, mut when)| {
        when.sort_unstable();
        let mut wanted = Hours::new();
        for (hour, raised) in when.iter().zip(&truth) {
            if let Some((line, counters)) = raised {
                join_counts(wanted.entry((place(*hour), *line)).or_default(), counters);
            }
        }
        let (found, rolled, repeated) = runtime.block_on(async {
            let business = Box::pin(business_with(&world.aws, a_line)).await;
            let records = world.records.iter().zip(&when);
            let records = records.map(|(record, hour)| changed_at(&of_tenant(record, business.tenant()), place(*hour)));
            let records: Vec<EventRecord> = records.collect();
            let mut seen = 0_usize;
            for (back, length, rolls) in deliveries {
                let from = seen.saturating_sub(back);
                let to = (from + length).min(records.len());
                world.deliver(SHARD, &records[from..to]).await;
                seen = seen.max(to);
                if rolls {
                    drop(roll_up(&world, &business).await);
                }
            }
            world.deliver(SHARD, &records[seen..]).await;
            let found = hours(&world, &business, Lines::Each).await;
            drop(roll_up(&world, &business).await);
            let rolled = hours(&world, &business, Lines::Each).await;
            world.deliver(SHARD, &records).await;
            (found, rolled, hours(&world, &business, Lines::Each).await)
        });
        prop_assert_eq!(&found, &wanted);
        prop_assert_eq!(&rolled, &wanted);
        prop_assert_eq!(&repeated, &wanted);
        Ok(())
    });
    counted.expect("the truth");
}

/// The template of the follow-ups.
pub(crate) fn template(business: &Seeded) -> TemplateId {
    let id = format!("{}.missed_call_followup.en_GB", business.whatsapp);
    id.parse().expect("an id")
}

/// Counts for the contents of a tenant's template in this month.
pub(crate) async fn numbers(world: &World, scope: &TenantScope, of: &TemplateId) -> BTreeMap<u32, Counters> {
    let day = |text: &str| text.parse::<Date>().expect("a day");
    let (store, first, last) = (world.aws.store(), day("2026-11-01"), day("2026-11-30"));
    let days = store.template_days(scope, of, first, last).await;
    let mut sums: BTreeMap<u32, Counters> = BTreeMap::new();
    for (place, counters) in days.expect("the table answers") {
        assert_eq!(place.day.to_string(), DAY);
        join_counts(sums.entry(place.of.edition).or_default(), &counters);
    }
    sums
}

/// Counts for a template after this many follow-ups.
pub(crate) fn of_template(follow_ups: u64) -> BTreeMap<u32, Counters> {
    let names = ["sent", "delivered", "read", "cost.meta.AE.utility"];
    BTreeMap::from([(0, counters_from(&names.map(|name| (name, follow_ups))))])
}

#[tokio::test]
async fn messages_count_once_for_their_template() {
    let world = World::after(1).await;
    let all = world.records.clone();
    let half = all.len() / 2;
    world.deliver(SHARD, &all[..half]).await;
    world.deliver(SHARD, &all).await;
    world.deliver(SHARD, &all[half - 1..]).await;
    let given_up: Vec<_> = all.iter().map(|record| made_at(record, "08:00:00")).collect();
    world.bring_again(&given_up).await.expect("it is counted");
    let own = template(&world.business);
    let expected = of_template(1);
    assert_eq!(numbers(&world, world.business.scope(), &own).await, expected);
    // Another tenant's equal changes count for that tenant.
    let other = Box::pin(business(&world.aws)).await;
    assert!(numbers(&world, other.scope(), &own).await.is_empty());
    let theirs: Vec<_> = all.iter().map(|record| of_tenant(record, other.tenant())).collect();
    world.deliver("shard-2", &theirs).await;
    assert_eq!(numbers(&world, other.scope(), &own).await, expected);
    assert_eq!(numbers(&world, world.business.scope(), &own).await, expected);
}

#[tokio::test]
async fn answers_count_once_for_the_content_that_they_answer() {
    let mut world = World::new().await;
    let contact = world.business.contact(&world.aws, CUSTOMER).await.id;
    world.record().await;
    world.records.clear();
    let own = template(&world.business);
    for (edition, replied, clicked) in [(0, true, false), (0, true, true), (2, false, true)] {
        let received = world.business.received_text(&world.aws, contact, |received| {
            received.templates = vec![AnsweredTemplate {
                of: TemplateEdition {
                    template: own.clone(),
                    edition,
                },
                replied,
                clicked,
            }];
        });
        world.commit(effects_of(&received, vec![])).await;
    }
    for _twice in 0..2 {
        world.deliver(SHARD, &world.records).await;
    }
    let expected = [
        (0, counters_from(&[("replied", 2), ("clicked", 1)])),
        (2, counters_from(&[("clicked", 1)])),
    ];
    assert_eq!(
        numbers(&world, world.business.scope(), &own).await,
        BTreeMap::from(expected)
    );
}

/// Its rows begin differently from those of templates, which can lead to notices.
#[tokio::test]
async fn counting_for_a_template_is_no_change_to_follow() {
    let world = World::after(1).await;
    world.deliver(SHARD, &world.records).await;
    let rows = world.aws.rows().await;
    let counted: Vec<Item> = rows
        .into_iter()
        .filter(|row| row["pk"].as_s().is_ok_and(|pk| pk.ends_with("#STATS#TEMPLATES")))
        .map(Item::from)
        .collect();
    assert_eq!(counted.len(), 1);
    for row in counted {
        assert!(!filter::admits(&record(0, Item::default(), row)));
    }
}
