/** Asks before a page is left whose input is not saved: by a link, by the browser's buttons, or by closing the tab. */
import { onDestroy } from "svelte";
import { session } from "../api/session.svelte.ts";
import { t } from "../words/words.svelte.ts";
import { router } from "./router.svelte.ts";

const unsaved = new Set<() => boolean>();

/** Before a log-in there is nothing to lose. */
function isDirty(): boolean {
  return router.found?.route.needs !== "nobody" && [...unsaved].some((dirty) => dirty());
}

router.guard = () => !isDirty() || confirm(t("new-leave"));
addEventListener("beforeunload", (event) => {
  if (!session.leaving && isDirty()) event.preventDefault();
});

/** To be called while a component is made. */
export function askBeforeLeaving(dirty: () => boolean): void {
  unsaved.add(dirty);
  onDestroy(() => unsaved.delete(dirty));
}
