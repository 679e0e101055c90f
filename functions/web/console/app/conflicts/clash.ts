/** What two people have made of the same, in words. */
import type { components } from "../api/contract.d.ts";
import { here } from "../api/here.svelte.ts";
import { queries } from "../api/queries.ts";
import { isDay, nameOf } from "../screens/settings/hours.ts";
import { sourceName } from "../ui/texts.ts";
import { difference, isObject, WHOLE, type Clash } from "../ui/draft.svelte.ts";
import { duration, language, list } from "../words/formats.ts";
import { t, words } from "../words/words.svelte.ts";

type TemplateUse = components["schemas"]["TemplateUse"];

const NOTHING = "–";

export interface Row {
  label: string;
  mine: string;
  theirs: string;
  /** Whether the person changed it, too: then it is theirs that is replaced. */
  both: boolean;
}

/** What somebody else has changed, with what the person has there. */
export function rowsOf({ before, mine, theirs }: Clash, labelOf: (path: string[]) => string, area = "automation"): Row[] {
  return pathsOf({ before, mine, theirs }).map((path) => {
    const name = path.at(-1) ?? "";
    const [old, own, other] = [before, mine, theirs].map((version) => at(version, path));
    const label = path.slice(2).reduce((outer, key) => t("labelled", { label: outer, text: keyOf(key, area) }), labelOf(path.slice(0, 2)));
    return { label, mine: describe(own, name, area), theirs: describe(other, name, area), both: JSON.stringify(old ?? null) !== JSON.stringify(own ?? null) };
  });
}

/** Paths of what they have changed, as deep as `merged` goes. */
function pathsOf({ before, mine, theirs }: Clash): string[][] {
  return Object.keys(difference(before, theirs)).flatMap((name) => {
    const [old, own, other] = [before, mine, theirs].map((version) => at(version, [name]));
    if (name === WHOLE || !isObject(old) || !isObject(own) || !isObject(other)) return [[name]];
    return pathsOf({ before: old, mine: own, theirs: other }).map((inner) => [name, ...inner]);
  });
}

function at(version: object, path: string[]): unknown {
  return path.reduce<unknown>((value, name) => (isObject(value) ? (value as Record<string, unknown>)[name] : undefined), version);
}

function describe(value: unknown, name: string, area: string): string {
  if (typeof value === "boolean") return t(value ? "yes" : "no");
  if (typeof value === "number") return name.endsWith("_seconds") ? duration(value) : String(value);
  if (typeof value === "string" && value !== "") return wordOf(value, name, area);
  if (Array.isArray(value) && value.length > 0) return list(value.map((item) => describe(item, name, area)));
  if (isObject(value) && name === WHOLE) return templateOf(value as TemplateUse);
  if (isObject(value) && Object.keys(value).length > 0) {
    const entries = Object.entries(value).map(([key, inner]) => [keyOf(key, area), describe(inner, key, area)] as const).filter(([, text]) => text !== NOTHING);
    if (entries.length === 0) return NOTHING;
    if ("from" in value && "to" in value) return entries.map(([, text]) => text).join(" – ");
    return list(entries.map(([label, text]) => t("labelled", { label, text })));
  }
  return NOTHING;
}

/** A template and its values, each in a line. */
function templateOf({ name, language: tag, by_contact_language, header, header_media, variables, buttons }: TemplateUse): string {
  const given = (label: string, { from, text = "", default: otherwise }: NonNullable<TemplateUse["header"]>) => {
    const source = from && sourceName(from);
    return t("labelled", { label, text: source ? [source, otherwise && t("labelled", { label: t("automation-default"), text: otherwise })].filter(Boolean).join(" · ") : text });
  };
  return [
    t("automation-template-one", { name, language: language(tag.replace("_", "-")), sendable: "yes" }),
    ...(by_contact_language ? [t("automation-by-language")] : []),
    ...(header ? [given(t("automation-value-header"), header)] : []),
    ...(header_media ? [t("labelled", { label: t("automation-header_media"), text: nameById(header_media) ?? t("automation-media-other") })] : []),
    ...Object.entries(variables ?? {}).map(([variable, value]) => given(t("automation-value", { name: `{{${variable}}}` }), value)),
    ...(buttons ?? []).map(({ index, value }) => given(t("automation-value-button", { name: String(index + 1) }), value)),
  ].join("\n");
}

/** Fields that people write: a text is no word of the API, whatever it says. */
const WRITTEN = /^(?:name|sms_text|text|[a-z]{2}(?:-.*)?)$/;

/** A word of the API, or the name of what an id stands for. */
function wordOf(value: string, name: string, area: string): string {
  if (WRITTEN.test(name)) return value;
  const id = [`${area}-${name.replace("when_", "")}-${value}`, `outcome-${value}`, `channel-${value}`, `direction-${value}`, `teams-${name}-${value}`].find((id) => words.has(id));
  if (id) return t(id);
  if (!/^[a-z]+_\w+$/.test(value)) return value;
  // The list of all lines has those that there are.
  const isGone = value.startsWith("line_") && queries.getQueryData([here.place?.id, "lines", "all"]) !== undefined;
  return nameById(value) ?? (isGone ? t("automation-line-deleted") : value);
}

/** The name of what an id stands for, if a list of it was read. */
function nameById(id: string): string | undefined {
  const lists = queries.getQueriesData<{ items?: { id: string; name: string }[] }>({ queryKey: [here.place?.id] });
  return lists.flatMap(([, data]) => data?.items ?? []).find((item) => item.id === id)?.name;
}

function keyOf(key: string, area: string): string {
  if (isDay(key)) return nameOf(key, words.locale());
  const id = [`answer-${key}`, `${area}-field-${key}`, `hours-${key}`].find((id) => words.has(id));
  if (id) return t(id);
  return /^[a-z]{2}(?:-|$)/.test(key) ? language(key) : key;
}
