/** Which telephone a business has, and what is connected for it. */
import type { components } from "../../api/contract.d.ts";
import type { Kind } from "../settings/kinds.ts";

type Connection = Pick<components["schemas"]["ConnectionOut"], "kind" | "voice" | "numbers">;

export const WAYS = ["line", "cloud", "system"] as const;
export type Way = (typeof WAYS)[number];

/** An ordinary line forwards its calls to a number at Twilio. */
export const OFFERED: Record<Way, Kind[]> = { line: ["twilio"], cloud: ["twilio", "aircall", "vonage", "exotel", "plivo"], system: ["telephony"] };

/** At Twilio, calls that a line has forwarded ring nowhere. */
function isForLine({ kind, voice }: Connection): boolean {
  return kind === "twilio" && (voice?.handling === "greet" || voice?.handling === "voicemail");
}

/** What the business has by its connections, if it has answered with one. */
export function wayOf(connections: Connection[]): Way | undefined {
  if (connections.some(isForLine)) return "line";
  return WAYS.find((way) => way !== "line" && connections.some(({ kind }) => OFFERED[way].includes(kind)));
}

/** The number at Twilio to which an ordinary line forwards. */
export function forwardedTo(connections: Connection[]): string | undefined {
  return connections.find((connection) => isForLine(connection) && connection.numbers?.length)?.numbers?.[0];
}
