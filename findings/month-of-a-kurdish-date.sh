#!/usr/bin/env bash
# Expected: date-fns reads a date that it wrote, in the same locale and format.
# Seen on 2 December 2026: date-fns 4.4.0 (npm) reads its own Kurdish (ckb) January, September, October and November as the December of
# that year, and takes morning for evening and evening for morning, all without an error. In the Arabic of Saudi Arabia it reads no
# month at all, in that of Morocco one of twelve; in ar, ar-EG and English all.
# Why it matters: a file of appointments that one program of a shop in Erbil or Riyadh wrote for the other is moved by up to eleven
# months, or refused as a whole. The locales look alike in the list, and a test with "ar" says that Arabic works.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --no-save --ignore-scripts date-fns@4.4.0

cat >show.mjs <<'JS'
import { format, parse } from "date-fns";
import { ar, arEG, arMA, arSA, ckb, enUS } from "date-fns/locale";

const form = "d MMMM yyyy, h:mm a";
for (const [name, locale] of Object.entries({ enUS, ar, arEG, arSA, arMA, ckb })) {
  let days = 0;
  const others = new Set();
  for (let month = 0; month < 12; month++) {
    const date = new Date(2026, month, 14);
    const read = parse(format(date, "d MMMM yyyy", { locale }), "d MMMM yyyy", date, { locale });
    if (read.getTime() === date.getTime()) days++;
    else others.add(isNaN(read) ? "refused" : `month ${month + 1} read as ${read.getMonth() + 1}`);
  }
  console.log(name, "reads", days, "of 12 months;", [...others].join(", ") || "all");
}
for (const hour of [9, 21]) {
  const written = format(new Date(2026, 0, 14, hour, 30), form, { locale: ckb });
  console.log(written, "=>", format(parse(written, form, new Date(2026, 0, 1), { locale: ckb }), "yyyy-MM-dd HH:mm"));
}
JS
seen=$(node show.mjs)
printf '%s\n' "$seen"

expected='enUS reads 12 of 12 months; all
ar reads 12 of 12 months; all
arEG reads 12 of 12 months; all
arSA reads 0 of 12 months; refused
arMA reads 1 of 12 months; refused
ckb reads 8 of 12 months; month 1 read as 12, month 9 read as 12, month 10 read as 12, month 11 read as 12
14 کانوونی دووەم 2026, 9:30 پ-ن => 2026-12-14 21:30
14 کانوونی دووەم 2026, 9:30 د-ن => 2026-12-14 09:30'
[ "$seen" = "$expected" ] || { echo "Changed: date-fns reads its own dates in another way than noted." >&2; exit 1; }
