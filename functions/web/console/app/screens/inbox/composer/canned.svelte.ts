/** The canned replies of the business, with the values of a customer. */
import type { api } from "../../../api/client.ts";
import type { components } from "../../../api/contract.d.ts";
import { here } from "../../../api/here.svelte.ts";
import { take } from "../../../api/problem.ts";
import { queries } from "../../../api/queries.ts";
import { sourcesOf } from "../../../ui/texts.ts";
import { fill, inLanguage, missingIn } from "./canned.ts";
import type { Suggested } from "./suggesting.svelte.ts";

type Schemas = components["schemas"];

interface Known {
  here: () => string | undefined;
  contact: () => Schemas["Contact"] | undefined;
  line: () => string | null;
}

export class Canned {
  readonly sources = sourcesOf({}, { ofCall: false });
  readonly missing = missingIn;
  private all: Schemas["CannedReply"][] = [];
  private readonly api: typeof api;
  private readonly known: Known;

  constructor(client: typeof api, known: Known) {
    this.api = client;
    this.known = known;
  }

  /** Their names, with the digits of the first nine. */
  async list(): Promise<Suggested[]> {
    if (!here.may("list_canned_replies")) return [];
    const queryFn = () => take(this.api.GET("/api/v1/canned-replies", { params: { query: { limit: 100 } } }));
    this.all = (await queries.fetchQuery({ queryKey: [here.place?.id, "canned-replies"], queryFn, staleTime: 60_000 })).items;
    return this.all.map(({ id, name, text }, place) => ({ id, name, detail: inLanguage(text, this.languages()), ...(place < 9 ? { digit: place + 1 } : {}) }));
  }

  /** Its text in the customer's language, with the values that this page knows. */
  textOf(id: string): string {
    const found = this.all.find((one) => one.id === id);
    return found ? fill(inLanguage(found.text, this.languages()), this.values()) : "";
  }

  /** The same with the values that only the API knows, such as first names. What it does not know either stays. */
  async refine(text: string, sms: boolean): Promise<string> {
    const contact_id = this.known.contact()?.id;
    if (!text.includes("{{") || !contact_id || !here.may("preview_message")) return text;
    const line_id = this.known.line();
    const body = { contact_id, category: "utility" as const, basis: "-", ...(line_id ? { line_id } : {}), ...(sms ? { sms_text: text } : { text }) };
    const { channels } = await take(this.api.POST("/api/v1/messages/preview", { body })).catch(() => ({ channels: [] }));
    return channels.find((channel) => channel.text)?.text ?? text;
  }

  readonly becomes = (source: string): string | undefined => this.values()[source] ?? undefined;

  private values(): Record<string, string | null | undefined> {
    const contact = this.known.contact();
    return { "contact.name": contact?.name, "contact.phone": contact?.phones[0], "tenant.name": this.known.here() };
  }

  private languages(): (string | null | undefined)[] {
    const tenant = queries.getQueryData<{ languages?: string[] }>([here.place?.id, "tenant"]);
    return [this.known.contact()?.language, ...(tenant?.languages ?? [])];
  }
}
