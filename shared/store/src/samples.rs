//! Reads a stored sample of every kind of row: `tests/rows.json` holds rows as deployments have them, in the current form of each kind.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use domain::accounts::{Account, ApiKey, Grant, Invitation, LastUsed, Member, SecurityEvent, Session};
use domain::calls::{CallProgress, MessageRef, Received};
use domain::campaigns::{Campaign, Enrolment, EventMessage, Triggered};
use domain::inbox::Draft;
use domain::live::{Event, Followers, PushSubscription, Reachable, Socket, SocketOwner, Ticket};
use domain::media::{Asset, Medium};
use domain::messages::{FirstWritten, TrackedLinks};
use domain::money::{PriceBook, Product};
use domain::notices::{Mailings, NoticeState, Watch};
use domain::people::{
    Alias, ChangeDetails, ConsentEntry, Field, HistoryKind, Import, PreferenceLink, Profile, Salt, Suppression, Undo,
};
use domain::templates::{LastSync, TemplateDefinition};
use domain::tenants::{Connection, Desk, Line, RefusedWebhook, Rule, Tenant, UnknownNumbers};
use domain::terms::{ContactId, Email, Operation, OperationId, Resource, TakenSlot, TenantSlots, UserId};
use domain::webhooks::{Delivery, EndpointHealth, FollowingEndpoint, WebhookEndpoint, WebhookRun};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::accounts::{ApiKeyOwner, EmailOwner, Recorded, SlugOwner};
use crate::contacts::Remembered;
use crate::inbox::IdleLook;
use crate::live::PushKey;
use crate::messages::throughput_span;
use crate::money::cap_counts;
use crate::reports::{Rolled, hours_of_day, sample_counter, sparse_hours};
use crate::table::plain::plain_kinds;
use crate::table::row::{self, Item};
use crate::table::{compact, forms, idempotency, lookups};
use crate::tenants::{Leaving, PlatformAct};
use crate::{Owned, Signed, StoreError};

const SAMPLES: &str = include_str!("../tests/rows.json");

const DOING: &str = "read a sample";

/// Reads a row and returns it as it would be written now.
type Read = fn(Item) -> Result<AttributeValue, StoreError>;

