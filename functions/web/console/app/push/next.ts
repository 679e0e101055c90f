/** What becomes of a device on which notifications were turned on before. */
import type { components } from "../api/contract.d.ts";
import type { Noted } from "./noted.ts";

/** A device that is kept for less than this, in milliseconds, is sent again. The API keeps it for 30 days. */
const RENEWED_BEFORE = 29 * 24 * 3_600_000;

interface Found {
  user: string | undefined;
  session: string;
  /** Of the browser's subscription, if it has one. */
  endpoint: string | undefined;
  /** The device, if the API has it. */
  listed: components["schemas"]["PushSubscription"] | undefined;
  /** By the server's clock, in milliseconds. */
  now: number;
}

/** Somebody else may use the device now, or it was removed on another one. The API also removes it after its session ended, and a new endpoint is the
 * browser's doing: then it is sent again. */
export function nextOf(known: Noted, { user, session, endpoint, listed, now }: Found): "forget" | "send" | "keep" {
  const isSame = endpoint === known.endpoint;
  if (endpoint === undefined || user !== known.user || (isSame && !listed && session === known.session)) return "forget";
  const isFresh = listed?.current && Date.parse(listed.expires_at) - now > RENEWED_BEFORE;
  return isSame && isFresh ? "keep" : "send";
}
