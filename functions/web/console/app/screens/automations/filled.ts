/** What values become in a text that is shown as a customer would read it. */
import type { components } from "../../api/contract.d.ts";
import { t } from "../../words/words.svelte.ts";

type Tenant = components["schemas"]["TenantOut"];

/** A customer who reads the language has a name of it. */
const NAMES: Record<string, string> = { "contact.first_name": "sample-first-name", "contact.name": "sample-name" };

/** As the API fills them in, with these further ones, which are the same in each language. */
export function filledFor(tenant: Pick<Tenant, "name" | "variables"> | undefined, more: Record<string, string | undefined>): (source: string, lang: string) => string | undefined {
  const values: Record<string, string | undefined> = {
    "contact.phone": "+971501234567", "tenant.name": tenant?.name, "preferences.link": `${location.origin}/p/${"x".repeat(16)}`, ...more,
    ...Object.fromEntries(Object.entries(tenant?.variables ?? {}).map(([name, value]) => [`tenant.${name}`, value])),
  };
  return (source, lang) => (NAMES[source] ? t(NAMES[source], { language: lang.split("-")[0] ?? lang }) : values[source]);
}