/// The reader of each kind but plain ones and those of records.
const READ: &[(&str, Read)] = &[
    ("account", as_it_is::<Account>),
    ("additions", as_it_is::<()>),
    ("admins", as_it_is::<Vec<UserId>>),
    ("alias", as_it_is::<Alias>),
    ("api_key", as_it_is::<ApiKey>),
    ("api_key_owner", as_it_is::<ApiKeyOwner>),
    ("archive", as_it_is::<OperationId>),
    ("asset", as_it_is::<Asset>),
    ("attachment", as_it_is::<Asset>),
    ("audit", as_it_is::<Recorded>),
    ("automation_match", as_it_is::<Date>),
    ("automation_watch", as_it_is::<Watch>),
    ("call", |row| {
        let kept = row::unexpired_item(row, Timestamp::UNIX_EPOCH).unwrap_or_default();
        let call = compact::call(kept, DOING)?;
        Ok(compact::shrink_call(without_time(to_attribute(&call))))
    }),
    ("call_progress", as_it_is::<CallProgress>),
    ("campaign", as_it_is::<Campaign>),
    ("cap_day", |row| {
        let counts = cap_counts(&row);
        assert_eq!((counts.hour, counts.counts.len()), (12, 3), "hour, day and month");
        Ok(AttributeValue::Null(true))
    }),
    ("claim", as_it_is::<String>),
    ("connection", as_it_is::<Connection>),
    ("consent", as_it_is::<ConsentEntry>),
    ("contact", |row| {
        compact::contact(row, DOING).map(|contact| compact::shrink_contact(to_attribute(&contact)))
    }),
    ("conversation", |row| {
        let known = compact::conversation(row, DOING)?;
        Ok(compact::shrink_conversation(to_attribute(&known.value)))
    }),
    ("count", |row| Ok(row::number(row::count(&row)))),
    ("counted_day", |row| {
        let hours = hours_of_day(&row, DOING)?;
        Ok(to_attribute(&sparse_hours(&hours)))
    }),
    ("counters", |row| Ok(to_attribute(&sample_counter(&row)))),
    ("desk", as_it_is::<Desk>),
    ("draft", as_it_is::<Draft>),
    ("drip_steps", as_it_is::<domain::campaigns::WrittenSteps>),
    ("email", as_it_is::<EmailOwner>),
    ("enrolment", as_it_is::<Enrolment>),
    ("erased", as_it_is::<Remembered>),
    ("erasure_salt", as_it_is::<Salt>),
    ("event_message", as_it_is::<EventMessage>),
    ("field", as_it_is::<Field>),
    ("followers", as_it_is::<Followers>),
    ("following_endpoints", as_it_is::<Vec<FollowingEndpoint>>),
    ("grant", as_it_is::<Grant>),
    ("idempotency", as_it_is::<idempotency::Record>),
    ("identity", as_it_is::<ContactId>),
    ("idle", as_it_is::<IdleLook>),
    ("import", as_it_is::<Import>),
    ("invitation", as_it_is::<Invitation>),
    ("key_use", as_it_is::<LastUsed>),
    ("leaving", as_it_is::<Leaving>),
    ("line", as_it_is::<Line>),
    ("listing", |_| Ok(AttributeValue::Null(true))),
    ("live_events", as_it_is::<Vec<Event>>),
    ("medium", as_it_is::<Medium>),
    ("mention", as_it_is::<Timestamp>),
    ("member", as_it_is::<Member>),
    ("merge_undo", as_it_is::<Undo>),
    ("message", |row| {
        let kept = row::unexpired_item(row, Timestamp::UNIX_EPOCH).unwrap_or_default();
        let message = compact::message(kept, DOING)?;
        Ok(without_time(compact::shrink(to_attribute(&message))))
    }),
    ("message_ref", as_it_is::<MessageRef>),
    ("notice", as_it_is::<NoticeState>),
    ("notice_mailings", as_it_is::<Mailings>),
    ("number_limit", |row| {
        let span = throughput_span(&row).expect("a span");
        assert_eq!((span.second, span.taken), (1_763_640_000, 16));
        Ok(AttributeValue::Null(true))
    }),
    ("operation", as_it_is::<Operation>),
    ("operation_details", as_it_is::<ChangeDetails>),
    ("platform_act", as_it_is::<PlatformAct>),
    ("platform_admin", as_it_is::<Email>),
    ("portfolio_limit", as_it_is::<FirstWritten>),
    ("preference_link", as_it_is::<PreferenceLink>),
    ("prices", as_it_is::<PriceBook>),
    ("product", as_it_is::<Product>),
    ("profile", as_it_is::<Profile>),
    ("push_key", as_it_is::<PushKey>),
    ("push_owner", as_it_is::<UserId>),
    ("push_subscription", as_it_is::<PushSubscription>),
    ("pushed", as_it_is::<()>),
    ("rate", |row| Ok(row::number(row::count(&row)))),
    ("reachable", as_it_is::<Reachable>),
    ("received", reread_with_expiry::<Received>),
    ("refused_webhook", as_it_is::<RefusedWebhook>),
    ("retention", as_it_is::<OperationId>),
    ("rolled", |row| {
        let rolled = Rolled::read(Some(&row), DOING)?;
        assert!(
            !rolled.has("2026-11-19".parse().expect("a day")),
            "it is to be rolled up again"
        );
        Ok(AttributeValue::Null(true))
    }),
    ("rule", as_it_is::<Rule>),
    ("rule_version", as_it_is::<Signed<Rule>>),
    ("security_event", as_it_is::<SecurityEvent>),
    ("session", as_it_is::<Session>),
    ("signing_keys", as_it_is::<String>),
    ("slot", as_it_is::<TakenSlot>),
    ("slots", as_it_is::<TenantSlots>),
    ("slug", as_it_is::<SlugOwner>),
    ("socket", as_it_is::<Socket>),
    ("socket_owner", as_it_is::<SocketOwner>),
    ("suppression", as_it_is::<Suppression>),
    ("template", as_it_is::<TemplateDefinition>),
    ("template_sync", as_it_is::<LastSync>),
    ("template_version", as_it_is::<Signed<TemplateDefinition>>),
    ("tenant", as_it_is::<Tenant>),
    ("ticket", as_it_is::<Ticket>),
    ("tracked_links", as_it_is::<TrackedLinks>),
    ("trigger", as_it_is::<Triggered>),
    ("unknown_numbers", as_it_is::<UnknownNumbers>),
    ("webhook_delivery", as_it_is::<Delivery>),
    ("webhook_endpoint", as_it_is::<WebhookEndpoint>),
    ("webhook_health", as_it_is::<EndpointHealth>),
    ("webhook_run", as_it_is::<WebhookRun>),
    ("whatsapp_number", as_it_is::<lookups::WhatsAppOwner>),
];

fn to_attribute(value: &impl Serialize) -> AttributeValue {
    serde_dynamo::to_attribute_value(value).expect("what is read can be written")
}

/// The reader of each kind.
fn readers() -> impl Iterator<Item = (&'static str, Read)> {
    let records = HistoryKind::RECORDS.map(|kind| (kind.word(), reread_record as Read));
    let plain = PLAIN.iter().map(|(kind, read, _)| (*kind, *read));
    READ.iter().copied().chain(plain).chain(records)
}

