/** Where the person is: path, query, and the screen of `routes.ts` that belongs to the path. */
import { routes, type Route } from "../routes.ts";

interface Found {
  route: Route;
  params: Record<string, string>;
}

const patterns = routes.flatMap((route) =>
  route.paths.map((pathname) => ({ route, pattern: new URLPattern({ pathname }) })),
);

function find(url: URL): Found | null {
  for (const { route, pattern } of patterns) {
    const groups = pattern.exec({ pathname: url.pathname })?.pathname.groups;
    if (groups) return { route, params: unescaped(groups) };
  }
  return null;
}

function unescaped(groups: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(groups).map(([name, value]) => [name, decode(value ?? "")]));
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** What the browser's history keeps of a page. */
interface Entry {
  place?: number;
  /** The page before this one, whichever parts of this one were shown since. */
  from?: { place: number; path: string };
}

class Router {
  url = $state.raw(new URL(location.href));
  readonly found = $derived(find(this.url));
  /** Asks before unsaved input is left. */
  guard: () => boolean = () => true;
  /** Place in the browser's history, by which a refused step back is undone. */
  private place = placeInHistory();
  /** How far pages were scrolled, by their place in the history. */
  private readonly heights = new Map<number, number>();

  constructor() {
    addEventListener("popstate", () => this.step());
    document.addEventListener("click", (event) => this.follow(event));
  }

  /** Goes to a path of the console. */
  go(to: string, { replace = false, ask = true } = {}): void {
    const url = new URL(to, location.href);
    if (ask && this.loses(url)) return;
    if (replace) {
      history.replaceState({ ...entry(), place: this.place }, "", url);
    } else {
      this.heights.set(this.place, scrollY);
      const from = url.pathname === this.url.pathname ? entry().from : { place: this.place, path: this.url.pathname };
      history.pushState({ place: (this.place += 1), from } satisfies Entry, "", url);
    }
    this.moveTo(url);
  }

  /** Whether input would be lost that the person wants to keep. */
  private loses(url: URL): boolean {
    return url.pathname !== this.url.pathname && !this.guard();
  }

  /** Follows the browser's buttons, or goes back to where the input is. */
  private step(): void {
    const [url, place] = [new URL(location.href), placeInHistory()];
    if (this.loses(url)) {
      if (place === this.place) history.pushState({ place }, "", this.url);
      else history.go(this.place - place);
      return;
    }
    this.heights.set(this.place, scrollY);
    this.place = place;
    this.moveTo(url);
    this.scrollBack(this.heights.get(place) ?? 0);
  }

  /** The value of a filter. */
  filter(name: string): string {
    return this.url.searchParams.get(name) ?? "";
  }

  /** The page's address with other filters. Another filter begins at the first page. */
  withFilters(change: Record<string, string | null>): string {
    const url = new URL(this.url);
    for (const [name, value] of Object.entries({ cursor: null, ...change })) {
      if (value) url.searchParams.set(name, value);
      else url.searchParams.delete(name);
    }
    return url.pathname + url.search;
  }

  private moveTo(url: URL): void {
    const moved = url.pathname !== this.url.pathname;
    this.url = url;
    if (moved) scrollTo(0, 0);
  }

  /** Scrolls as far as before, as soon as the page is long enough again. */
  private scrollBack(height: number, looks = 120): void {
    if (height === 0 || looks === 0) return;
    const { url } = this;
    requestAnimationFrame(() => {
      if (this.url !== url) return;
      if (document.documentElement.scrollHeight - innerHeight >= height) scrollTo(0, height);
      else this.scrollBack(height, looks - 1);
    });
  }

  private follow(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
    const url = new URL(link.href);
    if (!find(url)) return;
    event.preventDefault();
    // Who has selected a number in a row does not want to open it.
    const selection = event.detail > 0 && !link.draggable ? getSelection() : null;
    if (selection && !selection.isCollapsed && selection.containsNode(link, true)) return;
    // To the page above this one as it was left: with its filters, and as far down.
    const { from } = entry();
    if ("back" in link.dataset && from?.path === url.pathname) history.go(from.place - this.place);
    else this.go(url.href);
  }
}

function entry(): Entry {
  return (history.state ?? {}) as Entry;
}

function placeInHistory(): number {
  return entry().place ?? 0;
}

export const router = new Router();
