/** What would really become of a message, by the checks of its channels. */
import type { components } from "../../api/contract.d.ts";
import type { Facts } from "../../api/problem.ts";

type Schemas = components["schemas"];
type Known = Pick<Schemas["ChannelOutlook"], "channel" | "connection_id" | "passed" | "code" | "facts" | "reason" | "waits_until">;

interface Fate {
  /** `waits`: it would be tried again and again, or later than the decision says. */
  kind: "sent" | "waits" | "never";
  reason: { code: string | null; facts: Facts; sentence: string | null };
}

export function fateOf({ sent, code, facts, decision, channels }: Pick<Schemas["MessagePreview"], "sent" | "code" | "facts" | "decision"> & { channels: Known[] }): Fate {
  const decided: Fate = { kind: sent ? "sent" : "never", reason: { code, facts, sentence: decision } };
  // Channels without a connection are left out, which the decision says.
  const planned = channels.filter(({ connection_id }) => connection_id !== null);
  if (!sent || planned.length === 0) return decided;
  const skipped = ({ passed, waits_until }: Known) => !passed && waits_until === null;
  const first = planned.find((channel) => !skipped(channel));
  const against = first ?? planned.at(-1);
  if (against && !against.passed) {
    const reason = { code: against.code, facts: against.facts, sentence: against.reason };
    return { kind: first ? "waits" : "never", reason };
  }
  if (!first || first === planned[0]) return decided;
  // The others do not carry it.
  const { next_channel, fallback_after_seconds, ...rest } = facts;
  const next = planned.slice(planned.indexOf(first) + 1).find((channel) => !skipped(channel));
  const after: Facts = next && next_channel && fallback_after_seconds ? { next_channel: next.channel, fallback_after_seconds } : {};
  const problems = planned.filter(skipped).flatMap((channel) => [[`${channel.channel}_problem`, channel.code ?? "other"], ...Object.entries(channel.facts).map(([name, value]) => [`${channel.channel}_${name}`, value])] as [string, Facts[string]][]);
  return { ...decided, reason: { ...decided.reason, facts: { ...rest, ...after, channel: first.channel, ...Object.fromEntries(problems) } } };
}
