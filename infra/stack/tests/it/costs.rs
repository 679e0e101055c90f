//! Limits of what operations ask of AWS.

use anyhow::{Context as _, ensure};
use domain::{message::Channel, permission::Permission};
use serde_json::Value;
use stack::{bench::operations::measure, build, contract::Contract, play::Customer};

use crate::stage::{customer, on_stage};

/// A warm GET reads the caller and the content.
const MOST_READS: u64 = 2;

/// Operations that read more, with the reason in docs/decisions/0042-partitions-of-a-tenant.md: the set-up reads the templates, which no
/// process remembers, and keys are listed with the days of their last use. Contacts are shown with the tenant's fields, lists of them are
/// read before the contacts, notes belong to a contact that must exist, and a timeline merges four lists (0046-contacts.md).
const READ_MORE: [(&str, u64); 6] = [
    ("get_tenant_setup", 4),
    ("list_api_keys", 3),
    ("get_contact", 3),
    ("list_contacts", 4),
    ("list_notes", 3),
    ("get_timeline", 7),
];

#[test]
fn a_warm_get_reads_the_table_twice_at_most() {
    on_stage(async |stage| {
        let groups: Vec<_> = build::functions(&stage.place.root)?
            .iter()
            .map(|function| function.log_group(&stage.play.endpoints.stack))
            .collect();
        let contract = Contract::read(&stage.place)?;
        let measuring = measure(&stage.play, &stage.town, &stage.aws, &groups, &contract);
        let costs = Box::pin(measuring).await?;
        let looks = contract.operations().filter(|operation| operation.method == "get");
        for operation in looks.filter(|operation| operation.permission().parse::<Permission>().is_ok()) {
            let id = operation.id();
            ensure!(costs.iter().any(|cost| cost.id == id), "{id} was not measured");
        }
        for cost in costs.iter().filter(|cost| cost.method == "get") {
            let (id, reads) = (&cost.id, cost.table_reads());
            let more = READ_MORE.iter().find(|(known, _)| known == id);
            let most = more.map_or(MOST_READS, |(_, most)| *most);
            ensure!(
                reads <= most,
                "{id} reads the table {reads} times, {most} at most: {:?}",
                cost.aws
            );
        }
        for cost in &costs {
            eprintln!("{} {} reads {:?}", cost.id, cost.table_reads(), cost.aws);
        }
        Ok(())
    });
}

/// Maximum write units of a known contact's message in the function that stores it, and of one that creates the contact.
/// `publish_changes` adds at most two for counters.
const MOST_UNITS_INBOUND: (f64, f64) = (11.0, 20.0);

#[test]
fn a_customers_message_stays_within_its_write_units() {
    on_stage(async |stage| {
        let business = stage.business("Inbound").await?;
        let person = customer();
        for count in 1..=4 {
            business
                .reply(&person, Channel::WhatsApp, "Do you have lemon cake?")
                .await?;
            let stored = |known: &Customer| (known.received.len() == count).then_some(());
            business.known(&person, "the message", stored).await?;
        }
        // A line names its tenant unless its batch held other tenants' records, too.
        let stored = |line: &Value| {
            line["function"] == "process_provider_event" && line["tenant"] == business.id() && line["done"] == 1
        };
        let lines = stage.logged("log lines of the messages", stored).await?;
        let mut units: Vec<_> = lines
            .iter()
            .filter_map(|line| line["capacity"]["write"].as_f64())
            .collect();
        eprintln!("messages of a new contact: {units:?} write units");
        units.sort_by(f64::total_cmp);
        // The first message costs most.
        let first = units.pop().context("nothing was written")?;
        let (of_known, of_new) = MOST_UNITS_INBOUND;
        ensure!(
            first <= of_new && units.iter().all(|units| *units <= of_known),
            "{units:?}, {first}"
        );
        Ok(())
    });
}
