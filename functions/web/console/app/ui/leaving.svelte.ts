/** Asks before a page is left whose input is not saved. */
import { onDestroy } from "svelte";
import { session } from "../api/session.svelte.ts";
import { t } from "../words/words.svelte.ts";
import { router } from "./router.svelte.ts";

/** To be called while a component is made. */
export function askBeforeLeaving(dirty: () => boolean): void {
  const warn = (event: BeforeUnloadEvent) => {
    if (dirty() && !session.leaving) event.preventDefault();
  };
  router.guard = () => !dirty() || confirm(t("new-leave"));
  addEventListener("beforeunload", warn);
  onDestroy(() => {
    router.guard = null;
    removeEventListener("beforeunload", warn);
  });
}
