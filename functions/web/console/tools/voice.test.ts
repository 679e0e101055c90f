/** Where calls of a connection at Twilio ring, and why nothing followed one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldsOf, isOwnFlow, namesOf, voiceOf, withEmpty } from "../app/screens/settings/voice.ts";
import { requestOf } from "../app/screens/settings/kinds.ts";
import { causeOf } from "../app/screens/setup/cause.ts";

const english = { language: "en-GB", text: "We are out." };

test("new_connection_rings_where_its_form_says", () => {
  const fields = { ...fieldsOf(null), forward_to: "+971 (50) 555-3913", forward_timeout_seconds: 15, voicemail_after_missed: true, missed_greeting: [english, { language: "ar-XA", text: " " }] };
  const sent = voiceOf(fields);
  assert.deepEqual(sent, {
    handling: "forward", forward_to: "+971505553913", forward_timeout_seconds: 15, voicemail_after_missed: true, missed_greeting: [english], greeting: [], voicemail_max_seconds: 120,
  });
  assert.deepEqual(requestOf("twilio", "Shop", { account_sid: "AC1", numbers: "+971 4 555 0001" }, { voice: sent }), {
    kind: "twilio", name: "Shop", account_sid: "AC1", numbers: ["+97145550001"], voice: sent, credentials: { auth_token: "", api_key_sid: "", api_key_secret: "" },
  });
  // Without a number, the API refuses it: nothing else is chosen silently.
  assert.deepEqual([voiceOf(fieldsOf(null)).handling, voiceOf(fieldsOf(null)).forward_to], ["forward", null]);
});

test("a_choice_changes_what_it_shows_only", () => {
  const before = { ...fieldsOf(null), handling: "voicemail" as const, greeting: [english], voicemail_max_seconds: 60 };
  assert.deepEqual(voiceOf(fieldsOf(before), before), before);
  // A number that was typed for another choice is not sent, however wrong.
  assert.deepEqual(voiceOf({ ...before, handling: "own_flow", forward_to: "x", greeting: [] }, before), { ...before, handling: "own_flow" });
  assert.deepEqual(voiceOf({ ...before, handling: "greet", forward_to: "x", greeting: [] }, before), { ...before, handling: "greet", greeting: [] });
  // What was said in place of ringing is not said before it, unless it was.
  const rings = { ...before, handling: "forward" as const, forward_to: "+971505553913" };
  assert.deepEqual(voiceOf(rings, before).greeting, []);
  assert.deepEqual(voiceOf(rings, rings).greeting, [english]);
});

test("each_language_has_a_sentence_that_twilio_can_say", () => {
  const tags = (languages: string[]) => withEmpty([english], languages).map(({ language }) => language);
  assert.deepEqual(tags(["ar", "en", "pt-BR", "hi", "x"]), ["en-GB", "ar-XA", "pt-BR", "hi-IN", "x"]);
  // The API counts those that are sent.
  const sentences = [{ language: "ar-XA", text: "" }, english];
  assert.deepEqual([namesOf("greeting", sentences, 0), namesOf("greeting", sentences, 1)], [["voice.greeting.ar-XA"], ["voice.greeting.en-GB", "voice.greeting[0]"]]);
});

test("unknown_outcome_at_twilio_has_a_cause", () => {
  const [own, ours] = [{ kind: "twilio", voice: { handling: "own_flow" } }, { kind: "twilio", voice: { handling: "voicemail" } }] as const;
  assert.deepEqual([isOwnFlow(own), isOwnFlow(ours), isOwnFlow({ kind: "twilio" }), isOwnFlow({ kind: "plivo" })], [true, false, true, false]);
  const call = { outcome: "unknown", provider: "twilio", reported: { handling: "own_flow" } } as const;
  const unasked = { ...call, reported: { handling: null } };
  const rows = [
    [call, own, "own_flow"], [call, ours, "mended"], [unasked, own, "unreported"], [unasked, ours, "elsewhere"],
    [{ ...call, outcome: "missed" }, own, null], [{ ...unasked, provider: "plivo" }, own, null], [{ ...call, reported: { handling: "forward" } }, own, null],
  ] as const;
  for (const [of, connection, cause] of rows) assert.equal(causeOf(of, connection), cause, JSON.stringify([of, connection]));
});
