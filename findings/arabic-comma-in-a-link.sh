#!/usr/bin/env bash
# Expected: a link in a text ends before the comma or question mark that follows it, in Arabic as in English.
# Seen on 30 November 2026: linkifyjs 4.4.0 takes the Arabic comma, semicolon and question mark (U+060C, U+061B, U+061F) for a part of the
# address, and leaves a Latin comma out. linkify-it 6.1.0 and autolinker 4.1.5 leave all of them out.
# Why it matters: an inbox that shows customers' messages with it opens pages that do not exist, in Arabic only.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --no-save --ignore-scripts linkifyjs@4.4.0 linkify-it@6.1.0 autolinker@4.1.5

cat >show.cjs <<'JS'
const linkify = require("linkifyjs");
const { LinkifyIt, default: Default } = require("linkify-it");
const linkifyIt = new (LinkifyIt ?? Default)();
const autolinker = require("autolinker").default;
const page = "https://example.com/cake";
for (const sign of [",", "\u060c", "\u061b", "\u061f"]) {
  const text = `\u0627\u0637\u0644\u0628 ${page}${sign} \u0634\u0643\u0631\u0627`;
  const found = {
    linkifyjs: linkify.find(text)[0].href,
    "linkify-it": linkifyIt.match(text)[0].url,
    autolinker: autolinker.parse(text, {})[0].getAnchorHref(),
  };
  const shown = Object.entries(found).map(([name, link]) => `${name} ${link === page ? "without" : link === page + sign ? "with it" : link}`);
  console.log(`U+${sign.charCodeAt(0).toString(16).padStart(4, "0")}:`, shown.join(", "));
}
JS
seen=$(node show.cjs)
printf '%s\n' "$seen"

expected='U+002c: linkifyjs without, linkify-it without, autolinker without
U+060c: linkifyjs with it, linkify-it without, autolinker without
U+061b: linkifyjs with it, linkify-it without, autolinker without
U+061f: linkifyjs with it, linkify-it without, autolinker without'
[ "$seen" = "$expected" ] || { echo "Changed: links are found in another way than noted." >&2; exit 1; }
