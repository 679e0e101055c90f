/** What this browser keeps of its notifications. Small, since every page asks for it. */
export interface Noted {
  user: string;
  /** In which the device was sent. */
  session: string;
  /** By which the API knows the device. */
  id: string;
  endpoint: string;
}

const NAME = "notified";

export const noted = {
  get(): Noted | null {
    return JSON.parse(localStorage.getItem(NAME) ?? "null") as Noted | null;
  },
  set(value: Noted | null): void {
    if (value) localStorage.setItem(NAME, JSON.stringify(value));
    else localStorage.removeItem(NAME);
  },
};

/** Whether the browser may show notifications. */
export function allowed(): boolean {
  return "Notification" in window && Notification.permission === "granted";
}

/** Whether the page is that of an installed app. */
export function installed(): boolean {
  return matchMedia("(display-mode: standalone)").matches;
}
