/** Contacts come from files and go into files, and many are changed at once. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import papa from "papaparse";
import { ask, browserTest, DESK, logInOf, PHONE, plain, problem, reach, stranger, Visitor } from "./support.ts";

interface Listed {
  id: string;
  name: string;
  phones?: string[];
}

const { tenant } = logInOf("manager");
const at = (page: string): string => `/app/${tenant}/${page}`;
const digits = (start: number, index: number): string => `+97155${String(start + index).padStart(7, "0")}`;

/** All pages of a list. */
async function all(path: string): Promise<Listed[]> {
  const found: Listed[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const page: { items: Listed[]; next_cursor: string | null } = await ask(`${path}limit=100${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    found.push(...page.items);
    cursor = page.next_cursor;
  }
  return found;
}

async function idOf(what: string, name: string): Promise<string> {
  return (await all(`${what}?`)).find((item) => item.name === name)?.id ?? assert.fail(`no ${name} among the ${what}`);
}

function csv(name: string, text: string): { name: string; mimeType: string; buffer: Buffer } {
  return { name, mimeType: "text/csv", buffer: Buffer.from(text) };
}

async function counts({ page }: Visitor, title: string): Promise<Record<string, number>> {
  const outcome = page.getByTestId("outcome").filter({ has: page.getByRole("heading", { name: title }) });
  await outcome.waitFor();
  const rows = await outcome.locator("tr").all();
  return Object.fromEntries(await Promise.all(rows.map(async (row) => [await row.getAttribute("data-count"), Number(plain(await row.locator("td").innerText()).replace(/\D/g, ""))])));
}

/** Uploads a file by keyboard, from the page of a new import to the first rows. */
async function upload(visitor: Visitor, file: ReturnType<typeof csv>): Promise<void> {
  await visitor.settle();
  // The browser is told to ask the test before the key is pressed.
  const chooser = visitor.page.waitForEvent("filechooser");
  await reach(visitor, "File");
  await visitor.page.keyboard.press("Enter");
  await (await chooser).setFiles(file);
  await reach(visitor, "Upload");
  await visitor.page.keyboard.press("Enter");
  await visitor.page.waitForURL(/\/imports\/imp_/);
  await visitor.see("first-row").first().waitFor();
  await visitor.settle();
}

/** Answers the question before an import. */
async function agree({ page }: Visitor): Promise<void> {
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
}

browserTest("refused_rows_are_corrected_and_imported_again_by_keyboard", async () => {
  const visitor = await Visitor.logIn("manager", DESK);
  const { page } = visitor;
  const mark = stranger().slice(-6);
  const start = Number(mark) * 9;
  const wrong = (index: number) => index % 25 === 7;
  const rows = Array.from({ length: 1000 }, (_, index) => ({ Name: `Guest ${mark} ${index}`, Mobile: wrong(index) ? ["12", "9.71501E+11"][index % 2] : digits(start, index), Tags: `Fair ${mark}` }));
  await visitor.open(at("contacts"));
  await reach(visitor, "Import");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/imports");
  await visitor.settle();
  await reach(visitor, "Import contacts");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/imports/new");
  await upload(visitor, csv("guests.csv", papa.unparse(rows)));
  const seventh = visitor.see("first-row").nth(7);
  assert.equal(await seventh.getAttribute("data-becomes"), "refused");
  assert.match(plain(await seventh.innerText()), /spreadsheet program has shortened/);
  await reach(visitor, /^Create tags of the file/);
  await page.keyboard.press("Space");
  await reach(visitor, "Check all rows");
  await page.keyboard.press("Enter");
  assert.deepEqual(await counts(visitor, "What would happen"), { rows: 1000, created: 960, refused: 40 });
  assert.deepEqual(await all(`contacts?phone=${encodeURIComponent(digits(start, 0))}&`), [], "a check writes nothing");
  await reach(visitor, "Start the import");
  await page.keyboard.press("Enter");
  await agree(visitor);
  assert.deepEqual(await counts(visitor, "What was done"), { rows: 1000, created: 960, refused: 40 });
  await reach(visitor, "Open the refused rows");
  const [tab] = await Promise.all([page.waitForEvent("popup"), page.keyboard.press("Enter")]);
  const refused = await readFile(await (await tab.waitForEvent("download")).path(), "utf8");
  const { data } = papa.parse<Record<string, string>>(refused, { header: true, skipEmptyLines: true });
  assert.equal(data.length, 40);
  const corrected = data.map((row) => ({ ...row, Mobile: digits(start, Number(row.Name?.split(" ")[2])) }));
  await reach(visitor, "Import the corrected file");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/imports/new");
  await upload(visitor, csv("corrected.csv", papa.unparse(corrected)));
  await reach(visitor, /^Only check and count/);
  await page.keyboard.press("Space");
  await reach(visitor, "Start the import");
  await page.keyboard.press("Enter");
  await agree(visitor);
  assert.deepEqual(await counts(visitor, "What was done"), { rows: 40, created: 40 });
  const found = await all(`contacts?tag=${await idOf("tags", `Fair ${mark}`)}&`);
  const pairs = (people: { name: string; phone?: string }[]) => people.map(({ name, phone }) => `${name} ${phone}`).toSorted();
  assert.deepEqual(pairs(found.map(({ name, phones }) => ({ name, phone: phones?.[0] }))), pairs(rows.map(({ Name }, index) => ({ name: Name, phone: digits(start, index) }))));
  visitor.expectQuiet();
  await visitor.leave();
});

browserTest("small_table_is_imported_by_touch_in_arabic", async () => {
  const visitor = await Visitor.logIn("manager", PHONE);
  const { page } = visitor;
  const mark = stranger().slice(-6);
  await visitor.open(at("imports/new"));
  await page.locator("input[type=file]").setInputFiles(csv("زبائن.csv", `الاسم,الجوال\nليلى ${mark},${stranger()}\nعمر ${mark},9.71501E+11\n`));
  await visitor.tap(page.getByRole("button", { name: "رفع الملف" }));
  await page.waitForURL(/\/imports\/imp_/);
  await page.locator("[data-becomes=refused]").waitFor();
  assert.match(await page.locator("[data-becomes=refused]").innerText(), /اختصر برنامج الجداول هذا الرقم/);
  await visitor.tap(page.getByRole("checkbox", { name: /^فحص وعدّ/ }));
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth));
  await visitor.tap(page.getByRole("button", { name: "بدء الاستيراد" }));
  await visitor.tap(page.getByRole("dialog").getByRole("button", { name: "بدء الاستيراد" }));
  assert.deepEqual(await counts(visitor, "ما تم"), { rows: 2, created: 1, refused: 1 });
  visitor.expectQuiet();
  await visitor.leave();
});

/** The first try breaks off, and the second one arrives with what is no table. */
browserTest("broken_upload_is_repeated_and_a_workbook_refused", async () => {
  const visitor = await Visitor.logIn("manager", DESK);
  const { page } = visitor;
  let tries = 0;
  await visitor.context.route(/\/uploads\//, (route) => (route.request().method() === "PUT" && (tries += 1) === 1 ? route.abort("connectionreset") : route.fallback()));
  await visitor.open(at("imports/new"));
  await page.locator("input[type=file]").setInputFiles(csv("guests.csv", "PK\u0003\u0004 is no table"));
  await page.getByRole("button", { name: "Upload" }).click();
  await page.locator("[data-kind=upload_broken]").waitFor();
  assert.match(await page.locator("[data-kind=upload_broken]").innerText(), /broke off, and nothing was imported/);
  await page.getByRole("button", { name: "Upload" }).click();
  await page.waitForURL(/\/imports\/imp_/);
  await visitor.see("problem").waitFor();
  assert.match(plain(await visitor.see("problem").innerText()), /This is a workbook. Open it in Excel/);
  assert.equal(tries, 2);
  assert.deepEqual(visitor.complaints.filter((said) => !/ERR_CONNECTION_RESET|status of 422 /.test(said)), []);
  await visitor.leave();
});

browserTest("segment_is_counted_changed_and_names_its_broadcasts", async () => {
  const visitor = await Visitor.logIn("manager", DESK);
  const { page } = visitor;
  const mark = stranger().slice(-6);
  const [tag, other] = await Promise.all([`Fair ${mark}`, `Gold ${mark}`].map((name) => ask<Listed>("tags", "POST", { name })));
  for (let index = 0; index < 3; index += 1) await ask("contacts", "POST", { name: `Guest ${index}`, phones: [stranger()], tags: [tag?.id] });
  await visitor.open(at("settings/segments/new"));
  await page.getByLabel("Name", { exact: true }).fill(`Guests ${mark}`);
  await page.getByLabel("Add a condition").selectOption("tag");
  await page.getByLabel("Tag", { exact: true }).selectOption({ label: `Fair ${mark}` });
  await page.getByRole("button", { name: "Create" }).click();
  await page.getByRole("link", { name: `Guests ${mark}` }).click();
  const segment = await idOf("segments", `Guests ${mark}`);
  await ask("campaigns", "POST", { type: "broadcast", name: `News ${mark}`, audience: { segment }, message: { channels: ["sms"], category: "marketing" } });
  await page.reload();
  assert.equal(plain(await visitor.see("uses").innerText()), `News ${mark}`);
  await page.getByLabel("Tag", { exact: true }).last().selectOption({ label: `Gold ${mark}` });
  await page.getByRole("button", { name: "Count them and go on" }).click();
  await page.getByRole("button", { name: /^Do it for \W*3\W* contacts$/ }).click();
  await visitor.see("bulk-result").waitFor();
  assert.match(plain(await visitor.see("bulk-result").locator("[data-count=changed]").innerText()), /3$/);
  assert.equal((await all(`contacts?tag=${other?.id}&`)).length, 3);
  visitor.expectQuiet();
  await visitor.leave();
});

browserTest("export_is_written_and_opened_by_a_fresh_link", async () => {
  const visitor = await Visitor.logIn("manager", DESK);
  const { page } = visitor;
  const phone = stranger();
  await ask("contacts", "POST", { name: "Exported", phones: [phone] });
  await visitor.open(at("exports"));
  await page.getByRole("button", { name: "Write the file" }).click();
  const [tab] = await Promise.all([page.waitForEvent("popup"), visitor.see("export").first().getByRole("button", { name: "Open the file" }).click()]);
  assert.ok((await readFile(await (await tab.waitForEvent("download")).path(), "utf8")).includes(phone));
  await visitor.intercept("get_export", (route) => route.fulfill(problem(404, "not_found")));
  await visitor.see("export").first().getByRole("button", { name: "Open the file" }).click();
  await visitor.see("problem").waitFor();
  visitor.expectQuiet(404);
  await visitor.leave();
});