/// Makes the first sample of a plain kind from the contract's examples.
type Made = fn(&Value) -> Option<Value>;

macro_rules! samples_of_plain_kinds {
    ($({ $kind:literal, $form:literal, $type:ty, $name:literal, $part:ident, $prefix:literal, $($rest:tt)+ })+) => {
        const PLAIN: &[(&str, Read, Made)] = &[$(($kind, as_it_is::<$type>, row_of_example::<$type>)),+];
    };
}

plain_kinds!(samples_of_plain_kinds);

/// A row as it is created by the example of the body in the contract.
fn row_of_example<T: Owned + Resource>(contract: &Value) -> Option<Value> {
    let fields = std::any::type_name::<T::Fields>().rsplit("::").next()?;
    let body = contract["paths"].as_object()?.values().find_map(|path| {
        let body = &path["post"]["requestBody"]["content"]["application/json"];
        let of = body["schema"]["$ref"].as_str()?.rsplit('/').next()?;
        (of == fields).then(|| body["example"].clone())
    })?;
    let noon: Timestamp = "2026-11-20T12:00:00Z".parse().ok()?;
    let id = domain::terms::derive_id(u64::try_from(noon.as_millisecond()).ok()?, T::KIND.as_bytes());
    let resource = T::new(id, serde_json::from_value(body).ok()?, noon);
    let data: serde_dynamo::AttributeValue = serde_dynamo::to_attribute_value(&resource).ok()?;
    let sort = format!("{}{}", T::PREFIX, Owned::id(&resource));
    Some(serde_json::json!({
        "data": data, "f": {"N": "1"}, "kind": {"S": T::KIND}, "pk": {"S": "T#01m7wd7tg0ehma41d0m1t7amz8#CONF"}, "sk": {"S": sort}, "v": {"N": "1"},
    }))
}

fn reread_record(row: Item) -> Result<AttributeValue, StoreError> {
    let kind = row::string(&row, "kind").unwrap_or_default().to_owned();
    let record = row::record(row, &kind, DOING)?;
    Ok(to_attribute(&record.expect("it is of this kind")))
}

fn as_it_is<T: Serialize + DeserializeOwned>(row: Item) -> Result<AttributeValue, StoreError> {
    row::data::<T>(row, DOING).map(|read| to_attribute(&read))
}

/// Reads a row that holds its expiry outside its data, and returns it as it would be written now.
fn reread_with_expiry<T: Serialize + DeserializeOwned>(row: Item) -> Result<AttributeValue, StoreError> {
    let kept = row::unexpired_item(row, Timestamp::UNIX_EPOCH).unwrap_or_default();
    as_it_is::<T>(kept).map(without_time)
}

fn without_time(mut data: AttributeValue) -> AttributeValue {
    if let AttributeValue::M(fields) = &mut data {
        fields.remove("keep_until");
    }
    data
}

/// An attribute in DynamoDB's JSON.
fn attribute(value: &Value) -> AttributeValue {
    let (kind, value) = value
        .as_object()
        .and_then(|one| one.iter().next())
        .expect("an attribute");
    let text = || value.as_str().expect("a text").to_owned();
    match kind.as_str() {
        "S" => AttributeValue::S(text()),
        "N" => AttributeValue::N(text()),
        "BOOL" => AttributeValue::Bool(value.as_bool().expect("yes or no")),
        "NULL" => AttributeValue::Null(true),
        "L" => AttributeValue::L(value.as_array().expect("a list").iter().map(attribute).collect()),
        "SS" => {
            let texts = value.as_array().expect("a list").iter();
            AttributeValue::Ss(texts.map(|text| text.as_str().expect("a text").to_owned()).collect())
        }
        "M" => AttributeValue::M(item(value)),
        other => panic!("rows have no {other}"),
    }
}

fn item(value: &Value) -> Item {
    let fields = value.as_object().expect("an item").iter();
    fields.map(|(name, value)| (name.clone(), attribute(value))).collect()
}

fn samples() -> BTreeMap<String, Vec<Item>> {
    let rows: Vec<Value> = serde_json::from_str(SAMPLES).expect("the samples are JSON");
    let mut samples: BTreeMap<String, Vec<Item>> = BTreeMap::new();
    for row in rows {
        let row = item(&row);
        let kind = row::string(&row, "kind").expect("a row has a kind").to_owned();
        samples.entry(kind).or_default().push(row);
    }
    samples
}

fn form_of_row(row: &Item) -> u64 {
    let form = row[forms::FORM].as_n().expect("a row has a form");
    form.parse().expect("a form is a number")
}

