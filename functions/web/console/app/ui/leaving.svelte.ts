/** Asks before a page is left whose input is not saved: by a link, by the browser's buttons, or by closing the tab. */
import { onDestroy } from "svelte";
import { session } from "../api/session.svelte.ts";
import { t } from "../words/words.svelte.ts";
import { router } from "./router.svelte.ts";

interface Input {
  dirty: () => boolean;
  /** The question before it is lost. */
  question?: string;
  /** Whether it is being saved. */
  busy?: () => boolean;
  /** Whether it is saved, and nothing is to be read before the page is left. */
  save?: () => Promise<boolean>;
}

const inputs = new Set<Input>();

/** Before a log-in there is nothing to lose. */
export function isDirty(): boolean {
  return router.found?.route.needs !== "nobody" && [...inputs].some(({ dirty }) => dirty());
}

router.guard = () => !isDirty() || confirm(t([...inputs].find(({ dirty, question }) => question && dirty())?.question ?? "new-leave"));
addEventListener("beforeunload", (event) => {
  if (!session.leaving && isDirty()) event.preventDefault();
});

/** To be called while a component is made. */
export function askBeforeLeaving(dirty: () => boolean, more: Omit<Input, "dirty"> = {}): void {
  const input = { dirty, ...more };
  inputs.add(input);
  onDestroy(() => inputs.delete(input));
}

let saving = false;

/** For a link that leads on: saves what is typed, and then goes. Whatever is refused, or is being saved, keeps the page. */
export async function saveAndFollow(event: MouseEvent & { currentTarget: HTMLAnchorElement }): Promise<void> {
  const unsaved = [...inputs].filter(({ dirty, busy, save }) => save && (dirty() || busy?.()));
  if ((unsaved.length === 0 && !saving) || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  if (saving) return;
  const { href } = event.currentTarget;
  const { url } = router;
  saving = true;
  try {
    for (const { save } of unsaved) if (!(await save?.())) return;
  } finally {
    saving = false;
  }
  // Whoever has gone elsewhere meanwhile stays there.
  if (router.url === url) router.go(href);
}
