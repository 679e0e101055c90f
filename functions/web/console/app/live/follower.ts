/** Follows a tenant by the six steps of docs/live.md. What is not certain is not called live. */
import type { LiveEvent, State } from "../api/live.svelte.ts";
import { Refused } from "../api/problem.ts";
import type { Met } from "./others.ts";

interface Ticket {
  url: string;
  ticket: string;
  cursor: string;
}

interface Found {
  events: LiveEvent[];
  cursor: string;
  more: boolean;
}

/** What a socket is told. */
interface Told extends Met {
  events?: LiveEvent[];
  cursor?: string;
}

export type Socket = Pick<WebSocket, "onopen" | "onmessage" | "onclose" | "send" | "close">;

/** What is around it. */
export interface World {
  ticket(): Promise<Ticket>;
  /** The events after a cursor, or a cursor to begin with. */
  events(after: string | undefined): Promise<Found>;
  open(url: string): Socket;
  /** Reads again what events are about. */
  take(events: LiveEvent[]): Promise<void>;
  /** Reads again all that is shown. */
  reload(): Promise<void>;
  say(state: State): void;
  /** Somebody else reads a conversation, or writes in it. `null`: who does is told anew, or not at all. */
  meet(told: Met | null): void;
  /** Whether the person sees the page. */
  isSeen(): boolean;
}

interface Connection {
  end(): void;
  doubt(): void;
  watch(): void;
  tellSeen(): void;
  tellReading(): void;
  tellTyping(): void;
  touch(): void;
}

/** Milliseconds in which the server answers; where there is a doubt already, a person waits. */
const ANSWER = 10_000;
const DOUBT = 4_000;
/** After so much silence, it is asked for when the person does something. */
const SILENCE = 60_000;
const BEAT = 5_000;
/** In beats: every two minutes, every five, and before API Gateway ends it. */
const [SEEN, PING, RENEWAL] = [24, 60, 1320];
/** A beat that is so late comes after a sleep, or the clock was set. */
const ASLEEP = 15_000;
const POLL = 5_000;
/** Between two words that somebody writes. */
const TYPING = 3_000;
const LIMITED = 60_000;
const [SHORTEST, LONGEST] = [3_000, 30_000];
/** Beyond so many full pages of events, all that is shown is read instead. */
const MOST_PAGES = 5;
const MOST_KNOWN = 5_000;

const LOST = new Refused(410, {});

export class Follower {
  private readonly world: World;
  private views: readonly string[] = [];
  private cursor: string | undefined;
  /** The conversation that the person reads. */
  private reading: string | null = null;
  /** How often all that is shown had to be read, and up to which of these times it was: events after the cursor do not make up for what
   * was missed before it. */
  private wanted = 1;
  private got = 0;
  /** Ids of events that were taken. They come again for half a minute. */
  private readonly known = new Set<string>();
  /** Counts the starts, and is odd while it runs. */
  private round = 0;
  private connection: Connection | null = null;
  private hurried = false;
  private wake = (): void => undefined;

  constructor(world: World) {
    this.world = world;
  }

  /** Goes on from where it was. */
  start(): void {
    if (this.round % 2 === 1) return;
    this.round += 1;
    this.world.say("catching");
    void this.run(this.round);
  }

  stop(): void {
    if (this.round % 2 === 0) return;
    this.round += 1;
    this.renew();
    this.world.say("off");
  }

  watch(views: readonly string[]): void {
    if (views.every((view) => this.views.includes(view))) return;
    this.views = views;
    this.connection?.watch();
  }

  /** The person sees the page from now on, or does not. */
  look(): void {
    this.connection?.tellSeen();
    if (!this.world.isSeen()) return;
    if (this.connection) this.connection.doubt();
    else this.renew();
  }

  /** The person reads this conversation from now on, or none. */
  read(conversation: string | null): void {
    this.reading = conversation;
    this.connection?.tellReading();
  }

  /** The person writes a reply in it. */
  write(): void {
    this.connection?.tellTyping();
  }

  /** Something did not reach the server: asks whether this connection does. */
  doubt(): void {
    this.connection?.doubt();
  }

  /** The person does something, and wants to see what comes of it. */
  touch(): void {
    this.connection?.touch();
  }

  /** The connection is gone. */
  lose(): void {
    this.connection?.end();
    this.say("off");
  }

