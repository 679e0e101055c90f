/** What an access token says that the console uses. */
interface Claims {
  iat?: unknown;
  sid?: unknown;
}

function claimsOf(token: string): Claims {
  const [, payload = ""] = token.split(".");
  try {
    return (JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/"))) as Claims | null) ?? {};
  } catch {
    return {};
  }
}

/** Milliseconds by which the server's clock is ahead of the device's, by a token that was received at this time of the device. */
export function aheadOf(token: string, received: number): number {
  const { iat } = claimsOf(token);
  return typeof iat === "number" ? iat * 1000 - received : 0;
}

/** Id of the token's session; empty if it names none. */
export function sessionOf(token: string): string {
  const { sid } = claimsOf(token);
  return typeof sid === "string" ? sid : "";
}
