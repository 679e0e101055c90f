/** The console calls every operation of the API, or a list says why not. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";

interface Contract {
  paths: Record<string, Record<string, { operationId?: string }>>;
}

/** Operations that no page calls, by the reason. */
const ELSEWHERE: Record<string, string[]> = {
  "asked for by the session itself, without the client": ["log_out", "refresh_session"],
  "for software and operators": ["get_health", "get_openapi", "get_signing_keys", "judge_asset", "judge_medium"],
  "a form changes the whole, so no page changes a part alone": ["add_email", "add_phone", "remove_email", "remove_phone", "remove_whatsapp_id"],
  "read with something else that the page shows": [
    "get_automation_version", "get_conversation_draft", "get_conversion", "get_suppression", "get_template_version", "get_user", "list_conversions", "list_notes",
  ],
  "sent by the API's other operation, which takes a template, too": ["send_template"],
  "it is turned off, so that its versions or its words stay": ["delete_automation", "delete_event_message"],
  "printed from the page of the consent, which has the same": ["get_consent_proof_page"],
  "a phone's preview of a template is drawn while it is written": ["preview_template"],
  "for a shop's software": ["create_order"],
  "a segment is counted and changed; its contacts are in the list by tag and stage": ["list_segment_contacts"],
};

const sources = new Map(globSync("app/**/*.{svelte,ts}", { exclude: ["app/api/contract.d.ts", "app/api/permissions.ts", "app/api/usual.ts"] }).map((path) => [path, readFileSync(path, "utf8")]));

/** Paths of the API that a file names, with those that it imports. */
function pathsOf(file: string, imported = true): Map<string, string> {
  const text = sources.get(file) ?? "";
  const own = [...text.matchAll(/const (\w+) = "(\/api\/v1\/[^"]+)"/g)].map(([, name = "", path = ""]) => [name, path] as const);
  const others = imported ? [...text.matchAll(/from "(\.[^"]+\.ts)"/g)].flatMap(([, from = ""]) => [...pathsOf(join(dirname(file), from), false)]) : [];
  return new Map([...others, ...own]);
}

/** Calls of the client, such as `GET /api/v1/tags`. */
function callsOf(file: string): string[] {
  const paths = pathsOf(file);
  const calls = (sources.get(file) ?? "").matchAll(/\.(GET|POST|PUT|PATCH|DELETE)\(\s*(?:"([^"]+)"|`\$\{(\w+)\}([^`$]*)`|(\w+))/g);
  return [...calls].map(([, method = "", literal, base = "", rest = "", name = ""]) => `${method} ${literal ?? `${paths.get(base || name) ?? name}${rest}`}`);
}

test("console_calls_every_operation_or_says_why_not", () => {
  const contract = JSON.parse(readFileSync("../../../docs/openapi.json", "utf8")) as Contract;
  const operations = new Map<string, string>(Object.entries(contract.paths).flatMap(([path, methods]) => Object.entries(methods).flatMap(([method, { operationId }]) => (operationId ? [[`${method.toUpperCase()} ${path}`, operationId] as const] : []))));
  assert.ok(operations.size > 250);
  const calls = [...sources.keys()].flatMap(callsOf);
  assert.deepEqual(calls.filter((call) => !operations.has(call)), [], "no operation, or a path that this test does not find");
  const called = new Set(calls.map((call) => operations.get(call)));
  const missing = [...operations.values()].filter((operation) => !called.has(operation));
  assert.deepEqual(missing.toSorted(), Object.values(ELSEWHERE).flat().toSorted());
});