  /** Connects anew at once. */
  renew(): void {
    this.hurried = true;
    this.connection?.end();
    this.wake();
  }

  private say(state: State): void {
    if (this.round % 2 === 1) this.world.say(state);
  }

  private async run(round: number): Promise<void> {
    const goesOn = () => round === this.round;
    for (let failures = 0; goesOn(); ) {
      let pause = Math.random() * SHORTEST;
      try {
        await this.connect(goesOn);
        failures = 0;
      } catch (problem) {
        if (!goesOn()) return;
        failures += 1;
        if (isLost(problem)) this.drop();
        else pause = isLimited(problem) ? LIMITED : Math.min(1000 * 2 ** failures, LONGEST) * (1 - Math.random() / 2);
        if (!isLimited(problem)) this.say("off");
      }
      if (goesOn()) await this.poll(pause, goesOn);
    }
  }

  /** Asks for events until the next try to connect. */
  private async poll(pause: number, goesOn: () => boolean): Promise<void> {
    for (let left = pause; !(await this.rest(Math.min(left, POLL))) && left > POLL && goesOn(); left -= POLL) {
      try {
        await this.catchUp();
        if (goesOn()) this.say("delayed");
      } catch (problem) {
        if (isLost(problem)) this.drop();
        if (goesOn()) this.say("off");
      }
    }
  }

