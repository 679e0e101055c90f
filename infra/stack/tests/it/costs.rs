//! Limits of what operations ask of AWS.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use domain::accounts::Permission;
use domain::messages::MessageState;
use domain::terms::Channel;
use serde_json::{Value, json};
use stack::bench::operations::measure;
use stack::build;
use stack::contract::Contract;
use stack::play::Customer;

use crate::stage::{Business, customer, on_stage};

/// A warm GET reads the caller and the content.
const MAX_READS: u64 = 2;

/// Operations that read more, with the reason in docs/decisions/0042-partitions-of-a-tenant.md: the set-up reads the templates, which no
/// process remembers, and keys are listed with the days of their last use. Lists of contacts are read before the contacts, notes and
/// conversions belong to a contact that must exist, and a timeline merges seven lists (0046-contacts.md). A segment is read before its
/// contacts (0051-segments-and-bulk-changes.md). Consent is the contact's and its ledger's, and the suppression list is an index
/// (0048-consent.md). The estimate of a retention policy reads the counters of each day (0057-retention-of-rows-before.md). Duplicates are looked for in several lists, and each contact that was merged into another has rows of its own,
/// too (0055-merges.md).
///
/// An archive belongs to a contact that must exist (0056-access-requests.md). Calls, messages and orders of a period are listed by days, by default
/// of a week, which touches eight days in UTC; they belong to contacts, and name lines (0058-lists-of-calls-and-messages.md). An automation
/// is reviewed by the configuration and the templates that it names, and its versions are beside it (0059-automations.md). A campaign is, too,
/// with its segments and tags (0077-campaigns.md). A report
/// is of days in the tenant's time zone, and those that are rolled up lie in a partition per month (0060-metrics.md). The numbers of a
/// template that must exist have their prices beside them (0069-templates.md). A recording is
/// of a call, which is hidden with its contact (0065-recordings.md), as a file is of a message (0067-media-and-assets.md). Messages have
/// media, whose states are rows of their own. Caps are listed with what is counted for them (0072-caps.md).
const READ_MORE: &[(&str, u64)] = &[
    // With the called numbers that connections do not have.
    ("get_tenant_setup", 5),
    ("get_retention", 8),
    ("list_api_keys", 3),
    // With the health of each, and the endpoint of the deliveries.
    ("list_webhook_endpoints", 3),
    ("list_webhook_deliveries", 4),
    // With those that were refused.
    ("list_connection_webhooks", 3),
    ("list_contacts", 3),
    ("list_conversions", 3),
    ("list_notes", 3),
    ("get_timeline", 11),
    ("list_segment_contacts", 4),
    ("get_duplicates", 9),
    ("get_consent", 3),
    ("get_consent_proof", 4),
    ("get_consent_proof_page", 4),
    ("list_suppressions", 3),
    ("get_import", 3),
    ("list_imports", 3),
    ("list_user_availability", 4),
    ("get_contact_archive", 3),
    ("list_caps", 3),
    ("list_calls", 13),
    ("get_call", 4),
    ("list_messages", 14),
    ("list_orders", 12),
    ("get_message", 5),
    ("list_conversations", 5),
    ("get_conversation_counts", 5),
    // For people, the draft is one more read, beside these; the contact is among them.
    ("get_conversation", 5),
    ("get_conversation_timeline", 13),
    // The contact with its conversation, other messages to the customer, and the templates of a connection.
    ("get_conversation_offers", 6),
    ("get_recording", 3),
    ("get_medium", 4),
    // With the contact of its conversation.
    ("get_attachment", 4),
    ("get_automation", 4),
    ("list_automations", 4),
    ("list_automation_versions", 3),
    ("get_campaign", 5),
    ("list_campaigns", 5),
    // The campaign, its samples' contacts, and what they are composed of (0079-preflights-of-campaigns.md).
    ("get_campaign_preflight", 6),
    // The drip with its steps, and the tags and stages that they name. An enrolment is that of a person (0081-drips.md).
    ("get_campaign_steps", 6),
    ("get_enrollment", 5),
    // A small audience is in sixteen parts.
    ("list_campaign_recipients", 20),
    ("list_campaign_enrollments", 20),
    ("get_template_numbers", 4),
    ("get_template_uses", 3),
    ("list_template_versions", 3),
    ("get_template_version", 3),
    ("get_metrics", 5),
    ("get_overview", 5),
    ("get_usage", 5),
];

/// A draft is read by its author only, once there is one, and not by API keys, which measure.
const NOT_MEASURED: [&str; 1] = ["get_conversation_draft"];

/// Reading operations that write, with their maximum write units beyond those of any operation: the audit log says who looked at a
/// person's data (0056-access-requests.md), listened to them (0065-recordings.md), saw their files (0067-media-and-assets.md) or got an export (0050-import-and-export.md). A warm process knows what it has written.
const WRITE_MORE: &[(&str, f64)] = &[
    ("get_timeline", 1.0),
    ("get_consent_proof", 1.0),
    ("get_consent_proof_page", 1.0),
    ("get_contact_archive", 1.0),
    ("get_recording", 1.0),
    ("get_medium", 1.0),
    ("get_attachment", 1.0),
    ("get_export", 1.0),
];

