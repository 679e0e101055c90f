/** Every screen of `routes.ts` in both looks; its states once for each kind of screen. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { APIResponse, Page, Route as Intercepted } from "playwright-core";
import { roles, type Operation, type Role } from "../app/api/permissions.ts";
import { giveDay, pageOf, PICTURES } from "./pictures.ts";
import { contact, conversation, giveSamples, HOSTILE } from "./samples.ts";
import { browserTest, DESK, isOpenTo, logInOf, pathOf, PHONE, problem, routes, Visitor, type Look, type Route } from "./support.ts";

const AXE = readFileSync("node_modules/axe-core/axe.min.js", "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

interface Axe {
  run(where: Document, options: object): Promise<{ violations: { id: string; nodes: { target: unknown[]; failureSummary?: string }[] }[] }>;
}

async function violations({ page }: Visitor): Promise<string[]> {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(AXE);
  return page.evaluate(async (rules) => {
    const { violations } = await (window as unknown as { axe: Axe }).axe.run(document, { runOnly: rules, resultTypes: ["violations"] });
    return violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target.join(" ")}: ${failureSummary ?? ""}`));
  }, RULES);
}

/** What sticks out of the page sideways. */
async function clipped({ page }: Visitor): Promise<string[]> {
  return page.evaluate(() => {
    const fits = document.documentElement.scrollWidth <= document.documentElement.clientWidth;
    const inside = ({ left, right }: DOMRect) => right <= innerWidth + 1 && left >= -1;
    const shown = [...document.querySelectorAll("body *")].filter((element) => element.checkVisibility() && !element.closest(".hidden, .rows thead"));
    const out = shown.filter((element) => !inside(element.getBoundingClientRect())).map((element) => `${element.tagName} ${element.textContent.slice(0, 40)}`);
    return fits && out.length === 0 ? [] : ["the page is wider than the window", ...out.slice(0, 5)];
  });
}

/** What cuts off names above the dots below their letters. The room below the last line follows from its height, and from the font. */
async function cutOff({ page }: Visitor): Promise<string[]> {
  return page.evaluate(() => {
    const drawing = document.createElement("canvas").getContext("2d");
    if (!drawing) return ["nothing can be measured"];
    const all = [...document.querySelectorAll<HTMLElement>("#app *")].filter((element) => element.checkVisibility() && !element.closest(".hidden, .rows thead"));
    const cuts = all.filter((element) => element.localName === "select" || (/hidden|clip/.test(getComputedStyle(element).overflowY) && element.matches(":lang(ar), [dir=auto], :has(bdi)")));
    return cuts.filter((element) => {
      const style = getComputedStyle(element);
      // As large letters: of small ones, some browsers tell whole pixels.
      drawing.font = `${style.fontWeight} 1000px ${style.fontFamily}`;
      const inLine = (measured: number) => (measured * parseFloat(style.fontSize)) / 1000;
      const { fontBoundingBoxAscent, fontBoundingBoxDescent } = drawing.measureText("x");
      const [ascent, descent] = [inLine(fontBoundingBoxAscent), inLine(fontBoundingBoxDescent)];
      const line = element.localName === "select" ? element.clientHeight - parseFloat(style.paddingTop) - parseFloat(style.paddingBottom) : parseFloat(style.lineHeight);
      const room = (line - ascent - descent) / 2 + descent + (element.localName === "select" ? 0 : parseFloat(style.paddingBottom));
      return room < inLine(drawing.measureText("المنصوري").actualBoundingBoxDescent);
    }).map((element) => `${element.localName} ${element.className} ${element.textContent.slice(0, 40)}`);
  });
}

