/** What somebody writes in a conversation, until it is sent. Whatever is refused stays, with the reason. */
import { apiHere } from "../../../api/client.ts";
import type { components } from "../../../api/contract.d.ts";
import { here } from "../../../api/here.svelte.ts";
import { Refused, take } from "../../../api/problem.ts";
import { queries } from "../../../api/queries.ts";
import { withoutMarks } from "../../../ui/digits.ts";
import { router } from "../../../ui/router.svelte.ts";
import type { Reason } from "../../../words/codes.ts";
import { moment } from "../../../words/formats.ts";
import { t } from "../../../words/words.svelte.ts";
import type { Conversation, Opening } from "../conversation.ts";
import { DraftKeeper, type DraftState } from "./draft.ts";
import { mentionsIn } from "./canned.ts";
import { Intended } from "./intended.ts";

type Schemas = components["schemas"];
export type Content = Pick<Schemas["ReplyIn"], "text" | "sms_text" | "template" | "media" | "reply_to">;
export type Entry = Schemas["TimelineEntryOut"];
export type Quoted = { id: string; text: string };
/** A message with which somebody begins, since the customer has only called. */
export interface Start {
  contact_id: string;
  line_id?: string;
  basis: string;
}
/** Whoever only called is not replied to, but written to because of the call. */
export function startOf(one: Conversation, entries: Entry[]): Start {
  const call = entries.findLast(({ call }) => call);
  const at = call?.at ?? one.active_at;
  return { contact_id: one.contact.id, ...(one.line ? { line_id: one.line.id } : {}), basis: withoutMarks(t("new-ground", { at: moment(at, "full") })) };
}

/** What is on its way, as the thread shows it. */
export interface Pending {
  key: string;
  text: string;
}

/** States of a message that its customer will never get. */
const LOST = ["failed", "blocked"];

export class Composing {
  kind = $state<"reply" | "note">("reply");
  text = $state("");
  note = $state("");
  quote = $state.raw<Quoted | null>(null);
  file = $state.raw<Schemas["Asset"] | null>(null);
  pending = $state.raw<Pending | null>(null);
  busy = $state(false);
  problem = $state.raw<unknown>(null);
  /** A message that was accepted and came to nothing. Only a text is given back. */
  lost = $state.raw<{ what: "text" | "file" | "template"; why: Reason } | null>(null);
  /** Whether it is not known yet what becomes of a reply or a file. */
  private transfers = $state(false);
  /** What colleagues have said that was not seen. */
  missed = $state.raw<{ ids: string[]; by: string | null } | null>(null);
  draft = $state.raw<DraftState>({ saved: null, theirs: null });
  /** The end of a window of which the API has said that it is over. */
  overAt = $state.raw<string | null>(null);
  readonly keeper: DraftKeeper;
  private readonly api = apiHere();
  private readonly tenant = here.place?.id;
  private readonly path: { conversation_id: string };
  private readonly replies = new Intended<object>();
  private readonly notes = new Intended<object>();
  private readonly keeps = here.may("set_conversation_draft");
  /** What is done once it is known what became of the reply before, unless that comes back. */
  next: (() => void) | null = null;
  private left = false;
  private readonly channel: BroadcastChannel;
  private mentioned: { id: string; name: string }[] = [];
  /** Messages of this page of which it is not known yet whether they arrive. */
  private underWay = new Map<string, Content>();
  /** How far the conversation was seen when the text was begun. What colleagues say later was not taken into account. */
  private began: number | null = null;
  private closes: string | null = null;

