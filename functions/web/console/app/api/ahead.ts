/** Milliseconds by which the server's clock is ahead of the device's, by a token that was received at this time of the device. */
export function aheadOf(token: string, received: number): number {
  const [, payload = ""] = token.split(".");
  try {
    const { iat } = JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/"))) as { iat?: unknown };
    return typeof iat === "number" ? iat * 1000 - received : 0;
  } catch {
    return 0;
  }
}