/** Cells of lists that stand before the one that is left of them, or right of them in Arabic, on a desk; and lines of cells that begin amid a card. */
async function outOfOrder({ page }: Visitor): Promise<string[]> {
  return page.evaluate(() => {
    const from = (cell: Element) => {
      const { left, right, top, bottom } = cell.getBoundingClientRect();
      return { start: document.dir === "rtl" ? innerWidth - right : left, top, bottom };
    };
    return [...document.querySelectorAll(".rows tbody tr")].flatMap((row) => {
      // The box that selects a card stands in its corner.
      const cells = [...row.children].filter((cell) => cell.checkVisibility() && getComputedStyle(cell).position !== "absolute");
      const edge = Math.min(...cells.map((cell) => from(cell).start));
      return cells.filter((cell, place) => {
        const [here, before] = [from(cell), place > 0 ? from(cells[place - 1] as Element) : null];
        const beside = before !== null && here.top < before.bottom && here.bottom > before.top;
        return beside ? here.start <= before.start : here.start > edge + 1 || (before !== null && here.top < before.top);
      }).map((cell) => cell.textContent.slice(0, 40));
    });
  });
}

/** Currencies whose sign stands left of their letters, such as "$US". */
async function torn({ page }: Visitor): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = texts.nextNode(); node; node = texts.nextNode()) {
      for (const { index } of (node.textContent ?? "").matchAll(/US\$/g)) {
        const [letters, sign] = [[0, 2], [2, 3]].map(([begin = 0, end = 0]) => {
          const range = document.createRange();
          range.setStart(node, index + begin);
          range.setEnd(node, index + end);
          return range.getBoundingClientRect();
        });
        if (letters && sign && sign.left < letters.right - 1) found.push(node.textContent ?? "");
      }
    }
    return found;
  });
}

/** Parts of the page, scrolled below a bar, that lie above it and take its taps. Names what was tried, too. */
async function overBars({ page }: Visitor): Promise<{ tried: number; over: string[] }> {
  return page.evaluate(() => {
    const layers = [...document.querySelectorAll("main *")].filter((element) => element.checkVisibility() && getComputedStyle(element).zIndex !== "auto");
    const bars = [...document.querySelectorAll(".frame > header, .frame > nav")];
    const tries = bars.flatMap((bar) => layers.map((layer) => {
      const middle = ({ top, bottom }: DOMRect) => (top + bottom) / 2;
      scrollBy(0, middle(layer.getBoundingClientRect()) - middle(bar.getBoundingClientRect()));
      const [at, around] = [layer.getBoundingClientRect(), bar.getBoundingClientRect()];
      if (middle(at) <= around.top || middle(at) >= around.bottom) return null;
      return { layer, seen: bar.contains(document.elementFromPoint((at.left + at.right) / 2, middle(at))) };
    }));
    scrollTo(0, 0);
    const found = tries.filter((one) => one !== null);
    return { tried: found.length, over: found.filter(({ seen }) => !seen).map(({ layer }) => layer.textContent.slice(0, 40)) };
  });
}

/** Elements that texts of the samples would have made. */
async function made({ page }: Visitor): Promise<number> {
  return page.locator("#app :is(img, script, iframe)").count();
}

function logsIn(route: Route): boolean {
  return route.needs !== "nobody";
}

/** A screen of each kind, for what the parts that they share must show: plain lists and forms, and those that are built in their own way. */
const KINDS = [
  "account", "home", "inbox", "conversation", "calls", "call", "contact", "import", "automation", "campaigns", "campaign-check", "campaign-recipients", "drip-steps",
  "reports", "business", "connections", "template", "tags", "tag", "webhook",
].map((name) => routes.find((route) => route.name === name) ?? assert.fail(`no screen ${name}`));

/** Height of a window, in pixels, that shows every screen as a whole. */
const TALL = 6000;

