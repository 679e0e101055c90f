//! `clock`: moves the time of the local stack, of its functions and of its simulators. The emulator stays at the machine's time, since
//! it would refuse requests that are signed for another one.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::aws::Aws;
use crate::build::{self, Function};
use crate::deploy::STACK;
use crate::endpoints::Endpoints;
use crate::place::Place;
use crate::report::step;
use crate::tools::Tools;

/// The variable that the functions read.
const VARIABLE: &str = "CLOCK_OFFSET_SECONDS";

/// Where the offset is kept while the stack does not run.
pub const FILE: &str = "clock.json";

/// Furthest that the time can be moved: what the functions accept.
const FURTHEST: SignedDuration = SignedDuration::from_hours(10 * 365 * 24);

/// Reads a distance such as `+24h`.
pub fn distance(text: &str) -> Result<SignedDuration> {
    const EXPECTED: &str = "expected how far to move the time, such as +24h, +90m or +7d";
    let number = text.strip_prefix('+').unwrap_or(text);
    let unit = number.chars().last().context(EXPECTED)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        _ => bail!(EXPECTED),
    };
    ensure!(
        !text.starts_with('-'),
        "time only moves forward; `cargo stack up --fresh` begins anew with the machine's time"
    );
    let number: i64 = number[..number.len() - 1].parse().context(EXPECTED)?;
    let by = number.checked_mul(seconds).map(SignedDuration::from_secs);
    let by = by.filter(|by| by.is_positive() && *by <= FURTHEST);
    by.with_context(|| format!("{EXPECTED}, at most {}d", FURTHEST.as_hours() / 24))
}

/// Moves the time of the stack that runs here, if a distance is given, and shows it.
pub async fn clock(place: &Place, by: Option<SignedDuration>) -> Result<()> {
    let mut endpoints = Endpoints::of_running(place)?;
    if let Some(by) = by {
        let tools = Tools::set_up(place).await?;
        let aws = Aws::local(tools, endpoints.aws_endpoint.clone());
        let functions = build::functions(&place.root)?;
        advance(place, &aws, &functions, &mut endpoints, by).await?;
    }
    println!("{}", describe_time(endpoints.clock_offset_seconds));
    Ok(())
}

/// Moves the time of a running stack to where it was when it started, after a demonstration.
pub async fn restore(place: &Place, aws: &Aws, functions: &[Function], started: &Endpoints) -> Result<()> {
    let offset = started.clock_offset_seconds;
    if read_offset(place) == offset {
        return Ok(());
    }
    set(place, aws, functions, &mut started.clone(), offset).await
}

/// Moves the time of a running stack. If something does not answer, nothing is moved back: repeat it.
pub async fn advance(
    place: &Place,
    aws: &Aws,
    functions: &[Function],
    endpoints: &mut Endpoints,
    by: SignedDuration,
) -> Result<()> {
    let ahead = SignedDuration::from_secs(endpoints.clock_offset_seconds.into()) + by;
    let days = FURTHEST.as_hours() / 24;
    ensure!(ahead <= FURTHEST, "the time can be at most {days} days ahead");
    let offset = u32::try_from(ahead.as_secs()).context("time moves forward")?;
    set(place, aws, functions, endpoints, offset).await
}

async fn set(place: &Place, aws: &Aws, functions: &[Function], endpoints: &mut Endpoints, offset: u32) -> Result<()> {
    // First, since functions that are ahead take what providers report for old.
    move_simulators(&endpoints.simulators, offset).await?;
    step("moving the time", move_functions(aws, functions, offset)).await?;
    std::fs::write(file(place), offset.to_string()).context("noting the time")?;
    endpoints.clock_offset_seconds = offset;
    endpoints.write(place)
}

/// The last offset of this data directory's stack, in seconds.
pub fn read_offset(place: &Place) -> u32 {
    let kept = std::fs::read_to_string(file(place)).ok();
    kept.and_then(|text| text.trim().parse().ok()).unwrap_or_default()
}

fn file(place: &Place) -> PathBuf {
    place.data.join(FILE)
}

/// Functions read their environment when they start, and they start anew when it changes. Schedules are moved after all others: what
/// they find due goes to functions that would not take it for due yet.
pub(crate) async fn move_functions(aws: &Aws, functions: &[Function], offset: u32) -> Result<()> {
    let mut functions: Vec<_> = functions.iter().collect();
    functions.sort_by_key(|function| function.room == "schedules");
    let names: Vec<String> = functions
        .into_iter()
        .map(|function| function.deployed_name(STACK))
        .collect();
    aws.set_variable(VARIABLE, &offset.to_string(), &names).await
}

pub(crate) async fn move_simulators(simulators: &str, offset: u32) -> Result<()> {
    let http = reqwest::Client::builder().timeout(Duration::from_secs(30)).build()?;
    let put = http.put(format!("{simulators}/clock"));
    let answer = put.json(&json!({ "offset_seconds": offset })).send().await;
    let answer = answer.and_then(reqwest::Response::error_for_status);
    answer.map(drop).context("moving the simulators' time")
}

fn describe_time(offset: u32) -> String {
    let ahead = SignedDuration::from_secs(offset.into());
    let now = Timestamp::now() + ahead;
    if offset == 0 {
        return format!("It is {now:.0}, as on this machine.");
    }
    format!("It is {now:.0}: {ahead:#} ahead of this machine. Schedules run within a minute.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_go_forward() {
        let hours = |text: &str| distance(text).map(|by| by.as_hours()).ok();
        assert_eq!(hours("+24h"), Some(24));
        assert_eq!(hours("90m"), Some(1));
        assert_eq!(hours("+7d"), Some(168));
        assert_eq!(hours("+3600s"), Some(1));
        for wrong in [
            "",
            "+",
            "24",
            "+0h",
            "-1h",
            "1.5h",
            "+1w",
            "4000d",
            "+9223372036854775807d",
            "+١h",
        ] {
            assert!(distance(wrong).is_err(), "{wrong}");
        }
    }
}
