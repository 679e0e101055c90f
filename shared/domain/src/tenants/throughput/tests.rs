use super::*;

fn noon() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

fn after(seconds: i64) -> Timestamp {
    noon() + SignedDuration::from_secs(seconds)
}

const fn throttle_at(limit: u32, at: Timestamp) -> Option<Throttled> {
    Some(Throttled { limit, at })
}

#[test]
fn bulk_leaves_room_for_answers() {
    let cases = [
        // Maximum, learnt, places of bulk, places of answers, whether answers need one.
        (80, None, 64, 80, false),
        (20, None, 16, 20, false),
        (1_000, None, 800, 1_000, false),
        (2, None, 1, 2, false),
        (1, None, 1, 1, false),
        (80, Some(40), 20, 40, true),
        (80, Some(1), 0, 1, true),
    ];
    for (most, learnt, bulk, answers, leased) in cases {
        let throughput = Throughput::of(most, learnt.and_then(|limit| throttle_at(limit, noon())), noon());
        let rooms = Lane::ALL.map(|lane| throughput.room(lane));
        assert_eq!(rooms, [answers, bulk], "{most} {learnt:?}");
        assert_eq!(
            Lane::ALL.map(|lane| throughput.is_leased(lane)),
            [leased, true],
            "{most}"
        );
    }
}

#[test]
fn throttled_number_recovers_within_ten_minutes() {
    for (minute, limit) in [(-1, 40), (0, 40), (1, 44), (5, 60), (9, 76)] {
        let throughput = Throughput::of(80, throttle_at(40, noon()), after(minute * 60));
        assert_eq!(
            (throughput.limit(), throughput.throttled_at),
            (limit, Some(noon())),
            "{minute}"
        );
    }
    for minute in [10, 11] {
        let throughput = Throughput::of(80, throttle_at(40, noon()), after(minute * 60));
        assert_eq!(throughput, Throughput::of(80, None, noon()));
    }
    // The number's limit has changed since.
    assert_eq!(Throughput::of(1_000, throttle_at(40, noon()), after(300)).limit(), 520);
    assert_eq!(Throughput::of(20, throttle_at(40, noon()), after(0)).limit(), 20);
}

#[test]
fn refusals_for_one_reason_teach_once() {
    let first = Throttled::learnt(None, 80, noon(), after(1));
    assert_eq!(first, throttle_at(40, after(1)));
    // Sent before it was learnt, or under way then; the first one again.
    for sent_at in [0, 1, 6] {
        assert_eq!(Throttled::learnt(first, 80, after(sent_at), after(7)), None);
    }
    assert_eq!(
        Throttled::learnt(first, 80, after(7), after(8)),
        throttle_at(20, after(8))
    );
    assert_eq!(
        Throttled::learnt(first, 80, after(301), after(301)),
        throttle_at(30, after(301))
    );
    assert_eq!(
        Throttled::learnt(throttle_at(1, noon()), 80, after(6), after(6)),
        throttle_at(1, after(6))
    );
}

/// Takes blocks as a process does that alone uses a number, and sends as many messages per second as it can, at most so many. Returns how
/// many it sent in each second, and the number of its writes.
fn sent_alone(throughput: &Throughput, at_most: u32, seconds: i64) -> (Vec<u32>, u32) {
    let (mut row, mut held, mut writes) = (None, Held::default(), 0);
    let each = (0..seconds).map(|second| {
        let now = after(second);
        let mut sent = 0;
        while sent < at_most {
            match held.turn(throughput, now) {
                Turn::Go => sent += 1,
                Turn::Wait(_) => break,
                Turn::Take => match throughput.next_block(Lane::Bulk, row, now) {
                    Ok(block) => {
                        row = Some(block.after(row).unwrap());
                        writes += 1;
                        held.took(block);
                    }
                    Err(until) => held.found_none(until),
                },
            }
        }
        sent
    });
    (each.collect(), writes)
}