for (const look of [DESK, PHONE]) {
  browserTest(`walk_as_administrator_in_${look.language}_at_${look.width}`, async () => {
    const person = await Visitor.logIn("admin", look);
    await giveSamples(person);
    await person.stopClocks();
    await person.followNothing();
    const stranger = await Visitor.arrive(look);
    const invitation = { business: "Saffron", inviter: "Maya", email: "layla@example.com", name: null, role: "agent", language: look.language, has_account: false };
    await stranger.intercept("show_invitation", (route) => route.fulfill({ json: invitation }));
    await person.open("/app/account");
    await stranger.open("/app/log-in");
    let layers = 0;
    const seeAll = async (visitor: Visitor, { name }: Route) => {
      if (process.env.RINGBACK_SHOTS) {
        await visitor.resize(look.width, 800);
        await visitor.page.screenshot({ path: `${process.env.RINGBACK_SHOTS}/${name}-${look.language}-${look.width}.png`, fullPage: true });
      }
      await visitor.resize(look.width, TALL);
      assert.ok(await visitor.page.evaluate((tall) => document.documentElement.scrollHeight <= tall, TALL), `${name} is higher than the window`);
      assert.deepEqual(await violations(visitor), [], name);
      assert.equal(await visitor.page.locator("html").getAttribute("dir"), look.language === "ar" ? "rtl" : "ltr");
      for (const check of [cutOff, torn, ...(look.width < 640 ? [outOfOrder] : [])]) assert.deepEqual(await check(visitor), [], `${name}: ${check.name}`);
      assert.equal(await made(visitor), 0, `${name}: a text became an element`);
    };
    const seeLittle = async (visitor: Visitor, route: Route) => {
      await visitor.resize(320, 320);
      assert.deepEqual(await clipped(visitor), [], `${route.name} at 320 px`);
      if (look.width >= 640 || !logsIn(route)) return;
      const { tried, over } = await overBars(visitor);
      assert.deepEqual(over, [], `${route.name}: above a bar`);
      layers += tried;
    };
    for (const route of routes) {
      const visitor = logsIn(route) ? person : stranger;
      await visitor.move(pathOf(route, logInOf("admin").tenant));
      // The window has the size in which the last screen was seen: each change of it takes a while.
      const sizes = [seeAll, seeLittle];
      for (const see of visitor.page.viewportSize()?.width === look.width ? sizes : sizes.toReversed()) await see(visitor, route);
    }
    // The numbers of the lists, at least.
    assert.ok(look.width >= 640 || layers > 4, `only ${layers} parts of pages were below a bar`);
    for (const visitor of [person, stranger]) {
      visitor.expectQuiet();
      await visitor.leave();
    }
  });
}

/** Controls are lower than under a finger. */
browserTest("letters_keep_their_dots_in_arabic_on_a_desk", async () => {
  const visitor = await Visitor.logIn("admin", { ...DESK, language: "ar" });
  await giveSamples(visitor);
  await visitor.stopClocks();
  await visitor.followNothing();
  await visitor.open("/app/account");
  for (const route of KINDS) {
    await visitor.move(pathOf(route, logInOf("admin").tenant));
    assert.deepEqual([...(await cutOff(visitor)), ...(await torn(visitor))], [], route.name);
  }
  visitor.expectQuiet();
  await visitor.leave();
});

// The pictures of docs/console.md, for people only: nothing is compared with them.
for (const look of process.env.RINGBACK_PICTURES ? [DESK, { ...PHONE, width: 390 }] : []) {
  browserTest(`pictures_for_the_guide_in_${look.language}`, async () => {
    const visitor = await Visitor.logIn("admin", look);
    await visitor.followNothing();
    await giveDay(visitor, look);
    for (const name of Object.keys(PICTURES) as (keyof typeof PICTURES)[]) {
      await visitor.open(pageOf(name));
      if (name === "automation") {
        await visitor.page.locator("[name=phone]").fill("+971505553913");
        await visitor.page.keyboard.press("Enter");
        if (look === DESK) await visitor.page.setViewportSize({ width: look.width, height: 1040 });
        else await visitor.see("verdict").scrollIntoViewIfNeeded();
        await visitor.see("outlook").waitFor();
      }
      await visitor.page.screenshot({ path: `${process.env.RINGBACK_PICTURES}/console-${name}-${look.language}.png` });
    }
    await visitor.leave();
  });
}

