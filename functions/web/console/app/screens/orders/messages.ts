/** Messages about events of orders, as their screens see them. */
import { createQuery, type CreateQueryResult } from "@tanstack/svelte-query";
import { api } from "../../api/client.ts";
import type { components } from "../../api/contract.d.ts";
import { here } from "../../api/here.svelte.ts";
import { take } from "../../api/problem.ts";
import { usual } from "../../api/usual.ts";
import { sourcesOf } from "../../ui/texts.ts";
import { t } from "../../words/words.svelte.ts";

type Schemas = components["schemas"];
export type EventMessage = Schemas["EventMessage"];
export type OrderEvent = EventMessage["event"];
export type Content = Schemas["CampaignMessage"];

/** What a person changes of one. Without content of its own, the usual text is sent. */
export interface Fields {
  enabled: boolean;
  delay_seconds: number;
  message: Content | null;
}

export const LIST = "/api/v1/event-messages";
export const PATH = "/api/v1/event-messages/{event_message_id}";

/** Events in the order in which they happen, each with the template of the library that fits it, and the values of that. */
export const EVENTS: { event: OrderEvent; template: string; values: string[] }[] = [
  { event: "order.created", template: "order_received", values: ["contact.first_name", "order.number", "order.total"] },
  { event: "order.late", template: "order_late", values: ["contact.first_name", "order.number"] },
  { event: "order.packed", template: "order_packed", values: ["contact.first_name", "order.number"] },
  { event: "order.shipped", template: "order_on_its_way", values: ["contact.first_name", "order.number"] },
  { event: "order.delivered", template: "order_delivered", values: ["contact.first_name", "order.number"] },
  { event: "order.cancelled", template: "order_called_off", values: ["contact.first_name", "order.number"] },
];

/** Values of the order of a customer who reads a text before it is sent. */
export const SAMPLE = {
  "order.number": "1042", "order.total": "120.50 AED", "order.items": "2 × Honey cake (L), 1 × Tea", "order.carrier": "Aramex", "order.tracking_number": "31042790521",
  "order.tracking_url": "https://track.example.com/31042790521",
};

/** Values of texts about an order. Most of them say after the customer's name which one it is. */
export function sourcesOfOrder(variables: Record<string, string>): string[] {
  const sources = sourcesOf(variables, { ofCall: false });
  return [...sources.slice(0, 3), ...Object.keys(SAMPLE), ...sources.slice(3)];
}

export function listMessages(): Promise<Schemas["Listed_EventMessage"]> {
  return take(api.GET(LIST));
}

export function messagesKey(): unknown[] {
  return [here.place?.id, "event-messages"];
}

export function messagesHere(): CreateQueryResult<Schemas["Listed_EventMessage"]> {
  return createQuery(() => ({ queryKey: messagesKey(), queryFn: listMessages }));
}

export function fieldsOf(found?: EventMessage): Fields {
  return { enabled: found?.enabled ?? false, delay_seconds: found?.delay_seconds ?? 0, message: found?.message ?? null };
}

/** The words of an event, such as `shipped`. */
export function eventName(event: OrderEvent): string {
  return t(`order-event-${event.replace(/^order\./, "")}`);
}

/** The usual text as content that can be changed. */
export function usualContent(event: OrderEvent): Content {
  return { channels: ["sms"], category: "utility", fallback_after_seconds: 120, sms_text: { ...usual[event] } };
}

/** Its content with a template first, and its text for whoever has no WhatsApp, or as long as the template is not approved. */
export function withTemplate(before: Content, template: NonNullable<Content["template"]>): Content {
  return { ...before, channels: before.sms_text ? ["whatsapp", "sms"] : ["whatsapp"], template };
}
