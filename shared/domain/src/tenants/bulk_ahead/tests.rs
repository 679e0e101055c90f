use std::collections::VecDeque;

use proptest::prelude::*;
use ulid::Ulid;

use super::*;

const HALF_AN_HOUR: SignedDuration = SignedDuration::from_mins(30);

fn after(seconds: i64) -> Timestamp {
    let noon: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
    noon + SignedDuration::from_secs(seconds)
}

fn rate(number: u128, per_second: u32) -> Option<NumberRate> {
    let connection = ConnectionId::new(Ulid(number));
    Some(NumberRate { connection, per_second })
}

fn workers(number: u32) -> BulkWorkers {
    BulkWorkers::new(number).unwrap()
}

/// Places in one run for as many messages as there are room for, each number in its turn.
fn take_all(ahead: &mut BulkAhead, numbers: &[Option<NumberRate>], now: Timestamp) -> Vec<Vec<Timestamp>> {
    let mut places: Vec<Vec<Timestamp>> = numbers.iter().map(|_| Vec::new()).collect();
    loop {
        let mut found = false;
        for (number, places) in numbers.iter().zip(&mut places) {
            let place = ahead.place(*number, now);
            found |= place.is_some();
            places.extend(place);
        }
        if !found {
            return places;
        }
    }
}

/// Twenty workers send 100 a second. A first run adds three minutes of them, a later one as much as fifteen have room for.
#[test]
fn run_fills_up_to_what_is_sent_in_fifteen_minutes() {
    let cases = [
        // Rates of numbers, 0 for messages by SMS; what the queue holds; queued by the first run of a process, and by one a minute later.
        (vec![64], 0, vec![11_520], vec![49_920]),
        (vec![2], 0, vec![360], vec![1_560]),
        (vec![0], 0, vec![18_000], vec![78_000]),
        (vec![64, 64, 64], 0, vec![6_000; 3], vec![26_000; 3]),
        (vec![64, 2], 0, vec![11_520, 360], vec![49_920, 1_560]),
        // The count tells of a number that this process has not queued for.
        (vec![64], 40_000, vec![17_600], vec![6_000]),
        (vec![64], 57_600, vec![3_840], vec![3_840]),
        (vec![0], 90_000, vec![0], vec![6_000]),
    ];
    for (rates, counted, first, second) in cases {
        let mut ahead = BulkAhead::new(workers(20), HALF_AN_HOUR);
        let numbers: Vec<_> = (1..)
            .zip(&rates)
            .map(|(number, per)| rate(number, *per).filter(|_| *per > 0))
            .collect();
        for (minute, expected) in [(0, first), (1, second)] {
            // The queue's count has not changed since.
            ahead.begin(if minute == 0 { counted } else { 0 }, after(60 * minute));
            let places = take_all(&mut ahead, &numbers, after(60 * minute));
            let counts: Vec<usize> = places.iter().map(Vec::len).collect();
            assert_eq!(counts, expected, "{rates:?} {counted} in minute {minute}");
        }
    }
}

#[test]
fn number_gets_a_message_in_each_of_its_places() {
    let mut ahead = BulkAhead::new(workers(20), HALF_AN_HOUR);
    ahead.begin(0, after(0));
    let places = take_all(&mut ahead, &[rate(1, 4), None], after(0));
    let expected: Vec<_> = (0..6)
        .map(|place| after(0) + SignedDuration::from_millis(250) * place)
        .collect();
    assert_eq!(places[0][..6], expected);
    assert!(places[1].iter().all(|at| *at == after(0)));
    // A later run goes on behind them as far as they are not in the next minute, and a number that has none queued begins at once.
    ahead.begin(700, after(150));
    assert_eq!(ahead.place(rate(1, 4), after(150)), Some(after(180)));
    assert_eq!(ahead.place(rate(2, 4), after(150)), Some(after(150)));
}

#[test]
fn short_leases_bring_short_times_ahead() {
    let mut ahead = BulkAhead::new(workers(2), SignedDuration::from_secs(100));
    for (second, count) in [(0, 100), (10, 500)] {
        ahead.begin(0, after(second));
        assert_eq!(take_all(&mut ahead, &[None], after(second))[0].len(), count);
    }
}

#[test]
fn numbers_of_workers_have_a_range() {
    for (number, fits) in [
        (0, false),
        (1, false),
        (2, true),
        (20, true),
        (1_000, true),
        (1_001, false),
    ] {
        assert_eq!(BulkWorkers::new(number).is_some(), fits, "{number}");
    }
    assert_eq!(workers(20).per_second(), 100);
}

/// A message that waits: the number that sends it, and the time when it is due.
#[derive(Debug, Clone, Copy)]
struct Row {
    number: Option<NumberRate>,
    due: i64,
}

/// A deployment whose dispatcher runs every so many seconds.
struct Deployment {
    workers: BulkWorkers,
    lease: SignedDuration,
    every: i64,
    /// Runs by which the count of the queue lags.
    lag: usize,
    /// Runs that a new process makes.
    restarts: Vec<bool>,
}

