/** This device: whether the person is notified on it while nobody sees a page, and what an installed app shows. Loaded when the page of a person who
 * wants that has nothing else to do, and with the page on which it is chosen. */
import { QueryObserver } from "@tanstack/svelte-query";
import { api, door } from "../api/client.ts";
import { countsOf } from "../api/counts.ts";
import { here } from "../api/here.svelte.ts";
import { take } from "../api/problem.ts";
import { queries } from "../api/queries.ts";
import { session } from "../api/session.svelte.ts";
import { isDirty } from "../ui/leaving.svelte.ts";
import { router } from "../ui/router.svelte.ts";
import { nextOf } from "./next.ts";
import { allowed, installed, noted } from "./noted.ts";

declare global {
  interface Window {
    trustedTypes?: { createPolicy: (name: string, rules: { createScriptURL: (url: string) => string }) => { createScriptURL: (url: string) => string } };
  }
}

const WORKER = "/app/worker.js";
const SCOPE = "/app";
/** Milliseconds until the badge is counted again. */
const COUNTED_EVERY = 60_000;
/** Held by the tab that turns notifications on, or takes them up, so that no other one ends what is not noted yet. */
const LOCK = "device";

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
    const isAble = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
    if (isAble) {
      navigator.serviceWorker.addEventListener("message", (event) => this.hear(event));
      const permission = await navigator.permissions.query({ name: "notifications" });
      permission.addEventListener("change", () => this.look());
      this.look();
    } else {
      this.state = "none";
    }
    $effect.root(() => {
      $effect(() => void this.close(router.found?.params.conversation));
      // Also after the person has logged in again over the page.
      if (isAble) $effect(() => { if (session.id) void this.resume().catch(() => undefined); });
      if (installed()) $effect(() => this.count());
    });
  }

  /** Asks the person, so a click must have led here. */
  async turnOn(): Promise<void> {
    await Notification.requestPermission();
    this.look();
    if (this.state === "refused" || !allowed()) return;
    await navigator.locks.request(LOCK, async () => {
      const registration = await register();
      const { public_key } = await take(api.GET("/api/v1/me/push-key"));
      // One that was made with the key of another deployment.
      await (await registration.pushManager.getSubscription())?.unsubscribe();
      await this.send(await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: public_key }));
    });
  }

  /** Ends it here, and for the API. Neither waits for the other: there may be no network. */
  async forget(): Promise<void> {
    await Promise.all([this.tellForgotten(), this.end()]);
  }

  private async end(): Promise<void> {
    const registration = await navigator.serviceWorker.getRegistration(SCOPE);
    for (const shown of (await registration?.getNotifications()) ?? []) shown.close();
    void navigator.clearAppBadge?.();
    try {
      await (await registration?.pushManager.getSubscription())?.unsubscribe();
    } finally {
      noted.set(null);
      this.look();
    }
  }

  private async tellForgotten(): Promise<void> {
    const known = noted.get();
    if (!known) return;
    // Whoever has no session any more is not told on it anyway, and must not be asked to log in.
    const headers = { authorization: `Bearer ${session.current?.access_token ?? ""}` };
    await door.DELETE("/api/v1/me/push-subscriptions/{push_subscription_id}", { params: { path: { push_subscription_id: known.id } }, headers });
  }

  private look(): void {
    if (Notification.permission === "denied") this.state = "refused";
    else this.state = noted.get() && allowed() ? "on" : "off";
  }

  /** Takes up what is noted, and ends what is not. */
  private async resume(): Promise<void> {
    await navigator.locks.request(LOCK, async () => {
      this.look();
      const known = noted.get();
      const registration = known ? await register() : await navigator.serviceWorker.getRegistration(SCOPE);
      const subscription = await registration?.pushManager.getSubscription();
      if (!known) return void (await subscription?.unsubscribe());
      const { items } = await take(api.GET("/api/v1/me/push-subscriptions"));
      const listed = items.find(({ id }) => id === known.id);
      const found = { user: session.current?.user.id, session: session.id, endpoint: subscription?.endpoint, listed, now: Date.now() + session.ahead };
      const next = nextOf(known, found);
      if (next === "forget") await this.forget();
      else if (next === "send" && subscription) await this.send(subscription);
    });
  }

  private async send(subscription: PushSubscription): Promise<void> {
    const { endpoint, keys } = subscription.toJSON();
    const body = { endpoint: endpoint ?? "", keys: { p256dh: keys?.p256dh ?? "", auth: keys?.auth ?? "" } };
    const { id } = await take(api.POST("/api/v1/me/push-subscriptions", { body }));
    noted.set({ user: session.current?.user.id ?? "", session: session.id, id, endpoint: body.endpoint });
    this.look();
    await queries.invalidateQueries({ queryKey: ["devices"] });
  }

  /** What the worker says: a notification was clicked, and may be opened here, or is; or the browser has made another subscription. */
  private hear({ data, ports }: MessageEvent<{ ask?: string; open?: string }>): void {
    // Nobody sees a question about unsaved input before the page has the focus.
    if (data.ask) ports[0]?.postMessage(new URL(data.ask, location.href).pathname === router.url.pathname || !isDirty());
    else if (data.open) router.go(data.open);
    else void this.resume().catch(() => undefined);
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