for (const role of Object.keys(roles) as Role[]) {
  browserTest(`menu_and_refusals_of_${role}_equal_the_table`, async () => {
    const visitor = await Visitor.logIn(role, DESK);
    await giveSamples(visitor);
    await visitor.stopClocks();
    await visitor.followNothing();
    const { tenant } = logInOf(role);
    await visitor.open(`/app/${tenant}`);
    const shown = await visitor.page.locator("[data-menu]").evaluateAll((links) => links.map((link) => link.getAttribute("data-menu")));
    assert.deepEqual(shown, routes.filter((route) => route.menu && isOpenTo(role, route)).map(({ name }) => name));
    // The last of each kind: whether a screen is open follows from its entry alone.
    const ends = [true, false].flatMap((open) => routes.filter(logsIn).filter((route) => isOpenTo(role, route) === open).slice(-1));
    for (const route of ends) {
      await visitor.move(pathOf(route, tenant));
      assert.equal(await visitor.see("forbidden").count(), isOpenTo(role, route) ? 0 : 1, route.name);
    }
    visitor.expectQuiet();
    await visitor.leave();
  });
}

test("every_screen_that_reads_declares_its_states", () => {
  for (const { name, needs, states } of routes) {
    const [first = ""] = typeof needs === "string" ? [] : needs;
    if (/^(get|list)_/.test(first)) assert.ok(states.error, `${name} declares no error`);
    if (first.startsWith("list_")) assert.ok(states.empty, `${name} declares nothing for an empty list`);
  }
});

type State = "forbidden" | "broken" | "limited" | "empty" | "well";

/** Answers in place of the stack's own. */
const ANSWERS: { [state in State]?: Parameters<Intercepted["fulfill"]>[0] } = {
  forbidden: problem(403, "forbidden"),
  broken: problem(500, "internal"),
  limited: problem(429, "too_many_requests"),
  empty: { json: { items: [], next_cursor: null } },
};

browserTest("each_kind_of_screen_shows_loading_problems_and_emptiness", async () => {
  const visitor = await Visitor.logIn("admin", DESK);
  await giveSamples(visitor);
  // What is told would be read again by itself.
  await visitor.intercept("create_live_ticket", (route) => route.fulfill(problem(403, "forbidden")));
  const problems = visitor.see("problem").first();
  const tryAgain = () => problems.getByRole("button").click();
  for (const route of KINDS) {
    const [operation] = typeof route.needs === "string" ? [] : route.needs;
    if (!operation || !route.states.error) continue;
    let state: State = "forbidden";
    const seen = Promise.withResolvers<void>();
    await visitor.intercept(operation, async (intercepted) => {
      await seen.promise;
      const answer = ANSWERS[state];
      if (state === "limited") state = route.states.empty ? "empty" : "well";
      await (answer ? intercepted.fulfill(answer) : intercepted.fallback());
    });
    await visitor.page.goto(pathOf(route, logInOf("admin").tenant));
    await visitor.see("loading").first().waitFor();
    seen.resolve();
    await problems.waitFor();
    assert.equal(await problems.getAttribute("data-kind"), "forbidden", route.name);
    state = "broken";
    await tryAgain();
    await visitor.page.locator("[data-kind=internal]").first().waitFor();
    assert.match(await problems.innerText(), /sample-correlation/, `${route.name}: no id to report`);
    state = "limited";
    await tryAgain();
    await visitor.see("limited").waitFor();
    await visitor.see("limited").waitFor({ state: "detached" });
    assert.equal(await visitor.see("problem").count(), 0, `${route.name}: the problem stays after another try`);
    if (route.states.empty) await visitor.see("empty").waitFor();
    state = "well";
  }
  visitor.expectQuiet(500, 429, 403);
  await visitor.leave();
});

