/** The service worker: shows what is pushed while no page is open, and opens the page of what is clicked. It caches nothing, and answers no request. */
import { shownOf, type Language, type Pushed } from "./push/notification.ts";

declare const self: ServiceWorkerGlobalScope;

/** Milliseconds in which pages answer whether they can open what was clicked. One that sleeps, or has no session, does not. */
const PATIENCE = 700;

self.addEventListener("install", () => void self.skipWaiting());
self.addEventListener("push", (event) => event.waitUntil(show(event.data?.json() as Pushed)));
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(String(event.notification.data)));
});
self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(subscribe(event as PushSubscriptionChangeEvent)));

async function show(pushed: Pushed): Promise<void> {
  const { title, body, tag, path } = shownOf(pushed, await language());
  // A later message of a conversation is announced, too.
  const options: NotificationOptions & { renotify: boolean } = { body, tag, data: path, icon: "/app/icon-192.png", dir: "auto", renotify: true };
  await self.registration.showNotification(title, options);
  // How many wait, a page knows.
  if (pushed.type === "message.received") await self.navigator.setAppBadge?.();
}

/** That of the person, as the pages note it. */
async function language(): Promise<Language> {
  const choice = (await self.cookieStore?.get("rb_ui"))?.value ?? self.navigator.language;
  return choice.startsWith("ar") ? "ar" : "en";
}

/** Opens a path in a page that is there, without loading it anew; otherwise in another one. */
async function open(path: string): Promise<void> {
  const asked = (await pages()).map((page) => ({ page, can: canOpen(page, path) }));
  for (const { page, can } of asked) {
    if (!(await can)) continue;
    page.postMessage({ open: path });
    try {
      await page.focus();
    } catch {
      // The browser keeps the focus where it is.
    }
    return;
  }
  await self.clients.openWindow(path);
}

/** Those of the console, the last one that had the focus first. */
async function pages(): Promise<readonly WindowClient[]> {
  const all = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  return all.filter(({ url }) => /^\/app(\/|$)/.test(new URL(url).pathname));
}

/** Not if input would be lost. */
function canOpen(page: WindowClient, path: string): Promise<boolean> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = ({ data }) => resolve(data === true);
    setTimeout(() => resolve(false), PATIENCE);
    page.postMessage({ ask: path }, [port2]);
  });
}

/** The browser replaced the subscription. Only pages have a session: one that is open sends the new one, or else the next that begins. */
async function subscribe({ oldSubscription, newSubscription }: PushSubscriptionChangeEvent): Promise<void> {
  const { applicationServerKey } = oldSubscription?.options ?? {};
  if (!newSubscription && applicationServerKey) await self.registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey });
  for (const page of await pages()) page.postMessage({ subscribed: true });
}