  /** `opening`: how the conversation is read, with the draft. */
  constructor(conversation_id: string, opening: Opening) {
    this.path = { conversation_id };
    this.channel = new BroadcastChannel(`draft ${conversation_id}`);
    this.channel.addEventListener("message", ({ data }: MessageEvent<string>) => this.keeper.hear(data));
    const request = { params: { path: this.path } };
    this.keeper = new DraftKeeper({
      // What is under way already can be from before another page has saved something.
      read: async (again) => (await (again ? opening.queryFn() : queries.fetchQuery(opening))).draft?.text ?? "",
      write: async (text, keepalive) => {
        if (text) await take(this.api.PUT("/api/v1/conversations/{conversation_id}/draft", { ...request, body: { text }, keepalive }));
        else await take(this.api.DELETE("/api/v1/conversations/{conversation_id}/draft", { ...request, keepalive }));
      },
      tell: (text) => this.channel.postMessage(text),
      adopt: (text) => { this.text = text; },
      say: (state) => { this.draft = state; },
    });
    if (this.keeps) void this.keeper.open().catch(() => undefined);
  }

  /** Whether something is written or attached that is not sent. */
  get isBegun(): boolean {
    return this.text !== "" || this.note !== "" || this.file !== null;
  }

  /** Whether leaving the page loses what no draft keeps. */
  get isAtRisk(): boolean {
    return this.note !== "" || this.file !== null || this.transfers;
  }

  /** To be called whenever the text or what is seen of the conversation is another. */
  follow(seen: number | null, closes: string | null): void {
    this.closes = closes;
    if (!this.text && !this.pending) this.began = null;
    else if (this.text) this.began ??= seen;
    if (this.keeps && !this.pending) this.keeper.type(this.text);
  }

  mention(person: { id: string; name: string }): void {
    this.mentioned.push(person);
  }

  /** Sends a reply, or the message that starts the conversation. `shown`: its words. */
  async send(content: Content, shown: string, seen: number, start: Start | null): Promise<void> {
    await this.attempt(async () => {
      // Only what was found to be harmless is sent.
      if (content.media && this.file?.state === "scanning") this.file = await this.complete(this.file.id);
      const tried = this.replies.of({ ...content, start }, () => (start ? { ...content, ...start, category: "utility" } : { ...content, seen: this.began ?? seen }));
      this.pending = { key: tried.key, text: shown };
      const taken = this.takeOut(content);
      try {
        const { id, conversation_id } = await this.transfer(() => this.post({ "Idempotency-Key": tried.key }, tried.body, start));
        this.underWay.set(id, content);
        this.replies.settle(tried);
        [this.missed, this.began] = [null, null];
        if (!content.template && this.keeps) void this.keeper.clear();
        if (conversation_id === this.path.conversation_id) await this.readAgain();
        else if (!this.left) router.go(here.to(`inbox/${conversation_id}`), { ask: false });
      } catch (problem) {
        this.replies.settle(tried, problem);
        [this.text, this.quote, this.file] = [joined(taken.text, this.text), taken.quote ?? this.quote, taken.file ?? this.file];
        throw problem;
      } finally {
        this.pending = null;
      }
    });
  }

  /** Takes out what this content carries. The rest stays for another one. */
  private takeOut({ template, media, reply_to }: Content): Pick<Composing, "text" | "quote" | "file"> {
    const taken = { text: template ? "" : this.text, quote: reply_to ? this.quote : null, file: media ? this.file : null };
    if (!template) this.text = "";
    if (reply_to) this.quote = null;
    if (media) this.file = null;
    return taken;
  }

  private async transfer<T>(what: () => Promise<T>): Promise<T> {
    this.transfers = true;
    try {
      return await what();
    } finally {
      this.transfers = false;
    }
  }

  private async post(header: { "Idempotency-Key": string }, body: object, start: Start | null): Promise<{ id: string; conversation_id: string }> {
    if (start) {
      const { conversation_id, message } = await take(this.api.POST("/api/v1/conversations", { params: { header }, body: body as Schemas["MessageIn"] }));
      return { id: message.id, conversation_id };
    }
    const { id } = await take(this.api.POST("/api/v1/conversations/{conversation_id}/messages", { params: { path: this.path, header }, body: body as Schemas["ReplyIn"] }));
    return { id, conversation_id: this.path.conversation_id };
  }