browserTest("suspended_tenant_has_one_page_and_no_menu", async () => {
  const visitor = await Visitor.logIn("admin");
  await visitor.intercept("get_tenant", (route) => route.fulfill(problem(403, "tenant_suspended")));
  await visitor.open(`/app/${logInOf("admin").tenant}`);
  await visitor.see("suspended").waitFor();
  assert.equal(await visitor.page.locator("[data-menu]").count(), 0);
  await visitor.leave();
});

browserTest("unknown_paths_and_other_tenants_are_missing", async () => {
  const visitor = await Visitor.logIn("admin");
  for (const path of ["/app/not-my-business/calls", `/app/${logInOf("admin").tenant}/nothing/here`]) {
    await visitor.open(path);
    await visitor.see("missing").waitFor();
  }
  visitor.expectQuiet();
  await visitor.leave();
});

browserTest("names_are_shown_as_they_are", async () => {
  const visitor = await Visitor.logIn("admin");
  await giveSamples(visitor);
  await visitor.open(`/app/${logInOf("admin").tenant}/calls`);
  assert.ok((await visitor.page.locator(".rows").innerText()).includes(HOSTILE.markup));
  visitor.expectQuiet();
  await visitor.leave();
});

/** How far what is seen has moved, by [layout shift](https://web.dev/articles/cls), and what moved when. */
interface Moved {
  shift: number;
  what: string[];
}

/**
 * What a page costs: what it asks for, the bytes of the console's files as the network log has them, and how far its content moves while it
 * comes. Answers of the API are as large as what other tests have left, and what failed for a moment is asked for again.
 */
class Cost {
  readonly asked = new Set<string>();
  bytes = 0;
  scripts = 0;
  private readonly page: Page;

  private constructor(page: Page) {
    this.page = page;
  }

  static async of({ context, page }: Visitor): Promise<Cost> {
    const cost = new Cost(page);
    const network = await context.newCDPSession(page);
    const [files, scripts] = [new Set<string>(), new Set<string>()];
    network.on("Network.requestWillBeSent", ({ requestId, request }) => {
      const { pathname } = new URL(request.url);
      cost.asked.add(`${request.method} ${pathname}`);
      if (pathname.startsWith("/app/")) files.add(requestId);
    });
    // Sentences of codes are shared: whichever screen says one first brings them.
    network.on("Network.responseReceived", ({ requestId, type, response }) => { if (type === "Script" && !/\/(?:faults|reasons)-/.test(response.url)) scripts.add(requestId); });
    network.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
      if (files.has(requestId)) cost.bytes += encodedDataLength;
      if (scripts.has(requestId)) cost.scripts += encodedDataLength;
    });
    await network.send("Network.enable");
    await network.send("Network.setCacheDisabled", { cacheDisabled: true });
    await page.addInitScript(() => {
      const moved: Moved = { shift: 0, what: [] };
      Object.assign(window, { moved });
      const at = ({ top, left, bottom, right }: DOMRectReadOnly) => [top, left, bottom, right].map(Math.round).join(" ");
      const add = (list: PerformanceObserverEntryList) => {
        for (const { value, startTime, sources = [] } of list.getEntries() as (PerformanceEntry & { value: number; sources?: { node?: Node; previousRect: DOMRectReadOnly; currentRect: DOMRectReadOnly }[] })[]) {
          moved.shift += value;
          const names = sources.map(({ node, previousRect, currentRect }) => `${node instanceof Element ? node.outerHTML.slice(0, 80) : node?.textContent} from ${at(previousRect)} to ${at(currentRect)}`);
          moved.what.push(`${Math.round(startTime)} ms: ${value.toFixed(4)}: ${names.join("; ")}`);
        }
      };
      new PerformanceObserver(add).observe({ type: "layout-shift", buffered: true });
    });
    return cost;
  }

  moved(): Promise<Moved> {
    return this.page.evaluate(() => (window as unknown as { moved: Moved }).moved);
  }

  /** Fails unless what is seen has moved by less than this since then, and says what has. */
  async expectStill(name: string, bound: number, { shift, what }: Moved = { shift: 0, what: [] }): Promise<void> {
    const now = await this.moved();
    assert.ok(now.shift - shift < bound, `${name}: shifts by ${now.shift - shift}:\n${now.what.slice(what.length).join("\n")}`);
  }
}

