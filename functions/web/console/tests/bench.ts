/** How long people wait: prints one JSON document. `npm run bench` runs it, with what the tests need. */
import { measureKeys, measureMessages } from "./load.ts";
import { DESK, logInOf, PHONE, Visitor, type Look } from "./support.ts";

/** A fast 3G network and a phone of the middle class, as Lighthouse has them. */
const NETWORK = { offline: false, latency: 150, downloadThroughput: 1_600_000 / 8, uploadThroughput: 750_000 / 8 };
const SLOWER = 4;
const VISITS = 3;

interface Visit {
  page: string;
  language: string;
  /** Largest contentful paint in milliseconds: of the first visit, and of a later one. */
  cold: number;
  warm: number;
  cold_bytes: number;
  warm_bytes: number;
}

function median(values: number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? NaN;
}

/** Opens a page and says when its largest part was painted, and how many bytes came. */
async function paint(visitor: Visitor, path: string): Promise<[number, number]> {
  const page = await visitor.context.newPage();
  visitor.watch(page);
  await page.addInitScript(() => {
    new PerformanceObserver((list) => { Object.assign(window, { painted: list.getEntries().at(-1)?.startTime }); }).observe({ type: "largest-contentful-paint", buffered: true });
  });
  const devices = await visitor.context.newCDPSession(page);
  let bytes = 0;
  devices.on("Network.loadingFinished", ({ encodedDataLength }) => { bytes += encodedDataLength; });
  await devices.send("Network.enable");
  await devices.send("Network.emulateNetworkConditions", NETWORK);
  await devices.send("Emulation.setCPUThrottlingRate", { rate: SLOWER });
  await page.goto(path, { waitUntil: "networkidle" });
  await page.locator("h1").waitFor();
  await page.waitForTimeout(1000);
  const painted = await page.evaluate(() => (window as unknown as { painted: number }).painted);
  // A page that is only closed may hold its locks when the next one asks who has a session.
  await page.goto("about:blank");
  await page.close();
  return [painted, bytes];
}

/** The language follows the person, not the browser. */
async function speak({ page }: Visitor, { language, theme }: Look): Promise<void> {
  const { email, password } = logInOf("manager");
  await page.evaluate(async ({ preferences, ...person }) => {
    const json = { "content-type": "application/json" };
    const { access_token: token } = await (await fetch("/api/v1/auth/log-in", { method: "POST", headers: json, body: JSON.stringify(person) })).json();
    const headers = { ...json, authorization: `Bearer ${token}` };
    const { ok } = await fetch("/api/v1/me", { method: "PATCH", headers, body: JSON.stringify({ preferences }) });
    if (!ok) throw new Error("the language cannot be set");
  }, { email, password, preferences: { language, theme } });
}

const visits: Visit[] = [];
for (const look of [DESK, PHONE] satisfies Look[]) {
  for (const [name, page] of [["home", ""], ["calls", "/calls"]] as const) {
    const path = `/app/${logInOf("manager").tenant}${page}`;
    const rounds: [number, number, number, number][] = [];
    for (let round = 0; round < VISITS; round += 1) {
      const visitor = await Visitor.logIn("manager", look);
      // Intercepted requests would keep the browser from its cache.
      await visitor.context.unrouteAll();
      await speak(visitor, look);
      // Another open tab of the console would be asked for its session first.
      await visitor.page.goto("about:blank");
      // The log-in has loaded files of the shell.
      const cache = await visitor.context.newCDPSession(visitor.page);
      await cache.send("Network.clearBrowserCache");
      rounds.push([...(await paint(visitor, path)), ...(await paint(visitor, path))]);
      await visitor.leave();
    }
    const of = (place: 0 | 1 | 2 | 3) => Math.round(median(rounds.map((round) => round[place])));
    visits.push({ page: name, language: look.language, cold: of(0), cold_bytes: of(1), warm: of(2), warm_bytes: of(3) });
  }
}
try {
  console.log(JSON.stringify({ visits, keys: await measureKeys(), shown: await measureMessages() }));
} catch (error) {
  for (const visitor of Visitor.here) console.error(await visitor.describe());
  throw error;
}
process.exit();
