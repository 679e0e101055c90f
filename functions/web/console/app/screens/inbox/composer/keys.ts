/** The keys that send what is written. */
import { settings } from "../../../ui/settings.svelte.ts";

/** Whether this Enter sends, as the person has set it. `touch`: phones have no second key for a new line. */
export function sends({ ctrlKey, metaKey, shiftKey }: KeyboardEvent, touch: boolean): boolean {
  return ctrlKey || metaKey || (settings.sendKey === "shift_enter" ? shiftKey : !shiftKey && !touch);
}
