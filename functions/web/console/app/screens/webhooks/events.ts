/** Types of events, by what they are about. */
import type { components } from "../../api/contract.d.ts";

export type EventType = components["schemas"]["LiveEventType"];

/** What each is about. The contract names all of them, so a new one fails the build until it has a place. */
const SUBJECTS: Record<EventType, "customers" | "messages" | "work"> = {
  "call.decided": "customers", "contact.changed": "customers", "consent.changed": "customers", "conversion.recorded": "customers", "order.changed": "customers", "note.created": "customers",
  "message.received": "messages", "message.sent": "messages", "message.status": "messages", "conversation.changed": "messages",
  "campaign.progress": "work", "operation.progress": "work", "template.changed": "work", "connection.refused": "work",
};

/** All types, in groups. */
export function eventGroups(): { subject: string; events: EventType[] }[] {
  const all = Object.entries(SUBJECTS) as [EventType, string][];
  return [...new Set(Object.values(SUBJECTS))].map((subject) => ({ subject, events: all.filter(([, of]) => of === subject).map(([event]) => event) }));
}

/** The name of the words for a type. */
export function wordOf(event: string): string {
  return `hook-event-${event.replace(".", "-")}`;
}

/** A header as the API takes it: none without a name, and without a value the one that it has stays. */
export function headerIn<T extends { name: string; value: string }>(header: T | null | undefined): { name: string; value?: string } | null | undefined {
  if (!header) return header;
  if (header.name.trim() === "") return null;
  return header.value === "" ? { name: header.name } : { name: header.name, value: header.value };
}
