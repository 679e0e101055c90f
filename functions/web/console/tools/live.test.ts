/** A client that follows a tenant: what it does when connections, events and the clock are not as they should be. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { LiveEvent, Other, State } from "../app/api/live.svelte.ts";
import { Refused } from "../app/api/problem.ts";
import { Follower, type Socket } from "../app/live/follower.ts";
import { meet } from "../app/live/others.ts";
import { Reading } from "../app/live/reading.ts";

const event = (id: string): LiveEvent => ({ id, type: "call.decided", at: "", conversation_id: null, seq: null, cursor: "", data: {} });

/** A socket as the server sees it. */
class Line implements Socket {
  onopen: Socket["onopen"] = null;
  onmessage: Socket["onmessage"] = null;
  onclose: Socket["onclose"] = null;
  readonly heard: Record<string, unknown>[] = [];
  closed = false;

  send(text: string): void {
    this.heard.push(JSON.parse(text) as Record<string, unknown>);
  }

  close(): void {
    this.closed = true;
  }

  tell(said: object): void {
    this.onmessage?.call(this as never, { data: JSON.stringify(said) } as MessageEvent);
  }

  open(): void {
    this.onopen?.call(this as never, new Event("open"));
  }

  drop(): void {
    this.onclose?.call(this as never, {} as CloseEvent);
  }
}

/** What a follower does, and what the server answers. */
function follow({ mock }: TestContext, refusal?: Refused) {
  mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  mock.method(Date, "now", () => world.clock);
  mock.method(Math, "random", () => 0.9);
  const world = {
    clock: Date.parse("2026-11-30T12:00:00Z"),
    state: "off" as State, states: [] as State[], lines: [] as Line[], asked: [] as (string | undefined)[], taken: [] as string[], reloads: 0, limited: true, readable: true, seen: true, others: [] as Other[],
    tickets: (): Promise<{ url: string; ticket: string; cursor: string }> => Promise.resolve({ url: "ws://live", ticket: "t", cursor: "ticket" }),
    found: (_: string | undefined): Promise<{ events: LiveEvent[]; cursor: string; more: boolean }> => Promise.resolve({ events: [], cursor: "read", more: false }),
  };
  const follower = new Follower({
    ticket: () => (refusal && world.limited ? Promise.reject(refusal) : world.tickets()),
    events: (after) => {
      world.asked.push(after);
      return world.found(after);
    },
    open: () => {
      const line = new Line();
      world.lines.push(line);
      return line;
    },
    take: (events) => {
      world.taken.push(...events.map(({ id }) => id));
      return world.readable ? Promise.resolve() : Promise.reject(new Refused(500, {}));
    },
    reload: () => {
      world.reloads += 1;
      return world.readable ? Promise.resolve() : Promise.reject(new Refused(500, {}));
    },
    say: (state) => {
      if (state !== world.state) world.states.push(state);
      world.state = state;
    },
    meet: (told) => { world.others = told ? meet(world.others, told, world.clock) : []; },
    isSeen: () => world.seen,
  });
  const settle = () => new Promise((resume) => setImmediate(resume));
  const pass = async (seconds: number) => {
    await settle();
    for (let left = seconds; left > 0; left -= 1) {
      world.clock += 1000;
      mock.timers.tick(1000);
      await settle();
    }
  };
  const last = () => world.lines.at(-1) ?? assert.fail("no connection");
  const connect = async () => {
    await settle();
    last().open();
    last().tell({ type: "watching" });
    await settle();
  };
  follower.watch(["calls"]);
  follower.start();
  return { world, follower, settle, pass, last, connect };
}

test("page_is_live_once_what_it_shows_was_read_after_watching", async (context) => {
  const { world, settle, last, connect } = follow(context);
  await settle();
  last().open();
  assert.deepEqual(last().heard, [{ action: "watch", views: ["calls"] }]);
  assert.deepEqual([world.state, world.reloads], ["catching", 0]);
  await connect();
  assert.deepEqual([world.state, world.reloads, world.asked], ["live", 1, []]);
  assert.deepEqual(last().heard.at(-1), { action: "visible", visible: true });
});

