import type { FluentResource } from "@fluent/bundle";

/** Names of the variables of each message. */
export function variablesOf(resource: FluentResource): Map<string, Set<string>> {
  return new Map(resource.body.map(({ id, value }) => [id, collect(value, new Set())]));
}

function collect(part: unknown, names: Set<string>): Set<string> {
  if (typeof part !== "object" || part === null) return names;
  if ("type" in part && part.type === "var" && "name" in part) names.add(String(part.name));
  for (const inner of Object.values(part)) collect(inner, names);
  return names;
}
