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

class Router {
  url = $state.raw(new URL(location.href));
  readonly found = $derived(find(this.url));
  /** Asks before unsaved input is left. */
  guard: () => boolean = () => true;
  /** Place in the browser's history, by which a refused step back is undone. */
  private place = placeInHistory();

  constructor() {
    addEventListener("popstate", () => this.step());
    document.addEventListener("click", (event) => this.follow(event));
  }

  /** Goes to a path of the console. */
  go(to: string, { replace = false, ask = true } = {}): void {
    const url = new URL(to, location.href);
    if (ask && this.loses(url)) return;
    if (replace) history.replaceState({ place: this.place }, "", url);
    else history.pushState({ place: (this.place += 1) }, "", url);
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
    this.place = place;
    this.moveTo(url);
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

  private follow(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
    const url = new URL(link.href);
    if (!find(url)) return;
    event.preventDefault();
    this.go(url.href);
  }
}

function placeInHistory(): number {
  return (history.state as { place?: number } | null)?.place ?? 0;
}

export const router = new Router();
