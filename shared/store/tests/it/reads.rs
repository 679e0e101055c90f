//! Read units as AWS counts them: every cost estimate depends on what the emulator says a read consumed.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::ReturnConsumedCapacity::Total;
use aws_sdk_dynamodb::types::{AttributeValue, ConsumedCapacity, Get, KeysAndAttributes, Select, TransactGetItem};
use store::table::usage;

use crate::world::{COUNTING, World};

/// Rows of 9 KB in one partition; an index contains 3 KB of each.
const ROWS: usize = 3;

/// A world with these rows, and its table's name.
async fn world() -> (World, String) {
    let world = World::new().await;
    let table = world.aws.env().config().text("TABLE_NAME").expect("a table").to_owned();
    let row = |number: usize| {
        HashMap::from([
            ("pk", "READS".to_owned()),
            ("sk", number.to_string()),
            ("gsi1pk", "READS".to_owned()),
            ("gsi1sk", number.to_string()),
            ("outcome", "n".repeat(3_000)),
            ("text", "t".repeat(6_000)),
        ])
    };
    world.put_many(ROWS, row).await;
    (world, table)
}

/// The key of a row; only numbers below [`ROWS`] exist.
fn key(number: usize) -> HashMap<String, AttributeValue> {
    [("pk", "READS".to_owned()), ("sk", number.to_string())]
        .map(|(name, value)| (name.to_owned(), AttributeValue::S(value)))
        .into()
}

fn units<'a>(consumed: impl IntoIterator<Item = &'a ConsumedCapacity>) -> Option<f64> {
    let units = consumed.into_iter().map(|capacity| capacity.capacity_units());
    units.sum()
}

#[tokio::test]
async fn row_costs_a_unit_per_started_4_kb() {
    let (world, table) = world().await;
    for (number, consistent, expected) in [(0, true, 3.0), (0, false, 1.5), (9, true, 1.0), (9, false, 0.5)] {
        let get = world.aws.dynamodb().get_item().table_name(&table);
        let get = get.set_key(Some(key(number))).consistent_read(consistent);
        // Attributes that are left out of the response were still read.
        let get = get.projection_expression("sk").return_consumed_capacity(Total);
        let read = get.send().await.expect("the table answers");
        assert_eq!(units(read.consumed_capacity()), Some(expected), "{number} {consistent}");
    }
}

#[tokio::test]
async fn a_batch_costs_what_its_rows_cost_one_by_one() {
    let (world, table) = world().await;
    for (consistent, expected) in [(true, 7.0), (false, 3.5)] {
        let keys = [0, 1, 9].map(key).to_vec();
        let keys = KeysAndAttributes::builder()
            .set_keys(Some(keys))
            .consistent_read(consistent);
        let get = world.aws.dynamodb().batch_get_item();
        let get = get.request_items(&table, keys.build().expect("keys"));
        let read = get.return_consumed_capacity(Total).send();
        let read = read.await.expect("the table answers");
        assert_eq!(units(read.consumed_capacity()), Some(expected), "{consistent}");
        assert_eq!(read.responses.expect("rows")[&table].len(), 2);
    }
}

#[tokio::test]
async fn a_transaction_reads_at_twice_the_price() {
    let (world, table) = world().await;
    let gets = [0, 9].map(|number| {
        let get = Get::builder().table_name(&table).set_key(Some(key(number)));
        TransactGetItem::builder().get(get.build().expect("a get")).build()
    });
    let read = world.aws.dynamodb().transact_get_items();
    let read = read
        .set_transact_items(Some(gets.to_vec()))
        .return_consumed_capacity(Total);
    let read = read.send().await.expect("the table answers");
    assert_eq!(units(read.consumed_capacity()), Some(8.0));
}

/// The rows together have 27.1 KB: seven units of 4 KB, not three times three.
#[tokio::test]
async fn query_rounds_the_sum_of_its_rows() {
    let (world, table) = world().await;
    type Change = fn(QueryFluentBuilder) -> QueryFluentBuilder;
    let cases: [(&str, &str, Change, f64); 8] = [
        ("consistent", "READS", |query| query.consistent_read(true), 7.0),
        ("eventual", "READS", |query| query, 3.5),
        ("nothing there", "NONE", |query| query.consistent_read(true), 1.0),
        ("nothing there, eventual", "NONE", |query| query, 0.5),
        ("one page of it", "READS", |query| query.limit(1), 1.5),
        ("only counted", "READS", |query| query.select(Select::Count), 3.5),
        (
            "filtered away",
            "READS",
            |query| query.filter_expression("attribute_exists(nothing)"),
            3.5,
        ),
        (
            "some attributes",
            "READS",
            |query| query.projection_expression("sk"),
            3.5,
        ),
    ];
    for (what, partition, change, expected) in cases {
        let query = world.aws.dynamodb().query().table_name(&table);
        let query = query.key_condition_expression("pk = :pk");
        let query = query.expression_attribute_values(":pk", AttributeValue::S(partition.to_owned()));
        let query = change(query.return_consumed_capacity(Total));
        let read = query.send().await.expect("the table answers");
        assert_eq!(units(read.consumed_capacity()), Some(expected), "{what}");
    }
}

#[tokio::test]
async fn index_query_counts_only_projected_data() {
    let (world, table) = world().await;
    let query = world.aws.dynamodb().query().table_name(&table);
    let query = query.index_name("by_day").key_condition_expression("gsi1pk = :pk");
    let query = query.expression_attribute_values(":pk", AttributeValue::S("READS".to_owned()));
    let read = query.return_consumed_capacity(Total).send().await;
    let read = read.expect("the table answers");
    assert_eq!(units(read.consumed_capacity()), Some(1.5));
}

/// A message, its contact and the tenant are fetched in one request, and each is counted.
#[tokio::test]
async fn batch_read_of_the_store_is_counted() {
    let _alone = COUNTING.write().await;
    let world = World::new_alone().await;
    let message = world.follow_up().await;
    drop(usage::take());
    let found = world.store.to_send(world.scope(), message.id, None, world.aws.now());
    found.await.expect("the table answers").expect("all are there");
    let used = usage::take();
    assert_eq!((used.requests, used.read_units), (1, 3.0));
}
