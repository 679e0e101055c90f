import type { components } from "../../api/contract.d.ts";

export type Tenant = components["schemas"]["TenantOut"];

export function pick<K extends keyof Tenant>(tenant: Tenant, fields: K[]): Pick<Tenant, K> {
  return Object.fromEntries(fields.map((field) => [field, tenant[field]])) as Pick<Tenant, K>;
}

/** Words or codes as people write them in one line. */
export function wordsOf(text: string): string[] {
  return text.split(/[,،]/).map((word) => word.trim()).filter(Boolean);
}