  /** Waits; true: somebody is in a hurry. */
  private rest(time: number): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (hurried: boolean) => {
        clearTimeout(timer);
        [this.hurried, this.wake] = [false, () => undefined];
        resolve(hurried);
      };
      const timer = setTimeout(() => end(false), time);
      this.wake = () => end(true);
      if (this.hurried) end(true);
    });
  }

  /** Connects, and follows until the end of the connection. */
  private async connect(goesOn: () => boolean): Promise<void> {
    const { url, ticket, cursor } = await this.world.ticket();
    if (!goesOn()) return;
    this.cursor ??= cursor;
    this.hurried = false;

    const over = Promise.withResolvers<void>();
    const socket = this.world.open(`${url}?ticket=${encodeURIComponent(ticket)}`);
    let stage: "opening" | "asking" | "reading" | "live" | "over" = "opening";
    let watching: ReturnType<typeof setTimeout> | undefined = setTimeout(() => end(), ANSWER);
    let pong: ReturnType<typeof setTimeout> | undefined;
    let behind: string | undefined;
    let [turn, wasLive] = [0, false];
    let reading: string | null = null;
    let typed = -Infinity;
    let heard = Date.now();
    let failure: unknown = new Refused(0, {});

    const tell = (said: object) => socket.send(JSON.stringify(said));
    const end = () => {
      if (stage === "over") return;
      stage = "over";
      // The cursor can be a later one.
      if (behind !== undefined) this.wanted += 1;
      if (goesOn()) this.say("catching");
      this.world.meet(null);
      socket.close();
      over.resolve();
    };
    const settle = () => { if (stage === "live" && pong === undefined) this.say("live"); };
    const ping = (time: number) => {
      if (stage === "opening" || stage === "over" || pong !== undefined) return;
      tell({ action: "ping" });
      pong = setTimeout(end, time);
    };
    const watch = () => {
      if (stage === "opening" || stage === "over") return;
      stage = "asking";
      this.say("catching");
      clearTimeout(watching);
      watching = setTimeout(end, ANSWER);
      this.world.meet(null);
      tell({ action: "watch", views: this.views });
    };
    const tellSeen = () => { if (stage === "live") tell({ action: "visible", visible: this.world.isSeen() }); };
    const tellReading = (again = false) => {
      if (stage !== "live" || (this.reading === reading && !(again && reading))) return;
      reading = this.reading;
      tell({ action: "reading", conversation_id: reading });
    };
    const tellTyping = () => {
      if (stage !== "live" || !this.reading || Date.now() - typed < TYPING) return;
      typed = Date.now();
      tell({ action: "typing", conversation_id: this.reading });
    };
    const read = async () => {
      const own = (turn += 1);
      stage = "reading";
      this.say("catching");
      try {
        for (let isRead = false; !isRead; ) {
          const { wanted } = this;
          if (this.got < wanted) await this.world.reload();
          else await this.catchUp();
          // Whoever comes after it reads for itself.
          if (own !== turn || stage !== "reading") return;
          this.got = wanted;
          isRead = behind === undefined && this.got === this.wanted;
          this.cursor = behind ?? this.cursor;
          behind = undefined;
        }
        [stage, wasLive] = ["live", true];
        tellSeen();
        tellReading(true);
        settle();
      } catch (problem) {
        failure = problem;
        wasLive = false;
        end();
      }
    };
    /** What could not be read is missing until all is read. */
    const attempt = (reading: Promise<void>) => void reading.catch(() => { if (stage === "live") void read(); });
    const answer = (cursor: string | undefined) => {
      clearTimeout(pong);
      pong = undefined;
      if (stage === "live" && cursor) this.cursor = cursor;
      settle();
    };

    socket.onopen = () => {
      stage = "asking";
      watch();
    };
    socket.onclose = end;
    socket.onmessage = ({ data }) => {
      const told = parse(String(data));
      heard = Date.now();
      if (stage === "over") return;
      if (told.type === "watching") {
        clearTimeout(watching);
        void read();
      } else if (told.type === "events") {
        if (stage === "live" && told.cursor) this.cursor = told.cursor;
        attempt(this.take(told.events ?? []));
      } else if (told.type === "pong") {
        answer(told.cursor);
      } else if (told.type === "catch_up") {
        behind ??= told.cursor;
        answer(undefined);
        if (stage === "live") void read();
      } else if (told.type === "reading" || told.type === "typing") {
        this.world.meet(told);
      }
    };

    let [beats, last] = [0, Date.now()];
    const beat = setInterval(() => {
      const late = Date.now() - last - BEAT;
      [beats, last] = [beats + 1, Date.now()];
      if (Math.abs(late) > ASLEEP) return this.renew();
      if (beats % SEEN === 0 && this.world.isSeen()) tellSeen();
      if (beats % PING === 0) {
        ping(ANSWER);
        tellReading(true);
        // Those that the server could not publish are not told.
        attempt(this.world.reload().catch((problem: unknown) => this.miss(problem)));
      }
      if (beats >= RENEWAL) this.renew();
    }, BEAT);
    this.connection = {
      end, watch, tellSeen, tellTyping,
      tellReading: () => tellReading(),
      touch: () => { if (Date.now() - heard > SILENCE) ping(DOUBT); },
      doubt: () => {
        ping(DOUBT);
        if (pong !== undefined) this.say("catching");
      },
    };
    await over.promise;
    this.connection = null;
    clearInterval(beat);
    clearTimeout(watching);
    clearTimeout(pong);
    if (!wasLive) throw failure;
  }

  /** Reads the events after the cursor to the end. */
  private async catchUp(): Promise<void> {
    const taken: Promise<void>[] = [];
    const { wanted } = this;
    const add = (reading: Promise<void>) => {
      taken.push(reading);
      // It may fail before it is waited for.
      reading.catch(() => undefined);
    };
    for (let page = 0, more = true; more; page += 1) {
      if (page === MOST_PAGES) throw LOST;
      const found = await this.world.events(this.cursor);
      if (this.got < wanted && page === 0) add(this.world.reload());
      ({ cursor: this.cursor, more } = found);
      add(this.take(found.events));
    }
    await Promise.all(taken);
    this.got = wanted;
  }

  /** Begins anew: what was changed since the cursor is not known. */
  private drop(): void {
    this.cursor = undefined;
    this.wanted += 1;
  }

  private async take(events: LiveEvent[]): Promise<void> {
    await this.world.take(this.news(events)).catch((problem: unknown) => this.miss(problem));
  }

  private miss(problem: unknown): never {
    this.wanted += 1;
    throw problem;
  }

  private news(events: LiveEvent[]): LiveEvent[] {
    const fresh = events.filter(({ id }) => !this.known.has(id));
    for (const { id } of fresh) this.known.add(id);
    for (const id of this.known) {
      if (this.known.size <= MOST_KNOWN) break;
      this.known.delete(id);
    }
    return fresh;
  }
}

/** Events after the cursor are not kept any more. */
function isLost(problem: unknown): boolean {
  return problem instanceof Refused && problem.status === 410;
}

/** There is no room for another socket, or there were too many requests. */
function isLimited(problem: unknown): boolean {
  return problem instanceof Refused && (problem.status === 409 || problem.status === 429);
}

function parse(text: string): Told {
  try {
    return Object(JSON.parse(text)) as Told;
  } catch {
    return {};
  }
}