/** Repeats the first answer: what other tests do meanwhile would move what is below it. */
async function keep(visitor: Visitor, operation: Operation): Promise<void> {
  let first: Promise<APIResponse> | undefined;
  await visitor.intercept(operation, async (route) => route.fulfill({ response: await (first ??= route.fetch({ maxRetries: 2 })) }));
}

/** Whether the page is told what changes, kilobytes of files, and different requests. */
async function visit(page: string, look: Look, [follows, most, requests]: [boolean, number, number]): Promise<void> {
  const visitor = await Visitor.logIn("admin", look);
  await visitor.fetchFiles();
  await visitor.stopClocks();
  await visitor.followNothing();
  if (!follows) await visitor.context.route(/assets\/Live-/, (route) => route.fulfill({ contentType: "text/javascript", body: "export default () => undefined;" }));
  // A customer with a name in Arabic would bring its font.
  const one = { ...conversation, contact: { id: "con_sample", name: "Layla Haddad" }, last: null };
  const [items, next_cursor] = [[], null];
  const answers = {
    list_conversations: { items: [one], next_cursor }, get_conversation_counts: { open: 1, unassigned_waiting: 0, mine_waiting: 0 },
    list_lines: { items, next_cursor }, list_tags: { items, next_cursor }, list_teams: { items, next_cursor },
  } as const;
  for (const [operation, json] of Object.entries(answers)) await visitor.intercept(operation as keyof typeof answers, (route) => route.fulfill({ json }));
  for (const operation of ["get_overview", "get_tenant_setup"] as const) await keep(visitor, operation);
  const cost = await Cost.of(visitor);
  await visitor.open(`/app/${logInOf("admin").tenant}${page}`);
  if (follows) await visitor.page.locator("[data-testid=live][data-state=live]").waitFor();
  await visitor.settle();
  const asked = [...cost.asked].sort();
  assert.ok(cost.bytes / 1024 <= most, `${look.language}: ${(cost.bytes / 1024).toFixed(1)} KB of ${most}: ${asked.join(" ")}`);
  assert.ok(asked.length <= requests, `${look.language}: ${asked.length} requests of ${requests}: ${asked.join(" ")}`);
  await cost.expectStill(look.language, 0.02);
  await visitor.leave();
}

/** The page itself, and then what it costs to be told what changes. */
browserTest("first_visit_to_home_keeps_its_budget", async () => {
  for (const [look, alone, told] of [[DESK, [131.2, 13], [135.4, 15]], [PHONE, [222.4, 15], [226, 17]]] as [Look, [number, number], [number, number]][]) {
    await visit("", look, [false, ...alone]);
    await visit("", look, [true, ...told]);
  }
});

browserTest("letters_that_come_late_move_nothing", async () => {
  for (const look of [DESK, PHONE]) {
    const visitor = await Visitor.logIn("admin", look);
    const { page } = visitor;
    await giveSamples(visitor);
    await visitor.followNothing();
    const late = Promise.withResolvers<void>();
    await visitor.context.route(/\.woff2$/, (route) => late.promise.then(() => route.fallback()));
    const cost = await Cost.of(visitor);
    await page.goto(`/app/${logInOf("admin").tenant}`, { waitUntil: "commit" });
    await page.locator("[data-testid=live][data-state=live]").waitFor();
    await page.locator("#today").waitFor();
    const before = await cost.moved();
    late.resolve();
    await page.waitForFunction(() => [...document.fonts].some(({ status }) => status === "loaded") && document.fonts.status === "loaded");
    await page.waitForTimeout(500);
    await cost.expectStill(look.language, 0.001, before);
    await visitor.leave();
  }
});

