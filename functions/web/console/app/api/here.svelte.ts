/** The tenant of the page that is shown. */
import type { components } from "./contract.d.ts";
import { operations, roles, type Operation, type Role } from "./permissions.ts";
import type { Route } from "../routes.ts";

export type Place = components["schemas"]["PlaceOut"];

class Here {
  place = $state<Place | null>(null);
  /** Whether the person administers the platform. Until that is known, the API decides. */
  platform = $state<boolean>();

  may(operation: Operation): boolean {
    if (operations[operation] === "platform") return this.platform !== false;
    return this.place !== null && permits(this.place.role, operation);
  }

  /** The first operation of a screen that the person may not do. */
  missing(needs: Route["needs"]): Operation | undefined {
    return typeof needs === "string" ? undefined : needs.find((operation) => !this.may(operation));
  }

  /** Path of a page of this tenant. */
  to(page: string): string {
    return this.place ? pathOf(this.place, page) : "/app/";
  }
}

export function pathOf(place: Place, page: string): string {
  return `/app/${place.slug ?? place.id}${page && `/${page}`}`;
}

/** The tenant that a path names, by its slug or its id. */
export function placeOf(places: Place[], name: string | undefined): Place | null {
  return places.find(({ id, slug }) => [slug, id].includes(name ?? "")) ?? null;
}

export function permits(role: Role, operation: Operation): boolean {
  return (roles[role] as readonly string[]).includes(operations[operation]);
}

/** The least role that may do it. */
export function leastRole(operation: Operation): Role | undefined {
  return (Object.keys(roles) as Role[]).find((role) => permits(role, operation));
}

export const here = new Here();
