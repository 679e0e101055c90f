/** What each provider asks for. The names are those of the API; a dot leads into an object. */
import type { components } from "../../api/contract.d.ts";
import type { Voice } from "./voice.ts";

export type Kind = components["schemas"]["ConnectionKind"];

export interface Asked {
  name: string;
  /** It may be empty. `rarely`: most have to give it, so it is not hidden, and the API says where it is required. */
  optional?: true | "rarely";
  /** Values to choose from, the first being the default. */
  choices?: [string, ...string[]];
}

interface Provider {
  /** Identity of the account, which cannot change. */
  account: Asked[];
  settings: Asked[];
  /** Secrets, which are never shown again. */
  credentials: Asked[];
  /** Who makes the secret that signs reports. */
  secret: "ours" | "theirs" | "either";
}

const NUMBERS: Asked = { name: "numbers", optional: true };

export const KINDS: Record<Kind, Provider> = {
  whatsapp: {
    account: [{ name: "phone_number_id" }, { name: "waba_id" }],
    settings: [{ name: "display_number" }],
    credentials: [{ name: "credentials.access_token" }, { name: "credentials.app_secret", optional: "rarely" }],
    secret: "either",
  },
  twilio: {
    account: [{ name: "account_sid" }],
    settings: [
      { name: "numbers" },
      { name: "whatsapp_sender", optional: true }, { name: "messaging_service_sid", optional: true },
    ],
    credentials: [{ name: "credentials.auth_token" }, { name: "credentials.api_key_sid" }, { name: "credentials.api_key_secret" }],
    secret: "theirs",
  },
  telephony: { account: [], settings: [NUMBERS], credentials: [], secret: "ours" },
  aircall: {
    account: [],
    settings: [NUMBERS],
    credentials: [{ name: "credentials.token", optional: true }, { name: "credentials.api_key.api_id", optional: true }, { name: "credentials.api_key.api_token", optional: true }],
    secret: "theirs",
  },
  vonage: {
    account: [{ name: "api_key" }],
    settings: [NUMBERS, { name: "application_id", optional: true }],
    credentials: [{ name: "credentials.signature_secret" }, { name: "credentials.api_secret", optional: true }],
    secret: "theirs",
  },
  exotel: {
    account: [{ name: "account_sid" }],
    settings: [NUMBERS, { name: "cluster", optional: true, choices: ["singapore", "mumbai"] }, { name: "country_code", optional: true }, { name: "sources", optional: true }],
    credentials: [{ name: "credentials.api_key", optional: true }, { name: "credentials.api_token", optional: true }],
    secret: "ours",
  },
  plivo: { account: [{ name: "auth_id" }], settings: [NUMBERS], credentials: [{ name: "credentials.auth_token" }], secret: "theirs" },
  shopify: { account: [{ name: "shop" }], settings: [], credentials: [{ name: "credentials.signing_key", optional: "rarely" }], secret: "theirs" },
  woocommerce: { account: [{ name: "store" }], settings: [], credentials: [], secret: "ours" },
};

/** The provider's own pages on which the guide begins: to find what is asked for, and to paste the addresses. */
export const PAGES: Partial<Record<Kind, Record<"find" | "paste", string>>> = {
  whatsapp: { find: "https://developers.facebook.com/apps/", paste: "https://developers.facebook.com/apps/" },
  twilio: { find: "https://console.twilio.com/", paste: "https://console.twilio.com/us1/develop/phone-numbers/manage/incoming" },
  aircall: { find: "https://dashboard.aircall.io/", paste: "https://dashboard.aircall.io/" },
  vonage: { find: "https://dashboard.vonage.com/settings", paste: "https://dashboard.vonage.com/applications" },
  exotel: { find: "https://my.exotel.com/", paste: "https://my.exotel.com/" },
  plivo: { find: "https://console.plivo.com/", paste: "https://console.plivo.com/" },
  shopify: { find: "https://admin.shopify.com/", paste: "https://admin.shopify.com/settings/notifications" },
};

/** Kinds that report calls, and kinds that send messages. */
export const CALLING: Kind[] = ["twilio", "telephony", "aircall", "vonage", "exotel", "plivo"];
export const SENDING: Kind[] = ["whatsapp", "twilio"];

export type Typed = Record<string, string>;

const isList = (name: string): boolean => name === "numbers" || name === "sources";
const isNumber = (name: string): boolean => /number$|_sender$/.test(name);
/** Whether the field is for a telephone number, or several. */
export const isPhone = (name: string): boolean => name === "numbers" || isNumber(name);

/** An object of these fields with what was typed. Where `empty` is given, it stands for an optional field without a value. */
export function objectOf(asked: Asked[], typed: Typed, empty?: null): Record<string, unknown> {
  const whole: Record<string, unknown> = {};
  for (const { name, optional } of asked) {
    const text = (typed[name] ?? "").trim();
    if (!text && optional && empty === undefined) continue;
    const path = name.split(".");
    const last = path.pop() ?? "";
    let inner = whole;
    for (const part of path) inner = (inner[part] ??= {}) as Record<string, unknown>;
    inner[last] = valueOf(name, text, optional ? empty : undefined);
  }
  return whole;
}

function valueOf(name: string, text: string, empty: null | undefined): unknown {
  if (isList(name)) return text.split(/[,،]/).map((item) => (name === "numbers" ? plain(item) : item.trim())).filter(Boolean);
  if (!text && empty === null) return null;
  return isNumber(name) ? plain(text) : text;
}

/** The request for a connection of this kind with what was typed. `twilio` is how Twilio's answers calls, and the letters that send. */
export function requestOf(kind: Kind, name: string, typed: Typed, twilio?: { voice: Voice; letters?: components["schemas"]["LettersSender"][] }): components["schemas"]["ConnectionIn"] {
  const { account, settings, credentials } = KINDS[kind];
  // The table above has the fields of each kind, which types cannot follow.
  return { kind, name, ...objectOf([...account, ...settings, ...credentials], typed), ...twilio } as components["schemas"]["ConnectionIn"];
}

/** What is typed into the fields of settings for a connection as it is. */
export function typedOf(kind: Kind, connection: object): Typed {
  return Object.fromEntries(KINDS[kind].settings.map(({ name }) => {
    const value = name.split(".").reduce<unknown>((inner, part) => (inner as Record<string, unknown> | null | undefined)?.[part], connection);
    return [name, Array.isArray(value) ? value.join(", ") : String(value ?? "")];
  }));
}

/** A number without the spaces and signs with which people write it. */
export function plain(number: string): string {
  return number.replace(/[\s()-]/g, "");
}
