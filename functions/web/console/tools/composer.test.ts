/** What the composer of the inbox does with time, drafts, tries and texts. */
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { aheadOf, sessionOf } from "../app/api/ahead.ts";
import { Refused } from "../app/api/problem.ts";
import { askedBy, digitOf, fill, inLanguage, mentionsAfter, mentionsIn, missingIn, putIn, refineIn } from "../app/screens/inbox/composer/canned.ts";
import { DraftKeeper, PAUSE, type DraftState } from "../app/screens/inbox/composer/draft.ts";
import { Intended } from "../app/screens/inbox/composer/intended.ts";
import { inMinutes, leftUntil, untilChange } from "../app/screens/inbox/composer/window.ts";

test("server_clock_follows_from_the_token", () => {
  const token = (claims: object) => `h.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.s`;
  assert.equal(aheadOf(token({ iat: 1_000, sub: "ÿ>?~" }), 400_000), 600_000);
  for (const unknown of ["", "a.b", token({}), token({ iat: "1" })]) assert.equal(aheadOf(unknown, 5), 0);
  assert.equal(sessionOf(token({ sid: "ses_1" })), "ses_1");
  for (const unknown of ["", "a.b", token({}), token({ sid: 1 })]) assert.equal(sessionOf(unknown), "");
});

test("window_counts_down_to_its_very_end", () => {
  const now = Date.parse("2026-11-20T10:00:00Z");
  const left = (closes: string | null) => leftUntil(closes, now);
  assert.deepEqual([left(null), left("2026-11-20T10:00:00Z"), left("2026-11-20T09:00:00Z"), left("2026-11-20T10:00:01Z")], [0, 0, 0, 1000]);
  assert.deepEqual([inMinutes(left("2026-11-21T09:50:00Z")), inMinutes(1000), inMinutes(60_000)], [{ hours: 23, minutes: 50 }, { hours: 0, minutes: 1 }, { hours: 0, minutes: 1 }]);
  assert.deepEqual([untilChange(90_000), untilChange(120_000), untilChange(1000), untilChange(0)], [30_000, 60_000, 1000, 0]);
});

test("each_try_of_a_message_has_its_key_until_it_is_settled", () => {
  const intended = new Intended<{ seen: number }>();
  const first = intended.of({ text: "Yes" }, () => ({ seen: 1 }));
  for (const open of [new Refused(0, {}), new Refused(503, {}), new Refused(429, {}), new Refused(409, { type: "urn:ringback:problem:still_running" }), new Error("lost")]) {
    intended.settle(first, open);
    assert.equal(intended.of({ text: "Yes" }, () => ({ seen: 2 })), first);
  }
  const other = intended.of({ text: "No" }, () => ({ seen: 2 }));
  assert.notEqual(other.key, first.key);
  intended.settle(other, new Refused(409, { type: "urn:ringback:problem:conversation_moved" }));
  const again = intended.of({ text: "No" }, () => ({ seen: 3 }));
  assert.equal(again.body.seen, 3);
  intended.settle(again);
  assert.notEqual(intended.of({ text: "No" }, () => ({ seen: 3 })).key, again.key, "the same words are said twice");
  assert.equal(intended.of({ text: "Yes" }, () => ({ seen: 4 })), first, "what is sent in between settles nothing else");
  for (let n = 0; n < 10; n += 1) intended.of({ text: n }, () => ({ seen: 5 }));
  assert.notEqual(intended.of({ text: "Yes" }, () => ({ seen: 5 })).key, first.key, "not everything is remembered");
});

/** A page with a draft, and what it shows. `stored`: what the API has. */
function pageOf(stored: { text: string; fails?: boolean; wrote?: () => void }, others: () => DraftKeeper[] = () => []): { keeper: DraftKeeper; box: () => string; state: () => DraftState } {
  let [box, state]: [string, DraftState] = ["", { saved: null, theirs: null }];
  const keeper: DraftKeeper = new DraftKeeper({
    read: () => (stored.fails ? Promise.reject(new Error("offline")) : Promise.resolve(stored.text)),
    write: (text) => {
      stored.text = text;
      stored.wrote?.();
      return Promise.resolve();
    },
    tell: (text) => others().filter((other) => other !== keeper).forEach((other) => other.hear(text)),
    adopt: (text) => { box = text; },
    say: (said) => { state = said; },
  });
  return { keeper, box: () => box, state: () => state };
}

const settled = async () => { for (let turn = 0; turn < 20; turn += 1) await Promise.resolve(); };

