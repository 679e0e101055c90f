#!/usr/bin/env bash
# Expected: in n8n, whose workflow has the time zone Asia/Dubai, a text that becomes a date by toDateTime() is shown in that zone.
# Seen on 29 November 2026, n8n-workflow 2.41.0 (npm):
#   "2026-12-05T19:30:00Z" stays in UTC: formatted, it is 19:30, not 23:30; $now in the same expression is in Dubai's time
#   "2026-12-05 19:30" is 19:30 in Dubai, and "05/12/2026" is 12 May, at 04:00
#   1780000000 (seconds, as in WhatsApp's webhooks) is a day of January 1970, without an error; "1780000000" is an error
# Also, (0).isEmpty() is true, but $ifEmpty(0, "none") is 0.
# Why it matters: the times in messages to customers are four hours off only where the sender ends them with Z, and the same flow
# is right for hand-written test data. Write .toDateTime().setZone($now.zoneName), and .toDateTime("s") for seconds.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --no-save --ignore-scripts n8n-workflow@2.41.0

cat >show.cjs <<'JS'
const { Workflow } = require("n8n-workflow");

const description = { name: "node", displayName: "node", group: [], version: 1, description: "", defaults: {}, inputs: [], outputs: [], properties: [] };
const nodeTypes = { getByName() {}, getByNameAndVersion: () => ({ description }), getKnownTypes: () => ({}) };
const nodes = [{ id: "1", name: "node", typeVersion: 1, type: "node", position: [0, 0], parameters: {} }];
const workflow = new Workflow({ id: "1", nodes, connections: {}, active: false, nodeTypes, settings: { timezone: "Asia/Dubai" } });
const form = ".toFormat('yyyy-MM-dd HH:mm ZZ')";
for (const expression of [
  "'2026-12-05T19:30:00Z'.toDateTime()" + form, "'2026-12-05T19:30:00Z'.toDateTime().setZone($now.zoneName)" + form, "$now.zoneName",
  "'2026-12-05 19:30'.toDateTime()" + form, "'05/12/2026'.toDateTime()" + form, "(1780000000).toDateTime()" + form,
  "(1780000000).toDateTime('s').setZone($now.zoneName)" + form, "'1780000000'.toDateTime()" + form, "(0).isEmpty()", "$ifEmpty(0, 'none')",
]) {
  let value;
  try {
    value = workflow.expression.getParameterValue(`={{ ${expression} }}`, null, 0, 0, "node", [{ json: {} }], "manual", {}, undefined);
  } catch (error) {
    value = `error: ${error.message}`;
  }
  console.log(expression.replace(form, ""), "=>", value);
}
JS
seen=$(TZ=UTC node show.cjs)
printf '%s\n' "$seen"

expected="'2026-12-05T19:30:00Z'.toDateTime() => 2026-12-05 19:30 +00:00
'2026-12-05T19:30:00Z'.toDateTime().setZone(\$now.zoneName) => 2026-12-05 23:30 +04:00
\$now.zoneName => Asia/Dubai
'2026-12-05 19:30'.toDateTime() => 2026-12-05 19:30 +04:00
'05/12/2026'.toDateTime() => 2026-05-12 04:00 +04:00
(1780000000).toDateTime() => 1970-01-21 18:26 +04:00
(1780000000).toDateTime('s').setZone(\$now.zoneName) => 2026-05-29 00:26 +04:00
'1780000000'.toDateTime() => error: cannot convert to Luxon DateTime
(0).isEmpty() => true
\$ifEmpty(0, 'none') => 0"
[ "$seen" = "$expected" ] || { echo "Changed: n8n's expressions have other values than noted." >&2; exit 1; }
