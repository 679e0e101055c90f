/** A line as its form has it. */
import type { components } from "../../api/contract.d.ts";
import { hoursOf, textsOf, type Texts } from "./hours.ts";
import { plain } from "./kinds.ts";

type Line = components["schemas"]["LineIn"];
type Connection = components["schemas"]["ConnectionOut"];

export interface LineFields {
  name: string;
  number: string;
  /** Ids of connections. Empty: any that carries the channel. */
  whatsapp: string;
  sms: string;
  sms_number: string;
  /** Whether the hours are its own. */
  own: boolean;
  hours: Texts;
}

export function fieldsOf(line?: Line): LineFields {
  return {
    name: line?.name ?? "", number: line?.number ?? "", whatsapp: line?.whatsapp ?? "", sms: line?.sms?.connection ?? "", sms_number: line?.sms?.number ?? "",
    own: Boolean(line?.business_hours), hours: textsOf(line?.business_hours),
  };
}

export function lineOf({ name, number, whatsapp, sms, sms_number, own, hours }: LineFields): Line {
  return {
    name, number: plain(number) || null, whatsapp: whatsapp || null, sms: sms ? { connection: sms, number: sms_number || null } : null,
    business_hours: own ? hoursOf(hours) : null,
  };
}

export function sendersOf(connections: Connection[], channel: "whatsapp" | "sms"): Connection[] {
  return connections.filter(({ kind, numbers, whatsapp_sender, messaging_service_sid }) =>
    channel === "whatsapp" ? kind === "whatsapp" || whatsapp_sender : kind === "twilio" && (numbers?.length || messaging_service_sid),
  );
}