test("draft_that_is_heard_of_while_another_is_written_can_still_be_taken", async () => {
  const stored: { text: string; wrote?: () => void } = { text: "" };
  const { keeper, box, state } = pageOf(stored);
  await keeper.open();
  // Another tab tells of its own after this one has looked. The person chooses before this one has written, and afterwards.
  for (const atOnce of [true, false]) {
    stored.wrote = () => {
      delete stored.wrote;
      keeper.hear("Hello, we are here");
      if (atOnce) keeper.choose("theirs");
    };
    keeper.type("Hello, we call");
    await keeper.save();
    assert.equal(state().theirs, atOnce ? null : "Hello, we are here");
    keeper.choose("theirs");
    await keeper.save();
    assert.deepEqual([box(), stored.text, state().theirs], ["Hello, we are here", "Hello, we are here", null]);
    await keeper.clear();
  }
  // The choice stays also if this one cannot be written.
  stored.wrote = () => {
    delete stored.wrote;
    keeper.hear("Hello, we are here");
    throw new Error("offline");
  };
  keeper.type("Hello, we call");
  await keeper.save();
  assert.equal(state().theirs, "Hello, we are here");
});

test("draft_is_saved_after_two_seconds_and_restored", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const stored: { text: string; fails?: boolean } = { text: "" };
  const { keeper, state } = pageOf(stored);
  await keeper.open();
  keeper.type("Yes, for");
  mock.timers.tick(PAUSE - 1);
  keeper.type("Yes, for four");
  mock.timers.tick(PAUSE - 1);
  await settled();
  assert.deepEqual([stored.text, state().saved], ["", null]);
  stored.fails = true;
  mock.timers.tick(1);
  await settled();
  assert.deepEqual([stored.text, state().saved], ["", false]);
  stored.fails = false;
  mock.timers.tick(5 * PAUSE);
  await settled();
  assert.deepEqual([stored.text, state().saved], ["Yes, for four", true]);
  const later = pageOf(stored);
  await later.keeper.open();
  assert.equal(later.box(), "Yes, for four");
  await later.keeper.clear();
  assert.equal(stored.text, "");
  mock.timers.reset();
});

test("draft_of_another_tab_is_not_overwritten", async () => {
  const stored = { text: "" };
  const keepers: DraftKeeper[] = [];
  const [one, other] = [pageOf(stored, () => keepers), pageOf(stored, () => keepers)];
  keepers.push(one.keeper, other.keeper);
  for (const { keeper } of [one, other]) await keeper.open();
  // What is unchanged follows the other tab.
  one.keeper.type("First");
  await one.keeper.save();
  assert.equal(other.box(), "First");
  // What is changed does not, and overwrites nothing.
  other.keeper.type("Second");
  one.keeper.type("Third");
  await one.keeper.save();
  await other.keeper.save();
  assert.deepEqual([stored.text, other.state().theirs], ["Third", "Third"]);
  other.keeper.choose("mine");
  await other.keeper.save();
  assert.deepEqual([stored.text, one.box(), other.state().theirs], ["Second", "Second", null]);
  // Another device tells nothing.
  stored.text = "Fourth";
  one.keeper.type("Fifth");
  await one.keeper.save();
  assert.deepEqual([stored.text, one.state().theirs], ["Fourth", "Fourth"]);
  one.keeper.choose("theirs");
  assert.equal(one.box(), "Fourth");
});

test("draft_that_is_about_to_be_saved_overwrites_nothing_newer", async () => {
  const looked = Promise.withResolvers<string>();
  const written: string[] = [];
  let state: DraftState = { saved: null, theirs: null };
  const write = (text: string) => Promise.resolve(void written.push(text));
  const keeper = new DraftKeeper({ read: () => looked.promise, write, tell: () => undefined, adopt: () => undefined, say: (said) => { state = said; } });
  keeper.type("Mine");
  const saving = keeper.save();
  await settled();
  keeper.hear("Theirs");
  looked.resolve("");
  await saving;
  assert.deepEqual([written, state.theirs], [[], "Theirs"]);
});

test("draft_that_is_sent_or_refused_is_left_alone", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const stored = { text: "Theirs" };
  const sent = pageOf(stored);
  sent.keeper.type("Mine");
  await sent.keeper.save();
  assert.equal(sent.state().theirs, "Theirs");
  await sent.keeper.clear();
  assert.deepEqual(sent.state(), { saved: null, theirs: null });
  sent.keeper.choose("theirs");
  assert.equal(sent.box(), "", "nothing is there to choose");

  let tries = 0;
  let status = 422;
  const write = () => { tries += 1; return Promise.reject(new Refused(status, {})); };
  const keeper = new DraftKeeper({ read: () => Promise.resolve(""), write, tell: () => assert.fail(), adopt: () => undefined, say: () => undefined });
  const later = async () => { mock.timers.tick(5 * PAUSE); await settled(); return tries; };
  keeper.type("One");
  assert.deepEqual([await later(), await later()], [1, 1], "it would be refused again");
  status = 503;
  keeper.type("Two");
  assert.deepEqual([await later(), await later()], [2, 3]);
  keeper.close();
  assert.equal(await later(), 3, "the page is left");
  mock.timers.reset();
});

