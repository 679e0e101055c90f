const BROWSERS = [["Edg", "Edge"], ["OPR", "Opera"], ["Firefox", "Firefox"], ["Chrome", "Chrome"], ["Safari", "Safari"]] as const;
const SYSTEMS = [["Android", "Android"], ["iPhone", "iPhone"], ["iPad", "iPad"], ["Windows", "Windows"], ["Mac OS X", "macOS"], ["Linux", "Linux"]] as const;

/** Browser and system of a `User-Agent`, or the whole if it is of neither. */
export function deviceOf(agent: string | null | undefined): string | null {
  if (!agent) return null;
  const known = [BROWSERS, SYSTEMS].flatMap((names) => names.find(([part]) => agent.includes(part))?.[1] ?? []);
  return known.length > 0 ? known.join(", ") : agent;
}
