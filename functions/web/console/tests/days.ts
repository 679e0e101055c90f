/**
 * A drip of three days, by the clock of a stack of its own: its pages say what phones have got. `RINGBACK_CLOCK` moves the clock. It is no part of
 * `npm test`, whose stack stays at the machine's time.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { addContact, ask, browserTest, DESK, logInOf, phones, plain, stranger, tell, until, Visitor } from "./support.ts";

const { tenant } = logInOf("manager");
const TEXTS = ["Welcome!", "Our cakes of the week", "A coffee comes with your first cake"];
/** What becomes of each person. */
const PEOPLE = ["Nora Stays", "Omar Writes", "Sara Stops", "Ziad Never Agreed"];

/** How many phones have got each text. */
async function outbox(): Promise<number[]> {
  const all = (await (await fetch(`${phones}/outbox?tenant=${tenant}`)).json()) as { body?: string }[];
  return TEXTS.map((text) => all.filter(({ body }) => body === text).length);
}

function goOn(): void {
  const [program = "", ...rest] = JSON.parse(process.env.RINGBACK_CLOCK ?? "[]") as string[];
  execFileSync(program, [...rest, "+1445m"]);
}

browserTest("drip_of_three_days_is_on_its_pages_as_in_the_outbox", async () => {
  const { id } = await ask<{ id: string }>("campaigns", "POST", { type: "drip", name: "Three days" });
  const says = (text: string, place: number) => ({ name: `message ${place + 1}`, does: { type: "message", message: { channels: ["sms"], category: "utility", sms_text: text } } });
  const day = (place: number) => ({ name: `day ${place}`, does: { type: "wait", wait: { until: "passed", days: 1 } } });
  await ask(`campaigns/${id}/steps`, "POST", { steps: TEXTS.flatMap((text, place) => (place === 0 ? [says(text, place)] : [day(place), says(text, place)])) });
  await ask(`campaigns/${id}/start`, "POST", {});
  await until("start", async () => (await ask<{ state: string }>(`campaigns/${id}`)).state === "running");
  const numbers: Record<string, string> = {};
  for (const name of PEOPLE) {
    const phone = (numbers[name] = stranger());
    const contact = name.endsWith("Agreed") ? (await ask<{ id: string }>("contacts", "POST", { name, phones: [phone] })).id : await addContact(name, phone, "utility");
    await ask(`contacts/${contact}/campaigns/${id}/enroll`, "POST", {});
  }
  await until("first message to three", async () => (await outbox())[0] === 3);
  for (const [name, text] of [["Omar Writes", "Thank you"], ["Sara Stops", "STOP"]] as const) await tell("/replies", { tenant, from: numbers[name], channel: "sms", text, wait: true });
  await until("two who left", async () => (await ask<{ items: object[] }>(`campaigns/${id}/enrollments?status=exited`)).items.length === 3);
  for (const place of [1, 2]) {
    goOn();
    await until(TEXTS[place] ?? "", async () => (await outbox())[place] === 1);
  }

  // Sessions of before have ended since.
  const visitor = await Visitor.logIn("manager", DESK);
  const { page } = visitor;
  await visitor.open(`/app/${tenant}/campaigns/${id}/people`);
  const rows = visitor.see("enrolment");
  const row = async (name: string) => plain(await rows.filter({ hasText: name }).innerText());
  await until("end of the drip", async () => {
    await page.reload();
    await visitor.settle();
    return /Through/.test(await row("Nora Stays"));
  });
  for (const name of ["Omar Writes", "Sara Stops", "Ziad Never Agreed"]) assert.match(await row(name), /Left/);
  const links = await page.getByRole("link", { name: "Message", exact: true, includeHidden: true }).count();
  const sent = await outbox();
  assert.deepEqual(sent, [3, 1, 1]);
  // Those who left while the second message waited have got the first one only.
  assert.equal(links, sent.reduce((sum, count) => sum + count));
  await visitor.open(`/app/${tenant}/campaigns/${id}/drip`);
  const report = visitor.see("report");
  const figure = async (where: string, count: string) => Number(plain((await report.locator(`${where} [data-count="${count}"]`).allInnerTexts())[0] ?? "0"));
  // Phones report the last message a moment later.
  await until("report that equals the outbox", async () => {
    await page.getByRole("button", { name: /^Make / }).click();
    await page.getByRole("button", { name: "Make it again" }).waitFor();
    const delivered = await Promise.all(sent.map((_, place) => figure(`[data-step="message ${place + 1}"]`, "campaign-report-delivered")));
    return JSON.stringify(delivered) === JSON.stringify(sent);
  });
  assert.deepEqual(await Promise.all(["entered", "active", "completed", "exited"].map((count) => figure("", count))), [4, 0, 1, 3]);
  visitor.expectQuiet();
  await visitor.leave();
});