/// Maximum requests of a warm request for a message to a known contact: the caller, the counter of requests, the key of the request twice, the tenant
/// with what leads to the contact, the contact with what the message is made of, the message if it was written before, the counters of caps,
/// the transaction and the queue.
const MAX_REQUESTS_MESSAGE: u64 = 10;

/// A warm GET is counted.
const MAX_WRITES: f64 = 1.0;

#[test]
fn a_warm_get_stays_within_its_reads_and_writes() {
    on_stage(async |stage| {
        let groups = build::log_groups(&build::functions(&stage.place.root)?, &stage.play.endpoints.stack);
        let contract = Contract::read(&stage.place)?;
        let measuring = measure(&stage.play, &stage.town, &stage.aws, &groups, &contract);
        let costs = Box::pin(measuring).await?;
        let looks = contract.operations().filter(|operation| operation.method == "get");
        for operation in looks.filter(|operation| operation.permission().parse::<Permission>().is_ok()) {
            let id = operation.id();
            let measured = NOT_MEASURED.contains(&id) || costs.iter().any(|cost| cost.id == id);
            ensure!(measured, "{id} was not measured");
        }
        for cost in &costs {
            let (id, reads, requests, aws) = (&cost.id, cost.table_reads(), cost.requests, &cost.aws);
            eprintln!("{id} {requests} requests {reads} reads {aws:?}");
        }
        for cost in costs.iter().filter(|cost| cost.method == "get") {
            let (id, reads, aws) = (&cost.id, cost.table_reads(), &cost.aws);
            let more = READ_MORE.iter().find(|(known, _)| known == id);
            let most = more.map_or(MAX_READS, |(_, most)| *most);
            ensure!(reads <= most, "{id}: {reads} reads, {most} at most: {aws:?}");
            let units = cost.write;
            let more = WRITE_MORE.iter().find(|(known, _)| known == id);
            let most = MAX_WRITES + more.map_or(0.0, |(_, more)| *more);
            ensure!(units <= most, "{id}: {units} write units, {most} at most: {aws:?}");
        }
        let message = costs.iter().find(|cost| cost.id == "send_message");
        let message = message.context("send_message")?;
        let (requests, aws) = (message.requests, &message.aws);
        ensure!(requests <= MAX_REQUESTS_MESSAGE, "{requests} requests: {aws:?}");
        Ok(())
    });
}

/// Maximum write units of the steps of a new caller's missed call: deciding it, sending the message, and the dearest of three statuses. The first
/// message of a day also ends the day before and begins the counters of its caps, which takes three of them. `publish_changes` adds at most
/// five for counters: 36 together for any other message, with four for the conversation. The first report of a day is noted on its connection.
const MAX_UNITS_CALL: [(&str, f64); 3] = [
    ("process_call", 19.0),
    ("send_message", 8.0),
    ("process_provider_event", 7.0),
];

/// Maximum requests from the webhook of a missed call until its message is recorded as sent, by function, in warm processes. With that to the
/// provider they are twelve.
const MAX_REQUESTS_CALL: [(&str, &str, u64); 3] = [
    ("telephony_webhook", "TelephonyWebhookRole", 1),
    ("process_call", "ProcessCallRole", 4),
    ("send_message", "SendMessageRole", 6),
];

/// Number of calls. The one with the fewest requests counts: others meet processes that have not seen this business yet.
const CALLS: usize = 6;

#[test]
fn a_missed_call_stays_within_its_requests_and_units() {
    on_stage(async |stage| {
        let business = stage.business("Requests").await?;
        let mut fewest = BTreeMap::new();
        for known in [false, true] {
            for _ in 0..CALLS {
                let caller = customer();
                if known {
                    let contact = json!({ "name": "Known", "phones": [&caller] });
                    business.api("post", "/api/v1/contacts", Some(contact)).await?;
                }
                let before = stage.play.requests_of(business.id()).await?;
                business.call(&caller, "missed", json!({ "via": "telephony" })).await?;
                business.comes_to(&caller, MessageState::Read).await?;
                let after = stage.play.requests_of(business.id()).await?;
                for (function, role, _) in MAX_REQUESTS_CALL {
                    let of_role = |counts: &BTreeMap<String, u64>| {
                        let own = counts.iter().filter(|(name, _)| name.contains(&format!("-{role}-")));
                        own.map(|(_, count)| *count).sum::<u64>()
                    };
                    let requests = of_role(&after) - of_role(&before);
                    let least = fewest.entry((known, function)).or_insert(requests);
                    *least = requests.min(*least);
                }
            }
        }
        for (function, _, most) in MAX_REQUESTS_CALL {
            for known in [false, true] {
                let requests = fewest[&(known, function)];
                eprintln!("{function}: {requests} requests, known caller: {known}");
                let fine = (1..=most).contains(&requests);
                ensure!(
                    fine,
                    "{function}: {requests} requests, {most} at most, known caller: {known}"
                );
            }
            // The emulator's count is ours. An event that was delivered again has lines with less.
            let lines = own_lines(&business, function).await?;
            let ours: Vec<_> = lines.iter().map(|line| line["aws_requests"].as_u64()).collect();
            let theirs = fewest[&(false, function)].min(fewest[&(true, function)]);
            let same = ours.contains(&Some(theirs));
            ensure!(same, "{function} counts {ours:?} requests, the emulator {theirs}");
        }
        for (function, most) in MAX_UNITS_CALL {
            for line in own_lines(&business, function).await? {
                let wrote = line["capacity"]["write"].as_f64().unwrap_or_default();
                ensure!(wrote <= most, "{function} writes {wrote} units, {most} at most");
            }
        }
        Ok(())
    });
}