/// A new kind of row needs a sample, and so does a new form. The first one of a plain kind is shown here, from the contract's example.
#[test]
fn every_kind_has_samples_of_its_form_only() {
    let read: BTreeSet<&str> = readers().map(|(kind, _)| kind).collect();
    let kinds: BTreeSet<&str> = forms::kinds().collect();
    assert_eq!(
        read, kinds,
        "left: READ in shared/store/src/samples.rs; right: FORMS in table/forms.rs"
    );
    let samples = samples();
    for (kind, _, made) in PLAIN {
        if !samples.contains_key(*kind) {
            let contract = std::fs::read_to_string("../../docs/openapi.json").expect("the contract");
            let row = made(&serde_json::from_str(&contract).expect("JSON")).expect("the contract has an example");
            panic!("{kind}: add this row to shared/store/tests/rows.json:\n{row}");
        }
    }
    for kind in kinds {
        let stored: BTreeSet<u64> = samples.get(kind).into_iter().flatten().map(form_of_row).collect();
        let form = BTreeSet::from([forms::form_of(kind)]);
        assert_eq!(
            stored, form,
            "{kind}: form of the samples in shared/store/tests/rows.json"
        );
    }
    assert_eq!(samples.len(), readers().count(), "samples are of known kinds");
}

/// Stored rows can be read, and writing them again loses nothing.
#[test]
fn stored_rows_survive_reading_and_writing() {
    let samples = samples();
    for (kind, read) in readers() {
        for row in &samples[kind] {
            let again = read(row.clone()).unwrap_or_else(|error| panic!("{kind}: {}: {row:?}", crate::chain(&error)));
            let has_data = row.contains_key("data");
            if has_data {
                assert_eq!(Some(&again), row.get("data"), "{kind}");
            }
        }
    }
}

/// The rows of resources had no times once.
#[test]
fn resources_without_times_have_that_of_their_id() {
    const TIMES: [&str; 2] = ["created_at", "updated_at"];
    let noon = AttributeValue::S("2026-11-20T12:00:00Z".to_owned());
    for kind in ["asset", "field", "line", "product"]
        .into_iter()
        .chain(PLAIN.iter().map(|plain| plain.0))
    {
        let (_, read) = readers().find(|(known, _)| *known == kind).expect("a reader");
        for mut row in samples().remove(kind).expect("there is a sample") {
            let Some(AttributeValue::M(data)) = row.get_mut("data") else {
                panic!("{kind}: no data");
            };
            for time in TIMES {
                assert!(data.remove(time).is_some(), "{kind}: {time}");
            }
            let AttributeValue::M(again) = read(row).expect("it is read") else {
                panic!("{kind}: no data");
            };
            for time in TIMES {
                assert_eq!(again.get(time), Some(&noon), "{kind}: {time}");
            }
        }
    }
}

/// Kinds whose types refuse unknown fields, since people write them as files or by the API. An older version does not read a
/// row with a new field, so even an optional one is a new form (docs/decisions/0044-forms-of-rows.md).
const STRICT: [&str; 12] = [
    "asset",
    "attachment",
    "campaign",
    "draft",
    "event_message",
    "field",
    "line",
    "prices",
    "product",
    "rule",
    "template",
    "tenant",
];

/// All plain kinds are written by the API.
fn is_strict(kind: &str) -> bool {
    STRICT.contains(&kind) || PLAIN.iter().any(|plain| plain.0 == kind)
}

#[test]
fn rows_of_other_kinds_may_have_a_field_of_a_newer_version() {
    let samples = samples();
    for (kind, read) in readers() {
        for mut row in samples[kind].clone() {
            let Some(AttributeValue::M(data)) = row.get_mut("data") else {
                continue;
            };
            data.insert("a_newer_field".to_owned(), AttributeValue::Bool(true));
            let refused = read(row).is_err();
            assert_eq!(refused, is_strict(kind), "{kind}");
        }
    }
}

#[test]
fn rows_of_another_form_are_refused_by_name() {
    for (kind, read) in readers() {
        for mut row in samples().remove(kind).expect("there is a sample") {
            if !row.contains_key("data") {
                continue;
            }
            let known = forms::form_of(kind);
            for (form, whose) in [
                (known + 1, ", which only a newer version reads"),
                (known - 1, " of an older version"),
            ] {
                row.insert(forms::FORM.to_owned(), row::number(form));
                let error = read(row.clone()).expect_err("another form");
                let sentence = format!(
                    "read a sample: a row of the kind {kind} has the form {form}{whose}: this one reads {known}"
                );
                assert_eq!(error.to_string(), sentence);
            }
        }
    }
}
