//! Reading what is due of drips, with few and with a million contacts enrolled.

use std::{path::Path, time::Instant};

use anyhow::{Context as _, Result, ensure};
use domain::base::ids::{CampaignId, ContactId};
use dynoxide::{Database, ImportOptions, types::Item};
use jiff::{SignedDuration, Timestamp};
use store::{Store, TenantScope, campaigns::drip::SHARDS, table::usage};
use ulid::Ulid;

use crate::{FEW, Made, TABLE, rows, served};

/// Enrolments that the store itself writes. The copies of one are in its partition of the due index, of which there are few.
const SAMPLES: u64 = 40;

/// Number of the first contact whose step is due later.
const LATER: u64 = 10_000_000;

/// Enrolments that are due, one number after the other.
const DUE: [u64; 3] = [0, 100, 10_000];

/// Rows of a partition that `take_steps` reads in a minute at most, and per page.
const IN_REACH: usize = 12_000;
const PAGE: i32 = 100;

/// A minute's reading: what follows for each step that is due does not depend on who else is enrolled.
#[derive(Debug)]
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
    let costs_more = |(few, many): (&Minute, &Minute)| many.requests > few.requests || many.units > few.units * 1.05;
    ensure!(!few.iter().zip(&many).any(costs_more), "a minute costs more with more enrolled");
    println!("\nno minute costs more with {count} enrolled than with {FEW}");
    Ok(())
}

async fn measured(path: &Path, count: u64) -> Result<Vec<Minute>> {
    served(path, async |database, store, scope| {
        let begun = Instant::now();
        let noon: Timestamp = "2026-11-20T12:00:00Z".parse()?;
        // A scan ends at a megabyte, so all samples are read while the table is small.
        let due = Samples::new(database, (&store, &scope), 0, noon).await?;
        let later = noon + SignedDuration::from_hours(24 * 30);
        let later = Samples::new(database, (&store, &scope), LATER, later).await?;
        later.copy(database, LATER + SAMPLES..LATER + count)?;
        println!("{count} enrolled, filled in {} s", begun.elapsed().as_secs());
        let (mut minutes, mut filled) = (Vec::new(), SAMPLES);
        for number in DUE {
            let now = if number == 0 { noon - SignedDuration::from_mins(1) } else { noon };
            due.copy(database, filled..number)?;
            filled = filled.max(number);
            minutes.push(minute(&store, number, now).await?);
        }
        Ok(minutes)
    })
    .await
}

/// Enrolments in a drip whose first step is due at one time, as the store writes them.
struct Samples(Vec<(Made, String)>);

impl Samples {
    /// Enrols the contacts of the numbers from this one on.
    async fn new(
        database: &Database,
        (store, scope): (&Store, &TenantScope),
        first: u64,
        at: Timestamp,
    ) -> Result<Self> {
        let campaign = (CampaignId::new(Ulid::from_parts(7, 7)), Some(1));
        let mut samples = Vec::new();
        for number in first..first + SAMPLES {
            let made = Made::new(number);
            let contact = ContactId::new(made.id.parse()?);
            store.enrol(scope, campaign, &[contact], at).await?;
            let rows = rows(database)?.into_iter().map(|row| row.to_string());
            let row = rows.into_iter().find(|row| row.contains(&made.id.to_lowercase()));
            samples.push((made, row.context("the store wrote an enrolment")?));
        }
        Ok(Self(samples))
    }

    /// Copies them for the contacts of these numbers.
    fn copy(&self, database: &Database, numbers: std::ops::Range<u64>) -> Result<()> {
        let failed = |error| anyhow::anyhow!("fill the table: {error}");
        let numbers: Vec<u64> = numbers.collect();
        database.enable_bulk_loading().map_err(failed)?;
        for some in numbers.chunks(20_000) {
            let copies = some.iter().map(|number| {
                let (sample, row) = &self.0[usize::try_from(number % SAMPLES)?];
                let id = Made::new(*number).id.to_lowercase();
                Ok(serde_json::from_str(&row.replace(&sample.id.to_lowercase(), &id))?)
            });
            let copies = copies.collect::<Result<Vec<Item>>>()?;
            let imported = database.import_items(TABLE, copies, ImportOptions::default());
            imported.map_err(failed)?;
        }
        database.disable_bulk_loading().map_err(failed)?;
        Ok(())
    }
}

/// Reads what is due as `take_steps` does.
async fn minute(store: &Store, due: u64, now: Timestamp) -> Result<Minute> {
    drop(usage::take());
    let mut found = 0;
    for shard in 0..SHARDS {
        let (mut from, mut seen) = (None, 0);
        while seen < IN_REACH {
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
    ensure!(u64::try_from(found)? == due, "{found} steps found of {due}");
    Ok(Minute {
        due,
        found,
        requests: used.requests,
        units: used.read_units,
    })
}