  async addNote(contact_id: string): Promise<void> {
    await this.attempt(async () => {
      const body = { text: this.note, mentions: mentionsIn(this.note, this.mentioned) };
      const tried = this.notes.of(body, () => body);
      try {
        await take(this.api.POST("/api/v1/contacts/{contact_id}/notes", { params: { path: { contact_id }, header: { "Idempotency-Key": tried.key } }, body }));
        this.notes.settle(tried);
      } catch (problem) {
        this.notes.settle(tried, problem);
        throw problem;
      }
      [this.note, this.mentioned] = ["", []];
      await this.readAgain();
    });
  }

  /** Uploads a file for the next reply. */
  async attach(file: File): Promise<void> {
    await this.attempt(() => this.transfer(async () => {
      // A type that the API does not take is refused by it, with those that it takes.
      const body = { name: file.name, content_type: file.type as Schemas["NewAsset"]["content_type"], bytes: file.size };
      const created = await take(this.api.POST("/api/v1/conversations/{conversation_id}/attachments", { params: { path: this.path }, body }));
      const { url = "", method, headers } = created.upload ?? {};
      const put = await fetch(url, { method, headers, body: file }).catch(() => null);
      if (!put?.ok) throw new Refused(put?.status ?? 0, {});
      this.file = await this.complete(created.id);
    }));
  }

  /** Says that a file is uploaded, or asks whether it was found to be harmless. */
  async complete(attachment_id: string): Promise<Schemas["Asset"]> {
    const path = { ...this.path, attachment_id };
    return take(this.api.POST("/api/v1/conversations/{conversation_id}/attachments/{attachment_id}/complete", { params: { path } }));
  }

  /** Gives back the text of a message that was accepted and came to nothing. */
  settle(entries: readonly Entry[]): void {
    for (const { message } of entries) {
      const content = message && this.underWay.get(message.id);
      if (!content) continue;
      if (["delivered", "read"].includes(message.state ?? "")) this.underWay.delete(message.id);
      if (!LOST.includes(message.state ?? "")) continue;
      this.underWay.delete(message.id);
      const leg = message.legs[0];
      const why = message.code ? { code: message.code, facts: message.facts, sentence: message.decision } : { code: leg?.code ?? null, facts: leg?.facts ?? {}, sentence: leg?.reason };
      this.lost = { what: content.template ? "template" : content.media ? "file" : "text", why };
      if (!content.template) this.text = joined(wordsOf(content), this.text);
      void queries.invalidateQueries({ queryKey: [this.tenant, "conversations", this.path.conversation_id] });
    }
  }

  /** Saves what is not saved yet, and hears nothing any more. */
  leave(): void {
    this.left = true;
    void (this.keeps ? this.keeper.save(true) : Promise.resolve()).then(() => {
      this.keeper.close();
      this.channel.close();
    });
  }

  private async attempt(what: () => Promise<void>): Promise<void> {
    if (this.busy) return;
    [this.busy, this.problem, this.lost] = [true, null, null];
    try {
      await what();
    } catch (problem) {
      await this.explain(problem);
    } finally {
      this.busy = false;
    }
    const next = this.next;
    this.next = null;
    if (!this.left && !this.problem && !this.missed && !this.lost) next?.();
  }

  private async explain(problem: unknown): Promise<void> {
    if (problem instanceof Refused && problem.kind === "conversation_moved") {
      const { seq, messages, by } = problem.problem.facts ?? {};
      // They are there to be shown before anything can be sent again.
      await this.readAgain();
      this.missed = { ids: Array.isArray(messages) ? messages : [], by: typeof by === "string" ? by : null };
      this.began = typeof seq === "number" ? seq : this.began;
      return;
    }
    if (problem instanceof Refused && problem.kind === "window_closed") this.overAt = this.closes;
    this.problem = problem;
  }

  private async readAgain(): Promise<void> {
    await queries.invalidateQueries({ queryKey: [this.tenant, "conversations", this.path.conversation_id] });
  }
}

/** What somebody has written of it. */
function wordsOf({ text, sms_text, media }: Content): string {
  return [text, sms_text, media?.caption].find((words) => typeof words === "string") ?? "";
}

function joined(one: string, other: string): string {
  return [one, other].filter(Boolean).join("\n");
}