test("gap_is_read_from_the_cursor_before_it_and_events_count_once", async (context) => {
  const { world, pass, last, connect } = follow(context);
  await connect();
  last().tell({ type: "events", events: [event("evt_2"), event("evt_1")], cursor: "told" });
  last().drop();
  assert.equal(world.state, "catching");
  const pages: Record<string, { events: LiveEvent[]; cursor: string; more: boolean }> = {
    told: { events: [event("evt_1"), event("evt_4")], cursor: "page", more: true }, page: { events: [event("evt_3"), event("evt_4")], cursor: "end", more: false },
  };
  world.found = (after) => Promise.resolve(pages[after ?? ""] ?? assert.fail(`asked after ${after}`));
  await pass(3);
  // What is told meanwhile is taken, but not its cursor.
  last().open();
  last().tell({ type: "events", events: [event("evt_5")], cursor: "later" });
  await connect();
  assert.deepEqual(world.asked, ["told", "page"]);
  assert.deepEqual(world.taken, ["evt_2", "evt_1", "evt_5", "evt_4", "evt_3"]);
  assert.deepEqual([world.state, world.reloads], ["live", 1]);
});

test("client_that_was_left_behind_reads_from_where_it_was", async (context) => {
  const { world, pass, settle, last, connect } = follow(context);
  await connect();
  const read = Promise.withResolvers<void>();
  world.found = (after) => read.promise.then(() => ({ events: [event(`evt_${after}`)], cursor: `${after}+`, more: false }));
  last().tell({ type: "catch_up", cursor: "behind" });
  last().tell({ type: "catch_up", cursor: "later" });
  await settle();
  assert.equal(world.state, "catching");
  read.resolve();
  await settle();
  assert.equal(world.state, "live");
  // To the end from where it was, and from the first place that was named, after which the later one is.
  assert.deepEqual(world.asked, ["ticket", "behind"]);
  // A place that was not come to is not forgotten.
  last().tell({ type: "catch_up", cursor: "behind" });
  last().drop();
  await pass(3);
  await connect();
  assert.deepEqual([world.state, world.reloads], ["live", 2]);
});

test("silence_is_not_called_live", async (context) => {
  const { world, follower, pass, last, connect } = follow(context);
  await connect();
  for (let n = 0; n < 40; n += 1) follower.doubt();
  assert.equal(last().heard.filter(({ action }) => action === "ping").length, 1);
  assert.equal(world.state, "catching");
  last().tell({ type: "pong", cursor: "pong" });
  assert.equal(world.state, "live");
  follower.doubt();
  await pass(5);
  assert.ok(world.lines[0]?.closed);
  await pass(3);
  await connect();
  assert.deepEqual([world.state, world.asked], ["live", ["pong"]]);
  // Nor is it after a minute without a word, once the person does something; or else after the ping of every five minutes.
  await pass(62);
  follower.touch();
  assert.equal(world.state, "live");
  await pass(5);
  assert.notEqual(world.state, "live");
  await pass(3);
  await connect();
  await pass(305);
  assert.equal(world.state, "live");
  assert.equal(last().heard.filter(({ action }) => action === "ping").length, 1);
  await pass(8);
  assert.notEqual(world.state, "live");
});

test("socket_without_an_answer_is_tried_again", async (context) => {
  const { world, settle, pass, last } = follow(context);
  await settle();
  last().open();
  await pass(11);
  assert.ok(last().closed || world.lines.length > 1);
  assert.equal(world.states.includes("live"), false);
  await pass(30);
  assert.ok(world.lines.length > 1);
});

for (const status of [409, 429]) test(`without_a_ticket_events_are_asked_for_after_${status}`, async (context) => {
  const { world, pass, connect } = follow(context, new Refused(status, {}));
  world.found = () => Promise.resolve({ events: [event("evt_1")], cursor: "read", more: false });
  await pass(12);
  assert.deepEqual([world.state, world.asked, world.reloads], ["delayed", [undefined, "read"], 1]);
  world.limited = false;
  await pass(60);
  await connect();
  assert.equal(world.state, "live");
  assert.deepEqual(world.taken, ["evt_1"]);
});

test("cursor_that_expired_begins_anew", async (context) => {
  const { world, pass, last, connect } = follow(context);
  await connect();
  world.found = (after) => (after === "ticket" ? Promise.reject(new Refused(410, {})) : Promise.resolve({ events: [], cursor: "read", more: false }));
  last().drop();
  await pass(3);
  world.tickets = () => Promise.resolve({ url: "ws://live", ticket: "t", cursor: "new" });
  await connect();
  assert.notEqual(world.state, "live");
  await pass(3);
  await connect();
  assert.deepEqual([world.state, world.reloads], ["live", 2]);
});

