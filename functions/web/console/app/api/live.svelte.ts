/** Whether the page is told what changes, and who wants to hear of it. `live/`, which is loaded with the first screen that follows something, fills it. */
import type { components } from "./contract.d.ts";

export type LiveEvent = components["schemas"]["PublishedEvent"];
/** What changes, as sockets are told of it. */
export type View = "calls" | "messages" | "contacts" | "orders" | "connections" | "templates" | "inbox:all" | `conversation:${string}` | `contact:${string}`;
/** `live`: every change is told. `catching`: it is not certain that all were, and what is missing is read. `delayed`: they are asked for every few
 * seconds. `off`: nobody answers. */
export type State = "live" | "catching" | "delayed" | "off";

/** What a query is about, for its `meta`. */
export interface Following {
  /** `data`: what was read last. */
  concerns: (event: LiveEvent, data: unknown) => boolean;
  /** Milliseconds between two readings, on average. */
  every: number;
}

/** Somebody else in a conversation that is open: until when they read it and write a reply, as far as was told, by the device's clock. */
export interface Other {
  conversation_id: string;
  user_id: string;
  reads: number;
  writes: number;
}

class Live {
  state = $state<State>("off");
  /** Views of what is open on the page, beside those of its screen. */
  open = $state.raw<View[]>([]);
  others = $state.raw<Other[]>([]);
  private readonly hearers = new Set<(event: LiveEvent) => void>();

  /** Calls back for each event, until the function that it returns is called. */
  hear(hearer: (event: LiveEvent) => void): () => void {
    this.hearers.add(hearer);
    return () => this.hearers.delete(hearer);
  }

  tell(events: LiveEvent[]): void {
    for (const event of events) for (const hearer of this.hearers) hearer(event);
  }
}

export const live = new Live();

/** `meta` of a query that is read again after these events. A page of a list is read as a whole, so at most every two seconds. Events come after
 * the screen is gone, too: `concerns` looks at what was read, never at what the screen derives. */
export function follows<Data>(concerns: (event: LiveEvent, data?: Data) => boolean, every = 1000): { follows: Following } {
  return { follows: { concerns: concerns as Following["concerns"], every } };
}

export const LIST = 2000;

export function isOfMessage({ type }: LiveEvent): boolean {
  return type.startsWith("message.");
}

/** What shows a customer's name. */
export interface Named {
  contact: { id: string };
}

/** Whether one of these customers may have another name by now. */
export function isOfCustomer({ type, data }: LiveEvent, shown: readonly Named[]): boolean {
  return type === "contact.changed" && shown.some(({ contact }) => contact.id === data.contact_id);
}

/** `meta` of a page of a list of what customers do. */
export function followsRows(concerns: (event: LiveEvent) => boolean, every: number): { follows: Following } {
  return follows<{ items: Named[] }>((event, data) => concerns(event) || isOfCustomer(event, data?.items ?? []), every);
}

/** Whether it can change a call, or the message that follows it. */
export function isOfCall(event: LiveEvent): boolean {
  return event.type === "call.decided" || isOfMessage(event);
}