#[test]
fn blocks_cost_at_most_a_tenth_of_a_write_per_message() {
    for (most, learnt, at_most) in [
        (80, None, 1),
        (80, None, 64),
        (20, None, 5),
        (1_000, None, 90),
        (80, Some(2), 9),
    ] {
        let throughput = Throughput::of(most, learnt.and_then(|limit| throttle_at(limit, noon())), noon());
        let (sent, writes) = sent_alone(&throughput, at_most, 60);
        let expected = at_most.min(throughput.room(Lane::Bulk));
        assert_eq!(sent, vec![expected; 60], "{most}");
        let sum: u32 = sent.iter().sum();
        assert!(writes * 10 <= sum, "{writes} writes for {sum} messages");
    }
}

/// The rest of its block is missing until the span ends, and no longer.
#[test]
fn process_that_dies_wastes_its_block_until_the_span_ends() {
    let throughput = Throughput::of(80, None, noon());
    let lost = throughput.next_block(Lane::Bulk, None, noon()).unwrap();
    assert_eq!(lost.places, 8, "an eighth of the room");
    let (mut row, mut held) = (lost.after(None), Held::default());
    let mut places = |now: Timestamp| {
        let mut sent = 0;
        loop {
            match held.turn(&throughput, now) {
                Turn::Go => sent += 1,
                Turn::Wait(until) => return (sent, until),
                Turn::Take => match throughput.next_block(Lane::Bulk, row, now) {
                    Ok(block) => {
                        row = block.after(row);
                        held.took(block);
                    }
                    Err(until) => held.found_none(until),
                },
            }
        }
    };
    assert_eq!(places(after(1)), (56, after(2)));
    assert_eq!(places(after(9)), (56, after(10)));
    assert_eq!(places(after(10)), (64, after(11)));
}

#[test]
fn block_from_before_the_number_was_throttled_is_worth_nothing() {
    let before = Throughput::of(80, None, noon());
    let mut held = Held::default();
    held.took(before.next_block(Lane::Bulk, None, noon()).unwrap());
    assert_eq!(held.turn(&before, after(1)), Turn::Go);
    let throttled = Throughput::of(80, throttle_at(40, after(1)), after(1));
    assert_eq!(held.turn(&throttled, after(1)), Turn::Take);
    // A message that was read before the number was throttled gets no old place either.
    assert_eq!(held.turn(&before, after(1)), Turn::Take);
    held.took(throttled.next_block(Lane::Bulk, None, after(1)).unwrap());
    assert_eq!(held.turn(&before, after(1)), Turn::Go);
    assert!(!held.is_over(after(10)) && held.is_over(after(11)));
}

#[test]
fn clock_behind_waits_for_the_span_that_another_began() {
    let throughput = Throughput::of(80, None, noon());
    let span = |second: i64, taken| {
        Some(TakenSpan {
            second: after(second).as_second(),
            taken,
        })
    };
    for (last, now, expected) in [
        (span(2, 8), 0, Err(2)),
        (span(2, 8), 2, Ok((2, false))),
        (span(2, 8), 11, Ok((2, false))),
        (span(2, 56), 11, Ok((2, false))),
        (span(2, 63), 11, Ok((2, false))),
        (span(2, 64), 11, Err(12)),
        (span(2, 64), 12, Ok((12, true))),
        (None, 5, Ok((5, true))),
    ] {
        let block = throughput.next_block(Lane::Bulk, last, after(now));
        let found = block.map(|block| (block.second - noon().as_second(), block.begins));
        let found = found.map_err(|until| until.as_second() - noon().as_second());
        assert_eq!(found, expected, "{last:?} at {now}");
    }
}

#[test]
fn waits_in_bulk_grow_and_are_spread() {
    for (waited, place, wait) in [(0, 0, 60), (0, 500, 90), (0, 999, 119), (120, 500, 180), (7200, 0, 600)] {
        let found = wait_of_bulk(SignedDuration::from_secs(waited), place);
        assert_eq!(found.as_secs(), wait, "{waited} {place}");
    }
}