test("all_is_read_before_live_also_if_the_next_connection_ends_first", async (context) => {
  const { world, pass, last, connect } = follow(context);
  // The first one does not come to watch, either.
  await pass(1);
  last().drop();
  await pass(4);
  await connect();
  assert.deepEqual([world.state, world.reloads, world.asked], ["live", 1, []]);

  world.found = () => Promise.reject(new Refused(410, {}));
  last().drop();
  await pass(3);
  await connect();
  assert.notEqual(world.state, "live");
  world.found = () => Promise.resolve({ events: [], cursor: "read", more: false });
  world.tickets = () => Promise.resolve({ url: "ws://live", ticket: "t", cursor: "new" });
  await pass(3);
  last().open();
  last().drop();
  await pass(5);
  assert.deepEqual([world.state, world.reloads], ["off", 1]);
  await connect();
  assert.deepEqual([world.state, world.reloads], ["live", 2]);
});

test("what_could_not_be_read_is_not_called_live", async (context) => {
  const { world, settle, pass, last, connect } = follow(context);
  await connect();
  world.readable = false;
  last().tell({ type: "events", events: [event("evt_1")], cursor: "told" });
  await settle();
  assert.deepEqual([world.state, world.reloads], ["off", 2]);
  await pass(3);
  await connect();
  assert.notEqual(world.state, "live");
  world.readable = true;
  await pass(6);
  await connect();
  assert.equal(world.state, "live");
  // Nor is what was missed in a gap, or once in five minutes.
  last().drop();
  world.readable = false;
  world.found = () => Promise.resolve({ events: [event("evt_2")], cursor: "read", more: false });
  await pass(3);
  await connect();
  assert.notEqual(world.state, "live");
  [world.readable, world.found] = [true, () => Promise.resolve({ events: [], cursor: "read", more: false })];
  const { reloads } = world;
  await pass(6);
  await connect();
  assert.deepEqual([world.state, world.reloads > reloads], ["live", true]);
  world.readable = false;
  await pass(299);
  last().tell({ type: "pong" });
  await pass(2);
  assert.notEqual(world.state, "live");
});

/** A query that is read when its time has come, which takes so many milliseconds. */
function reading({ mock }: TestContext, every: number, takes = 0) {
  mock.timers.enable({ apis: ["setTimeout"] });
  let clock = 0;
  mock.method(performance, "now", () => clock);
  const query = { promise: undefined as Promise<void> | undefined, isActive: () => true, state: { status: "success" as "success" | "error", error: null as Error | null } };
  const at: number[] = [];
  const asked = new Reading(query, every, () => {
    at.push(clock);
    return (query.promise = takes > 0 ? new Promise((resume) => setTimeout(resume, takes)) : Promise.resolve()) as Promise<never>;
  });
  const settle = () => new Promise((resume) => setImmediate(resume));
  const pass = async (time: number) => {
    mock.timers.tick(0);
    await settle();
    for (let left = time; left > 0; left -= 100) {
      clock += 100;
      mock.timers.tick(100);
      await settle();
    }
  };
  return { query, asked, at, pass };
}

test("reading_that_failed_is_tried_again_and_said", async (context) => {
  const { query, asked, at, pass } = reading(context, 1000);
  query.state = { status: "error", error: new Refused(500, {}) };
  const failed = assert.rejects(asked.ask(), { status: 500 });
  await pass(300);
  await failed;
  await pass(5000);
  query.state = { status: "success", error: null };
  await pass(20_000);
  // Twice while it fails, then once and after what lags.
  assert.equal(at.length, 4);
  // What is deleted is read.
  query.state = { status: "error", error: new Refused(404, {}) };
  const read = asked.ask();
  await pass(10_000);
  await read;
  assert.equal(at.length, 6);
});

test("event_before_a_second_reading_has_one_of_its_own", async (context) => {
  const { asked, at, pass } = reading(context, 5000);
  void asked.ask();
  await pass(5000);
  void asked.ask();
  await pass(30_000);
  assert.deepEqual(at, [0, 5000, 10_100]);
});

