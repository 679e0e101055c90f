/** How a connection of Twilio answers calls, as its form has it. */
import type { components } from "../../api/contract.d.ts";
import { plain } from "./kinds.ts";

type Stored = components["schemas"]["VoiceModel"] | null | undefined;
type Spoken = components["schemas"]["SpokenModel"];
export type Voice = Required<components["schemas"]["VoiceModel"]>;

/** The choices, each with the sentences that callers hear. */
export const SAID = { forward: "missed_greeting", voicemail: "greeting", greet: "greeting", own_flow: null } as const;

/** The choices for calls that a line has forwarded: they must not ring once more. */
export const NOWHERE: Voice["handling"][] = ["voicemail", "greet"];

/** A new connection rings somewhere: without a number for it, the form is refused. */
const USUAL: Voice = {
  handling: "forward", forward_to: null, forward_timeout_seconds: 20, greeting: [], missed_greeting: [], voicemail_after_missed: false, voicemail_max_seconds: 120,
};
export const RING_SECONDS = USUAL.forward_timeout_seconds;

/** The fields for a new connection, or for one as it is. */
export function fieldsOf(voice: Stored): Voice {
  return { ...USUAL, ...voice };
}

/** The fields for calls that a line forwards because nobody answered there. They must not ring at the line again. */
export function forwardedHere(tag: string, text: string): Voice {
  return { ...USUAL, handling: "greet", greeting: [{ language: spokenTag(tag), text }] };
}

/** What is sent: what the choice shows, and the rest as it was. */
export function voiceOf(fields: Voice, before?: Stored): Voice {
  const { handling, forward_timeout_seconds, voicemail_after_missed } = fields;
  const whole = { ...USUAL, ...before, handling };
  if (handling === "own_flow") return whole;
  if (handling !== "forward") return { ...whole, greeting: filled(fields.greeting) };
  return {
    ...whole, forward_to: plain(fields.forward_to ?? "") || null, forward_timeout_seconds, voicemail_after_missed, missed_greeting: filled(fields.missed_greeting),
    // What was said in place of ringing is not said before it.
    greeting: before?.handling === "forward" ? whole.greeting : [],
  };
}

/** Whether something else answers the calls of this connection, so that Ringback only hears of them. */
export function isOwnFlow({ kind, voice }: Pick<components["schemas"]["ConnectionOut"], "kind" | "voice">): boolean {
  return kind === "twilio" && (voice?.handling ?? "own_flow") === "own_flow";
}

/** Names of a sentence: in the form, and in the API, to which only those are sent that say something. */
export function namesOf(list: "greeting" | "missed_greeting", spoken: Spoken[], index: number): [string, ...string[]] {
  const own = `voice.${list}.${spoken[index]?.language ?? ""}`;
  return filled(spoken.slice(index, index + 1)).length > 0 ? [own, `voice.${list}[${filled(spoken.slice(0, index)).length}]`] : [own];
}

function filled(spoken: Spoken[]): Spoken[] {
  return spoken.filter(({ text }) => text.trim() !== "");
}

/** With an empty sentence for each language that has none. */
export function withEmpty(spoken: Spoken[], languages: string[]): Spoken[] {
  const missing = languages.filter((tag) => !spoken.some(({ language }) => plainLanguage(language) === plainLanguage(tag)));
  return [...spoken, ...missing.map((tag) => ({ language: spokenTag(tag), text: "" }))];
}

export function plainLanguage(tag: string): string {
  return tag.split("-")[0]?.toLowerCase() ?? tag;
}

/** The language as Twilio's voices have it: with a country, which for Arabic is that of no dialect. Source: twilio.com/docs/voice/twiml/say. */
function spokenTag(tag: string): string {
  if (plainLanguage(tag) === "ar") return "ar-XA";
  try {
    const { language, region } = new Intl.Locale(tag).maximize();
    return region ? `${language}-${region}` : tag;
  } catch {
    return tag;
  }
}
