//! Cost of rows, and rows a second.

use std::time::{Duration, Instant};

use import_contacts::Context;
use kit::operation::Ran;
use serde_json::json;
use store::table::usage;

use super::world::{COUNTING, World, mapping, result};

/// Write units of a row with a name of two words, a telephone number and an e-mail address, everything included.
const BUDGET: f64 = 11.0;

/// A table of different people with a name of two words, a telephone number and an e-mail address.
fn table(rows: usize) -> String {
    let mut table = "name,phone,email\n".to_owned();
    for number in 0..rows {
        let letters: String = format!("{number:06}")
            .bytes()
            .map(|digit| char::from(digit - b'0' + b'a'))
            .collect();
        table.push_str(&format!("Maya {letters},+9715{number:08},{letters}@example.com\n"));
    }
    table
}

#[tokio::test]
async fn imported_row_stays_within_its_write_units() {
    let _alone = COUNTING.write().await;
    let mut world = World::without_claim().await;
    // Every step has a checkpoint, and a slow machine would make more steps.
    let hour = Duration::from_secs(3600);
    world.ctx = Context::new(world.aws.env()).unwrap().in_steps_of_time(hour);
    let rows = 300;
    let import = world.upload(table(rows)).await;
    let order = json!({"mapping": mapping(&["name", "phone", "email"])});
    let start = world.start(&import, order).await;
    let _before = usage::take();
    let done = result(&world.finish(&start).await);
    let used = usage::take();
    assert_eq!(done.counts.created, 300);
    let units = used.write_units / 300.0;
    eprintln!("{units:.2} write units a row, {:?}", used.actions);
    // A claim, two checkpoints and slots, for these few rows.
    assert!(units <= BUDGET + 0.15, "{units}");
}

/// The largest amount of memory that the process has had, in MiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()).unwrap();
    kilobytes.parse::<u64>().unwrap() / 1024
}

/// Two workers die in the middle of a large table: the number is exact all the same. `IMPORTED_ROWS=100000` makes it as large as an
/// import may be, which takes the emulator a long time; with `--nocapture` it says how many rows a second there were, what they
/// cost, and how much memory they took.
#[tokio::test]
async fn large_import_is_exact_despite_two_crashes() {
    let _alone = COUNTING.write().await;
    let world = World::without_claim().await;
    let rows = testkit::size("IMPORTED_ROWS", 600);
    let import = world.upload(table(rows)).await;
    let order = json!({"mapping": mapping(&["name", "phone", "email"])});
    let start = world.start(&import, order).await;
    let (before, begun) = (peak(), Instant::now());
    let _before = usage::take();
    let mut crashes = 0;
    loop {
        let operation = world.operations.get(&start).await;
        let done = usize::try_from(operation.progress.done).unwrap();
        if done >= rows * crashes / 3 && crashes < 2 {
            world.killed_step(&start, 700).await;
            crashes += 1;
        }
        match world.run_step(&start).await {
            Ran::Continues => eprintln!("{done} rows, {:.0} s, {} MiB", begun.elapsed().as_secs_f64(), peak()),
            ran => {
                assert_eq!(ran, Ran::Ended);
                break;
            }
        }
    }
    let (seconds, used) = (begun.elapsed().as_secs_f64(), usage::take());
    let counts = result(&world.operations.get(&start).await).counts;
    let all = u64::try_from(rows).unwrap();
    assert_eq!((counts.rows, counts.created), (all, all));
    let count = u32::try_from(rows).unwrap();
    eprintln!(
        "{rows} rows in {seconds:.0} s: {:.0} rows/s, {:.2} write units a row, {} requests, {} MiB at most ({before} MiB before)",
        f64::from(count) / seconds,
        used.write_units / f64::from(count),
        used.requests,
        peak()
    );
    eprintln!("{:?}", used.actions);
    // The emulator takes far longer for reading 100,000 contacts back than for writing them.
    assert_eq!(world.people().await.len(), rows);
}