impl Deployment {
    /// The times of sending of all rows, each with the time for which it was queued. Workers take a job when its time has come.
    fn send_all(&self, mut rows: Vec<Row>) -> Vec<[Timestamp; 2]> {
        rows.sort_by_key(|row| row.due);
        let mut waiting: VecDeque<Row> = rows.into();
        let mut ahead = BulkAhead::new(self.workers, self.lease);
        let (mut queued, mut sent, mut counts) = (Vec::<Timestamp>::new(), Vec::new(), Vec::new());
        let mut free = after(0);
        for run in 0.. {
            if waiting.is_empty() && queued.is_empty() {
                break;
            }
            let now = after(run * self.every);
            while let Some(at) = queued.first().copied().filter(|at| free.max(*at) < now) {
                queued.remove(0);
                free = free.max(at);
                sent.push([at, free]);
                free += time_of_one(self.workers.per_second());
            }
            counts.push(queued.len() as u64);
            let place = usize::try_from(run).unwrap();
            if self.restarts.get(place).is_some_and(|restarts| *restarts) {
                ahead = BulkAhead::new(self.workers, self.lease);
            }
            ahead.begin(place.checked_sub(self.lag).map_or(0, |place| counts[place]), now);
            waiting.retain(|row| {
                let place = (after(row.due) <= now).then(|| ahead.place(row.number, now)).flatten();
                queued.extend(place);
                place.is_none()
            });
            queued.sort_unstable();
        }
        sent
    }
}

/// Rates of numbers that send slower and faster than the workers, and SMS.
fn some_rows() -> impl Strategy<Value = Vec<Row>> {
    let row = (0..4_usize, 0..60_i64).prop_map(|(which, due)| Row {
        number: [None, rate(1, 3), rate(2, 8), rate(3, 40)][which],
        due,
    });
    prop::collection::vec(row, 0..1_500)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever the count of the queue lags behind, and however often another process runs, each row is sent within its lease, so that none is
    /// queued twice.
    #[test]
    fn rows_are_sent_before_their_leases_end(
        rows in some_rows(),
        lag in 0..3_usize,
        restarts in prop::collection::vec(any::<bool>(), 0..40),
    ) {
        // A thirtieth of the real times: a lease of a minute, and a run every two seconds.
        let lease = SignedDuration::from_secs(60);
        let deployment = Deployment { workers: workers(2), lease, every: 2, lag, restarts };
        let count = rows.len();
        let sent = deployment.send_all(rows);
        prop_assert_eq!(sent.len(), count);
        for [at, sent] in sent {
            prop_assert!(sent < at + lease, "queued for {} and sent at {}", at, sent);
        }
    }

    /// A campaign by its recipients' clocks: a pre-flight foresees when the last message leaves, however many each zone has.
    #[test]
    fn last_message_leaves_when_it_is_foreseen(
        zones in prop::collection::vec((0..8_i64, 1..500_usize, 0..2_usize), 1..6),
        late in 0..60_i64,
    ) {
        let (workers, number) = (workers(2), rate(1, 3));
        let mut rows = Vec::new();
        for (quarter, count, by_sms) in zones {
            let number = number.filter(|_| by_sms == 0);
            rows.extend(std::iter::repeat_n(Row { number, due: quarter * 900 + late }, count));
        }
        let (mut of_number, mut of_all) = (BusyTimes::default(), BusyTimes::default());
        for row in rows.iter().rev() {
            of_all.add(after(row.due), workers.per_second());
            if let Some(NumberRate { per_second, .. }) = row.number {
                of_number.add(after(row.due), per_second);
            }
        }
        let foreseen = of_all.last_at(workers.per_second()).max(of_number.last_at(3)).unwrap();
        let deployment = Deployment { workers, lease: HALF_AN_HOUR, every: 60, lag: 1, restarts: Vec::new() };
        let left = deployment.send_all(rows).into_iter().map(|[_, sent]| sent).max().unwrap();
        let differ = left.duration_since(foreseen);
        prop_assert!(differ.abs() <= SignedDuration::from_mins(2), "foreseen {foreseen}, left {left}");
        prop_assert!(SignedDuration::from_secs(-1) <= differ, "none leaves before it may");
    }

    /// In whatever order messages are added, the last is sent when a queue that is worked in the order of time sends it.
    #[test]
    fn busy_times_are_those_of_a_queue(mut seconds in prop::collection::vec(0..45_i64, 1..200), per_second in 1..5_u32) {
        let mut times = BusyTimes::default();
        for second in &seconds {
            times.add(after(*second), per_second);
        }
        seconds.sort_unstable();
        let mut free = after(0);
        let mut last = free;
        for second in seconds {
            last = free.max(after(second));
            free = last + time_of_one(per_second);
        }
        let found = times.last_at(per_second).unwrap();
        prop_assert!(found.duration_since(last).abs() <= SignedDuration::from_millis(400), "{found} instead of {last}");
    }
}

/// A message each minute for two weeks: few periods are kept, and the end is exact.
#[test]
fn busy_times_stay_small() {
    let mut times = BusyTimes::default();
    for minute in 0..20_000 {
        times.add(after(60 * minute), 64);
    }
    assert!(serde_json::to_string(&times).unwrap().len() < 1_300);
    assert_eq!(times.last_at(64), Some(after(60 * 19_999)));
    assert_eq!(BusyTimes::default().last_at(64), None);
}
