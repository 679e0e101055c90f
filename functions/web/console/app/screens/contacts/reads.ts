/** What the screens of a contact read, beside the contact. */
import { createQuery, type CreateQueryResult } from "@tanstack/svelte-query";
import { api } from "../../api/client.ts";
import type { components } from "../../api/contract.d.ts";
import { here } from "../../api/here.svelte.ts";
import { Refused, take } from "../../api/problem.ts";
import { queries } from "../../api/queries.ts";
import { router } from "../../ui/router.svelte.ts";

type Schemas = components["schemas"];

/** They seldom change. */
const KEPT = 300_000;

/** The stages of leads, in their order. */
export function stagesOf(needed = () => true): CreateQueryResult<Schemas["Stage"][]> {
  return createQuery(() => ({
    queryKey: [here.place?.id, "stages", "all"],
    queryFn: () => take(api.GET("/api/v1/stages", { params: { query: { limit: 100 } } })),
    select: ({ items }: Schemas["Listed_Stage"]) => items.toSorted((one, other) => one.position - other.position),
    staleTime: KEPT,
    enabled: here.may("list_stages") && needed(),
  }));
}

/** The fields that the business has defined for contacts. */
export function fieldsOf(needed = () => true): CreateQueryResult<Schemas["Listed_Field"]> {
  return createQuery(() => ({
    queryKey: [here.place?.id, "fields", "all"],
    queryFn: () => take(api.GET("/api/v1/fields", { params: { query: { limit: 100 } } })),
    staleTime: KEPT,
    enabled: here.may("list_fields") && needed(),
  }));
}

/** The id of the contact in the address. */
export function contactId(): string {
  return router.found?.params.contact ?? "";
}

export function contactKey(id: string): unknown[] {
  return [here.place?.id, "contacts", id];
}

/** The contact of the address. One that was merged leads to the contact that goes on. */
export function contactOf(id: string): CreateQueryResult<Schemas["Contact"]> {
  return createQuery(() => ({
    queryKey: contactKey(id),
    queryFn: async () => {
      try {
        return await take(api.GET("/api/v1/contacts/{contact_id}", { params: { path: { contact_id: id } } }));
      } catch (problem) {
        const next = problem instanceof Refused && problem.kind === "merged" ? problem.location?.split("/").at(-1) : undefined;
        if (next && contactId() === id) router.go(here.to(`contacts/${next}`), { replace: true, ask: false });
        throw problem;
      }
    },
  }));
}

/** Reads what is shown of contacts again, and of what names them. */
export async function readAnew(): Promise<void> {
  for (const key of ["inbox", "conversations", "calls", "messages"]) void queries.invalidateQueries({ queryKey: [here.place?.id, key] });
  await queries.invalidateQueries({ queryKey: [here.place?.id, "contacts"] });
}