browserTest("first_visit_to_the_inbox_keeps_its_budget", async () => {
  await visit("/inbox", DESK, [false, 143.2, 18]);
  await visit("/inbox", PHONE, [false, 233.6, 17]);
});

/** What every first page asks for once: the frame, the example in fields for telephone numbers, and names that all screens share. */
const SHARED = ["me", "tenant", "phone-numbers", "tags", "teams", "users/availability"];

/** Reads of screens that need more than two. */
const READS: Record<string, number> = {
  // Besides itself: what can be chosen, which are the stages and the fields of the business.
  "contact-change": 3,
  // Besides itself: the numbers of its views, and the lines, by which it is filtered.
  inbox: 3,
  // Besides itself: the templates, the lines that it names, and what its SMS costs.
  automation: 4,
  // Besides itself and its thread: what can be said to somebody who wrote by SMS, and the price of one.
  conversation: 4,
  // Besides itself: the pictures to choose from, and the currencies of price lists.
  product: 3,
  // Besides itself and its deliveries: the keys, of which one can call back.
  webhook: 3,
  // Besides its choices, each of which is a list: itself.
  team: 3,
  // Besides itself: the list, which knows its id, the templates, and what its SMS costs.
  "order-message": 4,
  // Besides itself: the drip, and the names of the people, whom its list knows by their ids only.
  "drip-people": 3,
  // Besides itself: the connections, by which a line whose calls nobody takes is known, and the numbers that customers call in vain.
  lines: 3,
  // Besides itself: its webhooks, and the set-up, which alone knows the numbers that customers call in vain.
  connection: 3,
};

/** Opened directly, since a count that other screens have helped with would be that of a fast machine. */
browserTest("screens_read_what_they_need_only", async () => {
  const visitor = await Visitor.logIn("admin");
  await giveSamples(visitor);
  await visitor.stopClocks();
  // What is told would be read again, at any time.
  await visitor.intercept("create_live_ticket", (route) => route.fulfill(problem(403, "forbidden")));
  const asked: string[] = [];
  visitor.page.on("request", (request) => {
    const { pathname } = new URL(request.url());
    if (request.method() === "GET" && pathname.startsWith("/api/") && !pathname.startsWith("/api/v1/live/")) asked.push(pathname.replace("/api/v1/", ""));
  });
  for (const route of routes.filter(logsIn)) {
    asked.length = 0;
    await visitor.open(pathOf(route, logInOf("admin").tenant));
    const own = asked.filter((path, place) => !SHARED.includes(path) || asked.indexOf(path) !== place);
    assert.ok(own.length <= (READS[route.name] ?? 2), `${route.name}: ${own.join(" ")}`);
  }
  visitor.expectQuiet(403);
  await visitor.leave();
});

browserTest("screens_keep_their_budgets", async () => {
  const visitor = await Visitor.logIn("admin");
  await visitor.fetchFiles();
  await giveSamples(visitor);
  await visitor.stopClocks();
  // What is told would be read again, at any time.
  await visitor.intercept("create_live_ticket", (route) => route.fulfill(problem(403, "forbidden")));
  // A name as long as those of the samples pushes down what is below it.
  const named = { ...contact, name: "Layla Haddad" };
  await visitor.intercept("get_contact", (route) => route.fulfill({ json: named }));
  await visitor.intercept("get_conversation", (route) => route.fulfill({ json: { ...conversation, profile: named, draft: null } }));
  const { tenant } = logInOf("admin");
  const cost = await Cost.of(visitor);
  await visitor.open(`/app/${tenant}/settings`);
  for (const route of routes.filter(logsIn)) {
    const [scripts, moved] = [cost.scripts, await cost.moved()];
    await visitor.move(pathOf(route, tenant));
    assert.ok((cost.scripts - scripts) / 1024 <= (route.paths[0].includes("/inbox") ? 26 : 33), `${route.name}: ${cost.scripts - scripts} bytes of script`);
    await cost.expectStill(route.name, 0.02, moved);
  }
  visitor.expectQuiet(403);
  await visitor.leave();
});
