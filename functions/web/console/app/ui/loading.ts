/** Files and answers that do not come while there is no network. */
import type { Loaded, Route } from "../routes.ts";
import { words } from "../words/words.svelte.ts";

/** A screen and its words, which come at the same time. */
export async function loadScreen({ load, words: areas }: Route): Promise<Loaded> {
  const [screen] = await Promise.all([load(), words.load(...areas)]);
  return screen;
}

/** How long, in milliseconds, to wait before the next try: twice as long each time, and at most half a minute. */
export function pauseOf(tries: number): number {
  return Math.min(1000 * 2 ** tries, 30_000);
}

/** Loads a screen. While the network is gone, it says so and tries again: with longer and longer pauses, and at once when the device has one again. */
export async function loadPatiently<T>(load: () => Promise<T>, say: (offline: boolean) => void, { signal }: { signal: AbortSignal }): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await load();
    } catch (failure) {
      if (signal.aborted || (await reaches())) {
        // Browsers remember for as long as the page is there that a file did not come.
        if (tries > 0 && !signal.aborted) location.reload();
        throw failure;
      }
    }
    say(true);
    await untilOnline(pauseOf(tries), signal);
  }
}

/** Whether the server answers, whatever it says. */
async function reaches(): Promise<boolean> {
  return fetch(location.href, { method: "HEAD", cache: "no-store" }).then(() => true, () => false);
}

async function untilOnline(pause: number, signal: AbortSignal): Promise<void> {
  await new Promise<unknown>((resume) => {
    setTimeout(resume, pause);
    for (const [target, event] of [[window, "online"], [signal, "abort"]] as const) target.addEventListener(event, resume, { once: true });
  });
}
