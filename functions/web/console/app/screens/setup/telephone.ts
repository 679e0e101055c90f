/** Which telephone a business has, and what is connected for it. */
import type { components } from "../../api/contract.d.ts";
import type { Kind } from "../settings/kinds.ts";
import { NOWHERE } from "../settings/voice.ts";

type Connection = Pick<components["schemas"]["ConnectionOut"], "kind" | "voice" | "numbers">;

export const WAYS = ["line", "cloud", "system"] as const;
export type Way = (typeof WAYS)[number];

/** An ordinary line forwards its calls to a number at Twilio. */
export const OFFERED: Record<Way, Kind[]> = { line: ["twilio"], cloud: ["twilio", "aircall", "vonage", "exotel", "plivo"], system: ["telephony"] };

/** At Twilio, calls that a line has forwarded ring nowhere. */
export function isForLine({ kind, voice }: Connection): boolean {
  return kind === "twilio" && voice?.handling !== undefined && NOWHERE.includes(voice.handling);
}

/** What the person has answered in this browser. A number at Twilio may ring nowhere without a line, so connections do not tell. */
export function answered(tenant: string | undefined): Way | undefined {
  const stored = tenant && localStorage.getItem(`telephone.${tenant}`);
  return WAYS.find((way) => way === stored);
}

export function answer(tenant: string | undefined, way: Way): void {
  if (tenant) localStorage.setItem(`telephone.${tenant}`, way);
}

/** What the business has: as it was answered, or else by its connections. */
export function wayOf(connections: Connection[], said?: Way): Way | undefined {
  return said ?? WAYS.find((way) => way !== "line" && connections.some(({ kind }) => OFFERED[way].includes(kind)));
}

/** The number at Twilio to which an ordinary line forwards. */
export function forwardedTo(connections: Connection[]): string | undefined {
  return connections.find((connection) => isForLine(connection) && connection.numbers?.length)?.numbers?.[0];
}
