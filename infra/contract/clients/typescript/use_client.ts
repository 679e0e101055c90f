// Uses the types that were generated from docs/openapi.json, with openapi-fetch, against a deployed stack.
// RINGBACK_API and RINGBACK_KEY name it. Exits with 0 only if everything was as expected.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import createClient from "openapi-fetch";
import type { components, paths } from "./ringback.ts";

const baseUrl = process.env["RINGBACK_API"] ?? "";
const client = (key: string) => createClient<paths>({ baseUrl, headers: { "X-API-Key": key } });
const ours = client(process.env["RINGBACK_KEY"] ?? "");

const listed = await ours.GET("/api/v1/connections", { params: { query: { limit: 100 } } });
assert(listed.data, JSON.stringify(listed.error));
const kinds = new Set<string>(listed.data.items.map((connection) => connection.kind));
for (const kind of ["telephony", "twilio", "whatsapp"]) assert(kinds.has(kind), [...kinds].join());

const wanted: components["schemas"]["ApiKeyIn"] = { name: "TypeScript client", role: "viewer" };
const made = await ours.POST("/api/v1/api-keys", {
  body: wanted,
  params: { header: { "Idempotency-Key": randomUUID() } },
});
assert(made.data, JSON.stringify(made.error));
const theirs = client(made.data.key);
assert((await theirs.GET("/api/v1/connections")).data);

const refused = await theirs.POST("/api/v1/api-keys", { body: wanted });
assert.equal(refused.response.status, 403);
const problem: components["schemas"]["Problem"] | undefined = refused.error;
assert.equal(problem?.type, "urn:ringback:problem:forbidden");

const missing = await ours.GET("/api/v1/api-keys/{api_key_id}", {
  params: { path: { api_key_id: "key_00000000000000000000000000" } },
});
assert.equal(missing.error?.type, "urn:ringback:problem:not_found");

const wrong = await ours.POST("/api/v1/api-keys", { body: { ...wanted, name: "" } });
assert.equal(wrong.response.status, 422);
assert.deepEqual([...new Set(wrong.error?.errors?.map((error) => error.field))], ["name"]);

const gone = await ours.DELETE("/api/v1/api-keys/{api_key_id}", {
  params: { path: { api_key_id: made.data.api_key.id } },
});
assert.equal(gone.response.status, 204);
console.log("the TypeScript client works");
