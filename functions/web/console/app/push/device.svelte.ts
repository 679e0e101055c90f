/** This device: whether the person is notified on it while nobody sees a page, and what an installed app shows. Loaded when the page of a person who
 * wants that has nothing else to do, and with the page on which it is chosen. */
import { QueryObserver } from "@tanstack/svelte-query";
import { api, door } from "../api/client.ts";
import { countsOf } from "../api/counts.ts";
import { here } from "../api/here.svelte.ts";
import { take } from "../api/problem.ts";
import { queries } from "../api/queries.ts";
import { session } from "../api/session.svelte.ts";
import { router } from "../ui/router.svelte.ts";
import { installed, noted } from "./noted.ts";

declare global {
  interface Window {
    trustedTypes?: { createPolicy: (name: string, rules: { createScriptURL: (url: string) => string }) => { createScriptURL: (url: string) => string } };
  }
}

const WORKER = "/app/worker.js";
const SCOPE = "/app";
/** Milliseconds until the badge is counted again. */
const COUNTED_EVERY = 60_000;
/** A device that is kept for less than this, in milliseconds, is sent again. The API keeps it for 30 days. */
const RENEWED_BEFORE = 29 * 24 * 3_600_000;

/** What browsers ask for before they run a script. Nothing but the worker passes. */
const policy = window.trustedTypes?.createPolicy("ringback-worker", {
  createScriptURL: (url) => {
    if (url !== WORKER) throw new TypeError(`${url} is not the worker`);
    return url;
  },
});

class Device {
  /** `refused`: by the browser, so that nothing is asked any more. */
  state = $state<"none" | "refused" | "off" | "on">("off");
  private begun = false;

  /** Takes up what was chosen on this device before. */
  async begin(): Promise<void> {
    if (this.begun) return;
    this.begun = true;
    if (!("serviceWorker" in navigator && "PushManager" in window && "Notification" in window)) {
      this.state = "none";
    } else {
      navigator.serviceWorker.addEventListener("message", (event) => this.hear(event));
      const permission = await navigator.permissions.query({ name: "notifications" });
      permission.addEventListener("change", () => this.look());
      await this.resume();
    }
    $effect.root(() => {
      $effect(() => void this.close(router.found?.params.conversation));
      if (installed()) $effect(() => this.count());
    });
  }

  /** Asks the person, so a click must have led here. */
  async turnOn(): Promise<void> {
    await Notification.requestPermission();
    this.look();
    if (this.state === "refused" || Notification.permission !== "granted") return;
    const registration = await register();
    const { public_key } = await take(api.GET("/api/v1/me/push-key"));
    // One that was made with the key of another deployment.
    await (await registration.pushManager.getSubscription())?.unsubscribe();
    await this.send(await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: public_key }));
  }

  /** Ends it here, and for the API. */
  async forget(): Promise<void> {
    const known = noted.get();
    noted.set(null);
    this.look();
    const registration = await navigator.serviceWorker.getRegistration(SCOPE);
    for (const shown of (await registration?.getNotifications()) ?? []) shown.close();
    void navigator.clearAppBadge?.();
    // Whoever has no session any more is not told on it anyway, and must not be asked to log in.
    const headers = { authorization: `Bearer ${session.current?.access_token ?? ""}` };
    if (known) await door.DELETE("/api/v1/me/push-subscriptions/{push_subscription_id}", { params: { path: { push_subscription_id: known.id } }, headers });
    await (await registration?.pushManager.getSubscription())?.unsubscribe();
  }

  private look(): void {
    if (Notification.permission === "denied") this.state = "refused";
    else this.state = noted.get() && Notification.permission === "granted" ? "on" : "off";
  }

  /** Sends the device again, as the API asks for, unless somebody else uses it now, or it was removed on another device. */
  private async resume(): Promise<void> {
    this.look();
    const known = noted.get();
    if (!known) return;
    const registration = await register();
    const subscription = await registration.pushManager.getSubscription();
    const { items } = await take(api.GET("/api/v1/me/push-subscriptions"));
    const listed = items.find(({ id }) => id === known.id);
    // A new endpoint is the browser's doing, and the API may have removed the old one by now.
    const isSame = subscription?.endpoint === known.endpoint;
    if (!subscription || known.user !== session.current?.user.id || (isSame && !listed)) return this.forget();
    const isFresh = listed?.current && Date.parse(listed.expires_at) - Date.now() - session.ahead > RENEWED_BEFORE;
    if (!isSame || !isFresh) await this.send(subscription);
  }

  private async send(subscription: PushSubscription): Promise<void> {
    const { endpoint, keys } = subscription.toJSON();
    const body = { endpoint: endpoint ?? "", keys: { p256dh: keys?.p256dh ?? "", auth: keys?.auth ?? "" } };
    const { id } = await take(api.POST("/api/v1/me/push-subscriptions", { body }));
    noted.set({ user: session.current?.user.id ?? "", id, endpoint: body.endpoint });
    this.look();
    await queries.invalidateQueries({ queryKey: ["devices"] });
  }

  /** What the worker says: a notification was clicked, or the browser has made another subscription. */
  private hear({ data, ports }: MessageEvent<{ open?: string }>): void {
    if (!data.open) return void this.resume().catch(() => undefined);
    ports[0]?.postMessage(true);
    router.go(data.open);
  }

  /** Whoever reads the conversation needs no notification of it. */
  private async close(conversation: string | undefined): Promise<void> {
    if (!conversation || !noted.get()) return;
    const registration = await navigator.serviceWorker.getRegistration(SCOPE);
    for (const shown of (await registration?.getNotifications({ tag: conversation })) ?? []) shown.close();
  }

  /** The badge of the app: in how many of the person's conversations a customer waits. */
  private count(): (() => void) | undefined {
    if (!here.may("get_conversation_counts")) return;
    const counts = new QueryObserver(queries, { ...countsOf(), refetchInterval: COUNTED_EVERY });
    return counts.subscribe(({ data }) => { if (data) void navigator.setAppBadge?.(data.mine_waiting ?? 0); });
  }
}

/** The worker, once it runs. */
async function register(): Promise<ServiceWorkerRegistration> {
  const url = policy?.createScriptURL(WORKER) ?? WORKER;
  const registration = await navigator.serviceWorker.register(url, { scope: SCOPE, updateViaCache: "none" });
  const coming = registration.installing ?? registration.waiting;
  if (!registration.active && coming) await new Promise<void>((resume) => coming.addEventListener("statechange", () => { if (coming.state === "activated") resume(); }));
  return registration;
}

export const device = new Device();