test("canned_reply_keeps_the_cursor_of_whoever_writes_on", () => {
  assert.deepEqual(putIn("a /x b", "Hi {{y}}!", 2, 4), { text: "a Hi {{y}}! b", mark: [5, 10] });
  assert.deepEqual(putIn("a /x", "Hi", 2, 4), { text: "a Hi", mark: [4, 4] });
  assert.deepEqual(refineIn("a Hi {{y}}", "Hi {{y}}", "Hi Maya", [5, 10]), { text: "a Hi Maya", mark: [9, 9] });
  assert.deepEqual(refineIn("a Hi {{y}} so", "Hi {{y}}", "Hi Maya", [13, 13]), { text: "a Hi Maya so", mark: [12, 12] });
  assert.deepEqual(refineIn("a Hi {{y}}", "Hi {{y}}", "Hi Maya", [1, 1])?.mark, [1, 1]);
  for (const after of ["Hi", "Hello"]) assert.equal(refineIn("Gone", "Hi", after, [0, 0]), null);
});

test("alt_and_a_digit_leave_what_the_keyboard_writes", () => {
  const pressed = { altKey: true, code: "Digit2", ctrlKey: false, key: "2", metaKey: false, repeat: false };
  assert.deepEqual([digitOf(pressed, true), digitOf({ ...pressed, key: "™" }, false)], [2, 2]);
  for (const other of [{ key: "™" }, { key: "Dead" }, { repeat: true }, { ctrlKey: true }, { altKey: false }, { code: "Digit0", key: "0" }]) assert.equal(digitOf({ ...pressed, ...other }, true), null);
});

test("canned_reply_is_in_the_customers_language_with_their_values", () => {
  const texts = { en: "Hello", "ar-AE": "مرحبا", fr: "Bonjour" };
  assert.deepEqual([inLanguage(texts, ["ar", "en"]), inLanguage(texts, [null, "en-GB"]), inLanguage(texts, ["de"]), inLanguage("Hi", ["ar"])], ["مرحبا", "Hello", "Hello", "Hi"]);
  const values = { "contact.name": "Maya Haddad", "contact.phone": null, "tenant.name": "Shop {{x}}" };
  const text = "{{contact.name|there}}, {{ contact.name }}: {{contact.phone}} {{tenant.name}} {{contact.first_name|you}} {{contact.phone}}";
  const said = fill(text, values);
  assert.equal(said, "Maya Haddad, Maya Haddad: {{contact.phone}} {{tenant.name}} {{contact.first_name|you}} {{contact.phone}}");
  assert.deepEqual(missingIn(said), ["{{contact.phone}}", "{{tenant.name}}"]);
});

test("signs_ask_at_the_beginning_of_a_word_only", () => {
  assert.deepEqual([askedBy("/", "/", 1), askedBy("/", "Hi /Park", 8), askedBy("@", "See @لي", 7)], [{ from: 0, word: "" }, { from: 3, word: "park" }, { from: 4, word: "لي" }]);
  for (const [text, cursor] of [["and/or", 6], ["/ ", 2], ["https://x", 9], ["/a", 0], ["", 0]] as const) assert.equal(askedBy("/", text, cursor), null, text);
  const people = [{ id: "usr_1", name: "Noor" }, { id: "usr_2", name: "Maya" }, { id: "usr_1", name: "Noor" }];
  assert.deepEqual(mentionsIn("@Noor, please", people), ["usr_1"]);
});

test("changed_note_mentions_whom_it_did_and_whoever_is_named_anew", () => {
  const person = (id: string, name: string, attends = true) => ({ id, name, attends });
  const people = [person("sara", "Sara"), person("sara_ali", "Sara Ali"), person("ahmed", "Ahmed"), person("ahmed_too", "Ahmed"), person("gone", "Zed", false)];
  const after = (note: string, text = "", mentions?: string[]) => mentionsAfter(note, { text, mentions }, people);
  assert.deepEqual([after("@Sara Ali, call"), after("@Sara, call"), after("@Sarah"), after("@Sara @Sara Ali")], [["sara_ali"], ["sara"], [], ["sara", "sara_ali"]]);
  assert.deepEqual([after("@Ahmed"), after("@Ahmed!", "@Ahmed", ["ahmed_too"]), after("@Ahmed @Ahmed", "@Ahmed", ["ahmed"])], [[], ["ahmed_too"], ["ahmed"]]);
  // Whom nobody mentioned by what stood there already, is not mentioned by another change.
  assert.deepEqual([after("@Sara, soon", "@Sara", []), after("@Zed"), after("@Zed, soon", "@Zed", ["gone"])], [[], [], ["gone"]]);
  assert.deepEqual([after("Done", "@Sara", ["sara", "unknown"]), after("@Sara Ali", "@Sara", ["sara"]), after("Done", "Call", ["sara"])], [["unknown"], ["sara_ali"], ["sara"]]);
});
