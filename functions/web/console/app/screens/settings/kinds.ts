/** What each provider asks for. The names are those of the API; `credentials.` begins those of secrets, which are never shown again. */
import type { components } from "../../api/contract.d.ts";

export type Kind = components["schemas"]["ConnectionKind"];

export interface Asked {
  name: string;
  optional?: true;
}

const NUMBERS: Asked = { name: "numbers", optional: true };

export const KINDS: Record<Kind, Asked[]> = {
  whatsapp: [
    { name: "display_number" }, { name: "phone_number_id" }, { name: "waba_id" },
    { name: "credentials.access_token" }, { name: "credentials.app_secret", optional: true },
  ],
  twilio: [
    { name: "account_sid" }, { name: "numbers" },
    { name: "credentials.auth_token" }, { name: "credentials.api_key_sid" }, { name: "credentials.api_key_secret" },
  ],
  telephony: [NUMBERS],
  aircall: [NUMBERS],
  vonage: [{ name: "api_key" }, NUMBERS, { name: "credentials.signature_secret" }],
  exotel: [{ name: "account_sid" }, NUMBERS],
  plivo: [{ name: "auth_id" }, NUMBERS, { name: "credentials.auth_token" }],
};

/** The request for a connection of this kind with what was typed. */
export function requestOf(kind: Kind, name: string, typed: Record<string, string>): components["schemas"]["ConnectionIn"] {
  const body: Record<string, unknown> = { kind, name };
  const credentials: Record<string, string> = {};
  for (const { name: field, optional } of KINDS[kind]) {
    const value = (typed[field] ?? "").trim();
    if (!value && optional) continue;
    if (field.startsWith("credentials.")) credentials[field.slice("credentials.".length)] = value;
    else if (field === "numbers") body.numbers = value.split(",").map(plain).filter(Boolean);
    else body[field] = field.endsWith("number") ? plain(value) : value;
  }
  if (Object.keys(credentials).length > 0) body.credentials = credentials;
  // The table above has the fields of each kind, which types cannot follow.
  return body as components["schemas"]["ConnectionIn"];
}

function plain(number: string): string {
  return number.replace(/[\s()-]/g, "");
}
