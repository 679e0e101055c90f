/** A line as its form has it. */
import { apiHere } from "../../api/client.ts";
import type { components } from "../../api/contract.d.ts";
import { here } from "../../api/here.svelte.ts";
import { Refused, take, takeTagged } from "../../api/problem.ts";
import { queries } from "../../api/queries.ts";
import { hoursOf, textsOf, type Texts } from "./hours.ts";
import { CALLING, plain } from "./kinds.ts";

type Line = components["schemas"]["LineIn"];
type Connection = components["schemas"]["ConnectionOut"];

export interface LineFields {
  name: string;
  number: string;
  /** Id of the connection that gets the number, if it lacks it. Empty: the first that reports calls, if all lack it. */
  reporter: string;
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
    name: line?.name ?? "", number: line?.number ?? "", reporter: "", whatsapp: line?.whatsapp ?? "", sms: line?.sms?.connection ?? "", sms_number: line?.sms?.number ?? "",
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
  return connections.filter(({ kind, numbers, letters, whatsapp_sender, messaging_service_sid }) =>
    channel === "whatsapp" ? kind === "whatsapp" || whatsapp_sender : kind === "twilio" && (numbers?.length || letters?.length || messaging_service_sid),
  );
}

/** Whether a connection takes calls to this number: it has the number, or takes calls to all. */
export function takes({ numbers }: Connection, number: string): boolean {
  return !numbers?.length || numbers.includes(plain(number));
}

/** Whether calls to the number of a line are ignored, because no connection that reports calls takes them. */
export function isUnheard(number: string | null | undefined, connections: Connection[]): boolean {
  return Boolean(number) && !connections.some((one) => CALLING.includes(one.kind) && takes(one, number ?? ""));
}

/** The connection to which the line's number has to be added, so that its calls count: the chosen one, unless it takes them. Without a choice none
 * if any takes them, else the first. */
export function reporterOf({ number, reporter }: LineFields, connections: Connection[]): Connection | undefined {
  const calling = connections.filter(({ kind }) => CALLING.includes(kind));
  const chosen = calling.find(({ id }) => id === reporter);
  if (chosen) return takes(chosen, number) ? undefined : chosen;
  return calling.some((one) => takes(one, number)) ? undefined : calling[0];
}

/** Adds the line's number to the connection that lacks it. It comes before the line, which is refused otherwise. If the line is refused all the
 * same, the connection keeps the number, and the next try finds it there. Whether it has added it: the API may have completed a line with that. */
export async function connectNumber(fields: LineFields, connections: Connection[]): Promise<boolean> {
  const [number, reporter] = [plain(fields.number), reporterOf(fields, connections)];
  if (!number || !reporter || !here.may("update_connection")) return false;
  const [api, key] = [apiHere(), [here.place?.id, "connections"]];
  const path = { connection_id: reporter.id };
  const { value, tag } = await takeTagged(api.GET("/api/v1/connections/{connection_id}", { params: { path } }));
  const body = { numbers: [...(value.numbers ?? []), number] };
  try {
    const changed = await take(api.PATCH("/api/v1/connections/{connection_id}", { params: { path, header: { "If-Match": tag } }, body }));
    // Its page does not begin with what it was.
    queries.setQueryData([...key, reporter.id], changed);
  } catch (failure) {
    if (!(failure instanceof Refused)) throw failure;
    // The form has no field of the connection.
    const errors = failure.errors.map((fault) => ({ ...fault, field: /^numbers|^voice\.forward_to$/.test(fault.field) ? "number" : fault.field }));
    throw new Refused(failure.status, { ...failure.problem, errors });
  }
  await queries.invalidateQueries({ queryKey: key });
  // As after it was made: the provider may be asked about the number, too. Whatever comes of it is shown with the connection.
  if (value.last_test && here.may("test_connection")) await api.POST("/api/v1/connections/{connection_id}/test", { params: { path } }).catch(() => null);
  return true;
}
