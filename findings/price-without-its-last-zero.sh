#!/usr/bin/env bash
# Expected: Shopify's formatMoney shows the prices of Shopify's own interfaces.
# Seen on 2 December 2026: formatMoney of @shopify/theme-currency 4.1.1 (npm), which promises to take "3.00 dollars", deletes the point
# of a text and takes the rest for cents. "199.00", as REST answers and webhooks write a price, is 199.00. GraphQL's amount is a decimal
# without needless zeros: "199.0" becomes 19.90 and "199.5" 19.95, while "29.999", the example in Shopify's reference of that type,
# becomes 299.99.
# Why it matters: the order's message says a tenth of the price as soon as a shop's program moves from REST to GraphQL, which Shopify
# asks for. Prices that end in .99 stay right, so a look at a few orders shows nothing.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --no-save --ignore-scripts @shopify/theme-currency@4.1.1

cat >show.cjs <<'JS'
const { formatMoney } = require("@shopify/theme-currency");
for (const price of ["199.00", "199.99", "199.0", "199.5", "29.999"]) {
  console.log(price, "=>", formatMoney(price, "Dhs. {{amount}}"), "or", formatMoney(price, "{{amount_no_decimals}} د.إ"));
}
JS
seen=$(node show.cjs)
printf '%s\n' "$seen"

expected='199.00 => Dhs. 199.00 or 199 د.إ
199.99 => Dhs. 199.99 or 200 د.إ
199.0 => Dhs. 19.90 or 20 د.إ
199.5 => Dhs. 19.95 or 20 د.إ
29.999 => Dhs. 299.99 or 300 د.إ'
[ "$seen" = "$expected" ] || { echo "Changed: the prices are shown in another way than noted." >&2; exit 1; }
