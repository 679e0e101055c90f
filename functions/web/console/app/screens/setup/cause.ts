/** Why nobody knows how a call ended that Twilio reported. */
import type { components } from "../../api/contract.d.ts";
import { isOwnFlow } from "../settings/voice.ts";

type Schemas = components["schemas"];
type Call = Pick<Schemas["CallDetails"], "outcome" | "provider"> & { reported: Pick<Schemas["CallDetails"]["reported"], "handling"> };

/**
 * `own_flow`: Ringback was asked what to do with the call, and left it to a flow of the business. `mended`: that has been changed since. `unreported`: such a flow
 * answered, and did not report how. `elsewhere`: Ringback should answer, and was not asked.
 */
export function causeOf({ outcome, provider, reported }: Call, connection: Parameters<typeof isOwnFlow>[0]): "own_flow" | "mended" | "unreported" | "elsewhere" | null {
  if (outcome !== "unknown" || provider !== "twilio") return null;
  if (reported.handling === null) return isOwnFlow(connection) ? "unreported" : "elsewhere";
  if (reported.handling !== "own_flow") return null;
  return isOwnFlow(connection) ? "own_flow" : "mended";
}
