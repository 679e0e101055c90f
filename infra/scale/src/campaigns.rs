//! Reading what is due of drips, with few and with a million contacts enrolled.

use std::{path::Path, time::Instant};

use anyhow::{Result, ensure};
use domain::base::ids::{CampaignId, ContactId};
use dynoxide::{Database, ImportOptions, types::Item};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use store::{Store, TenantScope, campaigns::drip::SHARDS, table::usage};
use ulid::Ulid;

use crate::{FEW, Made, TABLE, rows, served};

/// Enrolments that the store itself writes. The copies of one are in its partition of the due index, of which there are few.
const SAMPLES: u64 = 40;

/// Enrolments that are due, one number after the other.
const DUE: [u64; 3] = [0, 100, 10_000];

/// Rows of a partition that `take_steps` takes in a minute, and reads per page.
const MAX_PER_SHARD: usize = 1_200;
const PAGE: i32 = 100;

/// A minute's reading.
#[derive(Debug, PartialEq)]
struct Minute {
    due: u64,
    found: usize,
    requests: u64,
    units: f64,
}

/// Compares the minutes with few and with many enrolled.
pub(crate) async fn compare(folder: &Path, count: u64) -> Result<()> {
    let few = measured(&folder.join("few-enrolled.db"), FEW).await?;
    let many = measured(&folder.join("many-enrolled.db"), count).await?;
    println!("\n| enrolled | due | found | requests per minute | read units |");
    println!("| ---: | ---: | ---: | ---: | ---: |");
    for (enrolled, minutes) in [(FEW, &few), (count, &many)] {
        for Minute {
            due,
            found,
            requests,
            units,
        } in minutes
        {
            println!("| {enrolled} | {due} | {found} | {requests} | {units:.1} |");
        }
    }
    ensure!(few == many, "a minute costs more with more enrolled");
    println!("\nno minute costs more with {count} enrolled than with {FEW}");
    Ok(())
}

async fn measured(path: &Path, count: u64) -> Result<Vec<Minute>> {
    served(path, async |database, store, scope| {
        let begun = Instant::now();
        let noon: Timestamp = "2026-11-20T12:00:00Z".parse()?;
        let later = noon + SignedDuration::from_hours(24 * 30);
        // Their numbers are behind those of the ones that are due.
        fill(database, (&store, &scope), 1_000_000..1_000_000 + count, later).await?;
        println!("{count} enrolled, filled in {} s", begun.elapsed().as_secs());
        let (mut minutes, mut filled) = (Vec::new(), 0);
        for due in DUE {
            fill(database, (&store, &scope), filled..due, noon).await?;
            filled = due;
            minutes.push(minute(&store, due, noon).await?);
        }
        Ok(minutes)
    })
    .await
}

/// Enrols the contacts of these numbers in a drip whose first step is due at this time.
async fn fill(
    database: &Database,
    (store, scope): (&Store, &TenantScope),
    numbers: std::ops::Range<u64>,
    at: Timestamp,
) -> Result<()> {
    let campaign = (CampaignId::new(Ulid::from_parts(7, 7)), Some(1));
    let contact = |number: u64| Ok::<_, anyhow::Error>(ContactId::new(Made::new(number).id.parse()?));
    let mut samples = Vec::new();
    for number in numbers.clone().take(usize::try_from(SAMPLES)?) {
        store.enrol(scope, campaign, &[contact(number)?], at).await?;
        samples.push(Made::new(number));
    }
    let all: Vec<String> = match samples.len() {
        0 => Vec::new(),
        _ => enrolments(database, &samples)?,
    };
    let failed = |error| anyhow::anyhow!("fill the table: {error}");
    let copied: Vec<u64> = numbers.skip(samples.len()).collect();
    database.enable_bulk_loading().map_err(failed)?;
    for some in copied.chunks(20_000) {
        let copies = some.iter().map(|number| {
            let place = usize::try_from(number % SAMPLES)?;
            let id = Made::new(*number).id;
            let (old, row) = (&samples[place].id, &all[place]);
            let row = row.replace(old, &id).replace(&old.to_lowercase(), &id.to_lowercase());
            Ok(serde_json::from_str(&row)?)
        });
        let copies = copies.collect::<Result<Vec<Item>>>()?;
        database
            .import_items(TABLE, copies, ImportOptions::default())
            .map_err(failed)?;
    }
    database.disable_bulk_loading().map_err(failed)?;
    Ok(())
}

/// The rows of these samples' enrolments, in their order.
fn enrolments(database: &Database, samples: &[Made]) -> Result<Vec<String>> {
    let all: Vec<String> = rows(database)?.iter().map(Value::to_string).collect();
    let of = |made: &Made| {
        let mut own = all.iter().filter(|row| row.contains(&made.id.to_lowercase()) || row.contains(&made.id));
        own.next().cloned().ok_or_else(|| anyhow::anyhow!("the store wrote no enrolment"))
    };
    samples.iter().map(of).collect()
}

/// Reads what is due as `take_steps` does.
async fn minute(store: &Store, due: u64, now: Timestamp) -> Result<Minute> {
    drop(usage::take());
    let mut found = 0;
    for shard in 0..SHARDS {
        let (mut from, mut seen) = (None, 0);
        while seen < MAX_PER_SHARD {
            let page = store.due_steps(shard, now, from, PAGE).await?;
            seen += page.due.len();
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        found += seen;
    }
    let used = usage::take();
    Ok(Minute {
        due,
        found,
        requests: used.requests,
        units: used.read_units,
    })
}
