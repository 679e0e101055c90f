/** What keys do in the list of conversations and in a thread, while one of them has the focus. */

export type Action = "next" | "previous" | "select" | "reply" | "note" | "template" | "assign" | "mine" | "close" | "snooze" | "tag" | "unread" | "search" | "help" | "back" | "open";

const KEYS: Record<string, Action> = {
  j: "next", k: "previous", x: "select", r: "reply", t: "template", a: "assign", m: "mine", e: "close", z: "snooze", l: "tag", u: "unread", "/": "search", "?": "help", Escape: "back", Enter: "open",
};
/** By their scope, in the order in which the help lists them. */
export const OF_LIST: Action[] = ["next", "previous", "open", "select", "assign", "mine", "snooze", "close", "tag", "unread", "search", "help"];
export const OF_THREAD: Action[] = ["next", "previous", "reply", "note", "template", "assign", "mine", "snooze", "close", "tag", "search", "back", "help"];

/** Keys as the help shows them. */
export const NAMES = { ...Object.fromEntries(Object.entries(KEYS).map(([key, action]) => [action, key])), note: "N", back: "Esc", open: "↵" } as Record<Action, string>;

type Pressed = Pick<KeyboardEvent, "key" | "code" | "altKey" | "ctrlKey" | "metaKey" | "isComposing">;

/** The action of a key. Letters of other layouts count by where they are: the J key of an Arabic one writes `ت`. */
export function actionOf({ key, code, altKey, ctrlKey, metaKey, isComposing, shiftKey }: Pressed & { shiftKey: boolean }): Action | undefined {
  if (altKey || ctrlKey || metaKey || isComposing) return undefined;
  const isLatin = /^[\x20-\x7e]$/.test(key);
  const letter = isLatin || key.length > 1 ? key : code === "Slash" ? (shiftKey ? "?" : "/") : code.replace(/^Key/, "").toLowerCase();
  const name = letter.length === 1 ? letter.toLowerCase() : letter;
  if (name === "n") return shiftKey ? "note" : undefined;
  return shiftKey && /^[a-z]$/.test(name) ? undefined : KEYS[name];
}

/** What takes letters itself, or has keys of its own. */
const WRITES = "input:not([type=checkbox]), textarea, select, [contenteditable], dialog, [popover], audio, video";

/** Does what keys mean while the focus is in this element, unless `run` knows nothing to do. */
export function onKeys(run: (action: Action) => boolean): (element: HTMLElement) => () => void {
  return (element) => {
    const left = new AbortController();
    element.addEventListener("keydown", (event) => {
      if (event.defaultPrevented || (event.target instanceof Element && event.target.closest(WRITES))) return;
      const action = actionOf(event);
      if (action && run(action)) event.preventDefault();
    }, left);
    return () => left.abort();
  };
}

/** Where the focus goes on the next page, which a key has opened: a thread, the search, or the row of a conversation. */
export const landing: { at: string | null } = { at: null };

/** Takes it, once. */
export function landsAt(place: string | null): boolean {
  if (landing.at === null || landing.at !== place) return false;
  landing.at = null;
  return true;
}