/// The log lines of a function about one event of this business. A line names its tenant unless its batch held other tenants' records, too.
async fn own_lines(business: &Business<'_>, function: &str) -> Result<Vec<Value>> {
    let own = |line: &Value| {
        // Webhooks do not count events.
        let alone = line["done"] == 1 || function == "telephony_webhook";
        line["tenant"] == business.id() && line["function"] == function && alone
    };
    business.stage.wait_for_logs(function, own).await
}

/// Maximum write units of a known contact's message in the function that stores it, and of one that creates the contact. Four and five of them
/// are for the conversation. `publish_changes` adds at most two for counters.
const MAX_UNITS_INBOUND: (f64, f64) = (11.0, 25.0);

/// Maximum requests of that function for a known contact's message that calls for no answer.
const MAX_REQUESTS_INBOUND: u64 = 4;

/// Maximum write units of the request for a reply: the contact, the message, the conversation with its entries, and the counters of requests.
const MAX_UNITS_REPLY: f64 = 26.0;

#[test]
fn a_customers_message_stays_within_its_requests_and_units() {
    on_stage(async |stage| {
        let business = stage.business("Inbound").await?;
        let person = customer();
        // A line names its tenant unless its batch held other tenants' records, too, as is usual on a busy machine.
        let stored = |line: &Value| {
            line["function"] == "process_provider_event" && line["tenant"] == business.id() && line["done"] == 1
        };
        let (mut sent, mut lines) = (0, Vec::new());
        while lines.len() < 3 {
            sent += 1;
            ensure!(sent <= 20, "few messages came by themselves: {lines:?}");
            let text = "Do you have lemon cake?";
            business.reply(&person, Channel::WhatsApp, text).await?;
            let stored_all = |known: &Customer| (known.received.len() == sent).then_some(());
            business.wait_for_customer(&person, "the message", stored_all).await?;
            if sent > 3 {
                lines = stage.lines(stored).await?;
            }
        }
        let cost = |line: &Value| Some((line["capacity"]["write"].as_f64()?, line["aws_requests"].as_u64()?));
        let mut costs: Vec<(f64, u64)> = lines.iter().filter_map(cost).collect();
        eprintln!("write units and requests of a new contact's messages: {costs:?}");
        costs.sort_by(|one, other| one.0.total_cmp(&other.0));
        // The first message costs most.
        let (first, _) = costs.pop().context("nothing was written")?;
        let (of_known, of_new) = MAX_UNITS_INBOUND;
        let fine = first <= of_new && costs.iter().all(|(units, _)| *units <= of_known);
        ensure!(fine, "{costs:?}, {first}");
        let requests = costs.iter().map(|(_, requests)| *requests).min();
        let fine = requests.is_some_and(|requests| requests <= MAX_REQUESTS_INBOUND);
        ensure!(fine, "{requests:?} requests, {MAX_REQUESTS_INBOUND} at most");
        let listed = business.api("get", "/api/v1/conversations?limit=1", None).await?;
        let id = listed["items"][0]["id"].as_str().context("a conversation")?;
        let path = format!("/api/v1/conversations/{id}/messages");
        for text in ["Yes", "Lemon", "and almond"] {
            let reply = json!({ "seen": sent, "text": text });
            business.api("post", &path, Some(reply)).await?;
        }
        let replied = |line: &Value| line["function"] == "messages" && line["tenant"] == business.id();
        for line in stage.wait_for_logs("log lines of the replies", replied).await? {
            let (units, requests) = (line["capacity"]["write"].as_f64(), line["aws_requests"].as_u64());
            eprintln!("a reply: {units:?} write units, {requests:?} requests");
            ensure!(units.is_some_and(|units| units <= MAX_UNITS_REPLY), "{units:?} units");
        }
        Ok(())
    });
}