/** The first ones, of what has rested, are read for at once; then one comes for each second. */
test("events_are_read_for_at_once_and_on_average_once_a_second", async (context) => {
  const { asked, at, pass } = reading(context, 1000);
  for (let n = 0; n < 50; n += 1) {
    void asked.ask();
    await pass(100);
  }
  assert.deepEqual(at, [0, 100, 1000, 2000, 3000, 4000, 5000]);
});

test("reading_that_began_before_an_event_is_repeated_once_it_ends", async (context) => {
  const { asked, at, pass } = reading(context, 1000, 400);
  void asked.ask();
  await pass(200);
  const first = asked.ask();
  await pass(100);
  assert.equal(asked.ask(), first);
  await pass(2000);
  await first;
  assert.deepEqual(at, [0, 400]);
});

/** Without breaking off what is under way, and without two at a time. */
test("slow_readings_come_one_after_the_other", async (context) => {
  const { asked, at, pass } = reading(context, 1000, 3000);
  for (let n = 0; n < 40; n += 1) {
    void asked.ask();
    await pass(200);
  }
  assert.deepEqual(at, [0, 3000, 6000]);
});

/** 2,000 messages an hour, of which each is two events. */
test("busy_inbox_keeps_within_sixty_requests_a_minute", async (context) => {
  const { asked: list, at, pass } = reading(context, 5000);
  for (let n = 0; n < 2000 / 60; n += 1) {
    void list.ask();
    await pass(300);
    void list.ask();
    await pass(1500);
  }
  assert.ok(at.length <= 14, `${at.length} of the list`);
});

for (const [what, change] of [["sleep", 3 * 3_600_000], ["clock_that_is_set", -3_600_000]] as const) test(`${what}_ends_the_connection`, async (context) => {
  const { world, pass, connect } = follow(context);
  await connect();
  await pass(7);
  world.clock += change;
  await pass(3);
  assert.ok(world.lines[0]?.closed);
  assert.equal(world.state, "catching");
  await connect();
  assert.deepEqual([world.state, world.lines.length], ["live", 2]);
});

test("colleagues_are_told_who_reads_and_at_most_every_three_seconds_who_writes", async (context) => {
  const { follower, pass, last, connect } = follow(context);
  const said = () => last().heard.filter(({ action }) => action === "reading" || action === "typing").map(({ action, conversation_id }) => `${action} ${conversation_id}`);
  follower.read("conv_1");
  follower.write();
  await connect();
  assert.deepEqual(said(), ["reading conv_1"]);
  for (let key = 0; key < 8; key += 1) {
    follower.write();
    await pass(1);
  }
  assert.deepEqual(said(), ["reading conv_1", "typing conv_1", "typing conv_1", "typing conv_1"]);
  // Other views, and the same conversation.
  follower.watch(["calls", "messages"]);
  await connect();
  assert.deepEqual(said().slice(4), ["reading conv_1"]);
  follower.read(null);
  follower.write();
  await pass(290);
  assert.deepEqual(said().slice(5), ["reading null"]);
  last().drop();
  await pass(3);
  await connect();
  assert.deepEqual(said(), [], "nobody reads");
});

test("colleagues_are_shown_as_long_as_they_are_there", async (context) => {
  const { world, last, connect } = follow(context);
  await connect();
  const [one, other] = ["usr_1", "usr_2"].map((user_id) => ({ conversation_id: "conv_1", user_id }));
  last().tell({ type: "reading", ...one, reading: true });
  last().tell({ type: "typing", ...one });
  last().tell({ type: "typing", ...other });
  const { clock } = world;
  assert.deepEqual(world.others, [{ ...one, reads: clock + 900_000, writes: clock + 5_000 }, { ...other, reads: 0, writes: clock + 5_000 }]);
  last().tell({ type: "reading", ...one, reading: false });
  assert.deepEqual(world.others.map(({ user_id }) => user_id), ["usr_2"]);
  last().drop();
  assert.deepEqual(world.others, []);
});

test("stopped_follower_goes_on_from_its_cursor", async (context) => {
  const { world, follower, pass, last, connect } = follow(context);
  await connect();
  last().tell({ type: "events", events: [], cursor: "told" });
  follower.stop();
  assert.deepEqual([world.state, last().closed], ["off", true]);
  await pass(600);
  assert.equal(world.lines.length, 1);
  follower.start();
  await connect();
  assert.deepEqual([world.state, world.asked], ["live", ["told"]]);
});
