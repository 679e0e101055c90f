// Answers whoever waits in the inbox, by the types that were generated from docs/openapi.json, with openapi-fetch, while others do the same.
// RINGBACK_API and RINGBACK_KEY name the business, RINGBACK_NAME who answers. Says when it has a list, and answers once it gets a line. Prints,
// as JSON, how many it has answered, and how often somebody else was faster. Exits with 0 only if each refusal told what was missed.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import createClient from "openapi-fetch";
import type { paths } from "./ringback.ts";

const name = process.env["RINGBACK_NAME"] ?? "";
const ours = createClient<paths>({
  baseUrl: process.env["RINGBACK_API"] ?? "",
  headers: { "X-API-Key": process.env["RINGBACK_KEY"] ?? "" },
});

// The answer, once the limit of requests allows it.
async function asked<T extends { response: Response }>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer.response.status !== 429) return answer;
    await sleep(1000 * Number(answer.response.headers.get("retry-after")));
  }
}

async function listed() {
  const query = { waiting: true, limit: 100 };
  const waiting = await asked(() => ours.GET("/api/v1/conversations", { params: { query } }));
  assert(waiting.data, JSON.stringify(waiting.error));
  return waiting.data.items;
}

let [answered, missed] = [0, 0];
for (let waiting = await listed(); waiting.length > 0; waiting = await listed()) {
  if (answered + missed === 0) {
    console.log("listed");
    await once(process.stdin, "data");
  }
  waiting.sort(() => Math.random() - 0.5);
  for (const shown of waiting) {
    const params = { path: { conversation_id: shown.id }, header: { "Idempotency-Key": randomUUID() } };
    const body = { seen: shown.seq, text: `${name} answers` };
    const said = await asked(() => ours.POST("/api/v1/conversations/{conversation_id}/messages", { params, body }));
    if (said.response.status === 201) {
      answered += 1;
      continue;
    }
    assert.equal(said.response.status, 409, JSON.stringify(said.error));
    assert.equal(said.error?.type, "urn:ringback:problem:conversation_moved");
    const facts = said.error.facts ?? {};
    assert(Number(facts["seq"]) > shown.seq, JSON.stringify(facts));
    const path = { message_id: String(facts["message"]) };
    const theirs = await asked(() => ours.GET("/api/v1/messages/{message_id}", { params: { path } }));
    const text = theirs.data?.legs[0]?.text;
    assert(text?.endsWith(" answers") && !text.startsWith(name), JSON.stringify(theirs));
    missed += 1;
  }
}
console.log(JSON.stringify({ answered, missed }));
