/** Values that the API has no form for, such as changed fields and results, as lists say them. */

/** A value of a field. */
export function textOf(value: unknown): string {
  if (value === null || value === undefined || value === "") return "–";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** The values inside a result, each with its path. */
export function leavesOf(value: unknown, path: string[] = []): { name: string; text: string }[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return path.length === 0 || value === null ? [] : [{ name: path.join("."), text: textOf(value) }];
  return Object.entries(value).flatMap(([name, inner]) => leavesOf(inner, [...path, name]));
}
