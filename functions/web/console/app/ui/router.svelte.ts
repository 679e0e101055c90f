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
  guard: (() => boolean) | null = null;

  constructor() {
    addEventListener("popstate", () => this.moveTo(new URL(location.href)));
    document.addEventListener("click", (event) => this.follow(event));
  }

  /** Goes to a path of the console. */
  go(to: string, { replace = false } = {}): void {
    const url = new URL(to, location.href);
    if (url.pathname !== this.url.pathname && this.guard && !this.guard()) return;
    if (replace) history.replaceState(null, "", url);
    else history.pushState(null, "", url);
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

export const router = new Router();
