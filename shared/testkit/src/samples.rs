//! Stored rows of every kind (`shared/store/tests/rows.json`): which kinds can be of a contact, and a contact that has them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use domain::terms::ContactId;
use serde_dynamo::Item;
use store::TenantScope;

use crate::Aws;

const SAMPLES: &str = include_str!("../../store/tests/rows.json");

pub type Row = HashMap<String, AttributeValue>;

/// Kinds of rows that say nothing of any contact. A new kind that does is not among them: then the tests of the erasure and of the archive
/// of contacts want to know what they do with it. Suppressions are of people who are no contacts.
const OF_NO_CONTACT: &str = "\
    account additions admins api_key api_key_owner asset automation_match automation_watch campaign canned_reply \
    cap_day claim connection counted_day counters desk drip_steps email erasure_salt event_message field followers \
    following_endpoints grant idle invitation key_use leaving line member notice notice_mailings number_limit \
    platform_act platform_admin portfolio_limit prices product push_key push_owner push_subscription pushed rate \
    reachable refused_webhook retention rolled rule rule_version security_event segment session signing_keys \
    slot slots slug socket_owner stage suppression tag team template template_sync template_version tenant \
    ticket trigger webhook_endpoint webhook_health whatsapp_number";

/// Kinds of rows that can be of a contact.
pub struct Kinds {
    /// Kinds in contacts' own partitions.
    pub own: BTreeSet<String>,
    /// Kinds in other partitions.
    pub elsewhere: BTreeSet<String>,
}

/// The words of these texts.
pub fn words<'a>(texts: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    let words = texts.into_iter().flat_map(str::split_whitespace);
    words.map(str::to_owned).collect()
}

/// The text of an attribute of a row.
pub fn text<'a>(row: &'a Row, name: &str) -> &'a str {
    row[name].as_s().expect("a text")
}

/// The samples of stored rows.
pub fn rows() -> Vec<Row> {
    let rows: Vec<Item> = serde_json::from_str(SAMPLES).expect("the samples are rows");
    rows.into_iter().map(Row::from).collect()
}

/// The kinds of rows that can be of a contact.
pub fn kinds() -> Kinds {
    let rows = rows();
    let (own, others): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| is_in_contact(row));
    let names = |rows: Vec<&Row>| -> BTreeSet<String> { rows.iter().map(|row| text(row, "kind").to_owned()).collect() };
    let (own, mut elsewhere) = (names(own), names(others));
    for kind in OF_NO_CONTACT.split_whitespace() {
        assert!(elsewhere.remove(kind), "{kind} is in a contact's partition, or no kind");
    }
    Kinds { own, elsewhere }
}

fn is_in_contact(row: &Row) -> bool {
    text(row, "pk").contains("#C#")
}

/// The partition of a contact.
pub fn partition(scope: &TenantScope, contact: ContactId) -> String {
    let (tenant, contact) = (scope.tenant().to_string(), contact.to_string());
    format!("{}#{}", tenant.replace("tnt_", "T#"), contact.replace("ctc_", "C#"))
}

/// Gives a contact, which has its own row and profile, the samples of all other rows that contacts have, to stay for good. Returns the number
/// of each kind that is not marked as deleted.
pub async fn plant(aws: &Aws, scope: &TenantScope, contact: ContactId) -> BTreeMap<String, usize> {
    let mut planted: BTreeMap<String, Row> = BTreeMap::new();
    for mut row in rows().into_iter().filter(is_in_contact) {
        let sort = text(&row, "sk").to_owned();
        if !["CONTACT", "PROFILE"].contains(&sort.as_str()) {
            row.insert("pk".to_owned(), AttributeValue::S(partition(scope, contact)));
            row.remove("expires_at");
            planted.insert(sort, row);
        }
    }
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for row in planted.into_values() {
        *kinds.entry(text(&row, "kind").to_owned()).or_default() += usize::from(!row.contains_key("gone"));
        let put = aws.dynamodb().put_item().table_name(aws.table()).set_item(Some(row));
        put.send().await.expect("the row is written");
    }
    kinds
}
