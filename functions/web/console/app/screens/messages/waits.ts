/** Why a message is not sent yet, as far as what the API states tells. */
import type { components } from "../../api/contract.d.ts";
import type { Facts } from "../../api/problem.ts";

type Schemas = components["schemas"];
type Known = Pick<Schemas["MessageDetails"], "state" | "at" | "send_at" | "valid_until" | "channel"> & {
  attempts: Pick<Schemas["MessageAttempt"], "state" | "began_at" | "code" | "facts" | "reason">[];
  remarks: Pick<Schemas["Remark"], "at" | "code" | "facts" | "text">[];
};
type Quiet = Pick<Schemas["QuietHours"], "from" | "to" | "action">;

interface Wait {
  /** `later`: nothing is tried before that time. `again`: it is tried until then. */
  kind: "later" | "again";
  at: string | null;
  reason: { code: string | null; facts: Facts; sentence: string | null } | null;
}

/** Remarks on what a message waits for. */
const WAITS = ["quiet_hours", "connection_broken", "paused", "pair_rate", "throughput", "cap_reached", "campaign_paused", "asset_uploading", "earlier_reply", "frequency"];

/** `quiet`: the hours that held it back when it was made, if there were some. */
export function waitOf({ state, send_at, valid_until, attempts, remarks }: Known, quiet: Partial<Quiet> | null, now = Date.now()): Wait | null {
  if (state !== "scheduled") return null;
  const ahead = send_at && Date.parse(send_at) > now ? send_at : null;
  const last = attempts.at(-1);
  const remark = remarks.findLast(({ at, code }) => WAITS.includes(code) && (!last || Date.parse(at) >= Date.parse(last.began_at)));
  if (remark) {
    const reason = { code: remark.code, facts: remark.facts, sentence: remark.text };
    return remark.code === "quiet_hours" ? { kind: "later", at: ahead, reason } : { kind: "again", at: valid_until, reason };
  }
  if (last?.state === "refused") return { kind: "again", at: valid_until, reason: { code: last.code, facts: last.facts, sentence: last.reason } };
  if (!ahead) return null;
  return { kind: "later", at: ahead, reason: quiet && { code: "quiet_hours", facts: quiet.from && quiet.to ? { quiet_from: quiet.from, quiet_to: quiet.to } : {}, sentence: null } };
}

/** Whether a message that was made within these hours of the business waits for their end. */
export function waitsForEnd({ at, send_at }: Pick<Known, "at" | "send_at">, { from, to, action }: Quiet, timeZone: string): boolean {
  const clock = (moment: string) => new Date(moment).toLocaleTimeString("sv-SE", { timeZone, hour: "2-digit", minute: "2-digit" });
  const [made, begin, end] = [clock(at), from.slice(0, 5), to.slice(0, 5)];
  const within = begin < end ? begin <= made && made < end : begin <= made || made < end;
  return action !== "skip" && action !== "send" && within && send_at !== null && clock(send_at) === end;
}
