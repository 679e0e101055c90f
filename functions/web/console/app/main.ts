import "./api/asked.ts";
import { mount } from "svelte";
import App from "./App.svelte";
import { here, placeOf } from "./api/here.svelte.ts";
import { session } from "./api/session.svelte.ts";
import { loadScreen } from "./ui/loading.ts";
import { router } from "./ui/router.svelte.ts";
import { settings } from "./ui/settings.svelte.ts";
import { words } from "./words/words.svelte.ts";

/** Asks for what the screen shows as soon as there is a session: drawing the frame takes a slow phone a while. */
async function begin(): Promise<void> {
  await session.start();
  const { route, params } = router.found ?? {};
  here.place = placeOf(session.current?.tenants ?? [], params?.tenant);
  if (!route || !here.place || here.missing(route.needs)) return;
  // The screen itself says if it does not load.
  void loadScreen(route).then((screen) => screen.begin?.(), () => undefined);
}

/** Not at the module's top: the screen's file waits for this one. */
async function start(target: HTMLElement): Promise<void> {
  try {
    await Promise.all([begin(), words.load(), Promise.race([drawn, patience])]);
    keepLetters();
    target.replaceChildren();
    mount(App, { target });
  } catch (failure) {
    // There are no words to say it with but those of the shell.
    target.querySelector(".late")?.classList.add("now");
    addEventListener("online", () => location.reload());
    throw failure;
  }
}

/** Leaves the page in the device's own letters if its own are late: they would move what somebody reads. The next page that is loaded has them. */
function keepLetters(): void {
  if (!letters.every((font) => document.fonts.check(font, SAMPLE))) document.documentElement.dataset.letters = "own";
}

// Words, session, letters and the screen come at the same time: each takes a round trip. Slow letters are not waited for.
const letters = settings.language === "ar" ? ["1em IBM Plex Sans", "1em IBM Plex Sans Arabic", "600 1em IBM Plex Sans Arabic"] : ["1em IBM Plex Sans"];
const SAMPLE = "aم";
const drawn = Promise.all(letters.map((font) => document.fonts.load(font, SAMPLE))).catch(() => undefined);
// The screen itself says if it does not load.
if (router.found) void loadScreen(router.found.route).catch(() => undefined);
const patience = new Promise((resume) => setTimeout(resume, 1000));
const target = document.getElementById("app");
if (!target) throw new Error("the page has no #app");
void start(target);
