/** A plain resource: it has a name, stands in a list, and is created, changed and deleted by one form. */
import type { Tagged } from "../api/problem.ts";

/** What the API can do with it. `Fields` are those that a person fills in. */
export interface Resource<Item, Fields extends object> {
  /** Its page among the settings. Its words and what was read of it have the same name. */
  name: string;
  /** Fields of a new one. */
  blank: Fields;
  fieldsOf: (item: Item) => Fields;
  /** Names a part of a field. By default, parts are texts in languages. */
  partName?: (part: string) => string;
  read: (id: string) => Promise<Tagged<Item>>;
  /** With the same key, a repeated request creates no second one. */
  create: (body: Fields, key: string) => Promise<unknown>;
  /** `body` has what is changed, and `tag` names the version that was read. */
  update: (id: string, tag: string, body: object) => Promise<Tagged<Item>>;
  remove: (id: string) => Promise<unknown>;
}
