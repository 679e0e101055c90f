/** The second factor of a log-in: scanned from the screen, asked for, and locked after wrong codes. */
import assert from "node:assert/strict";
import jsqr from "jsqr";
import { TOTP, URI } from "otpauth";
import { browserTest, DESK, linkMailedTo, stack, stranger, Visitor } from "./support.ts";

/** A person of their own business: whoever is locked out is nobody else. */
async function signUp(): Promise<{ email: string; password: string }> {
  const mark = stranger().slice(-8);
  const person = { email: `factor-${mark}@corner.example`, password: "seven quiet lanterns of brass" };
  const send = async (path: string, body: object) => {
    const answer = await fetch(`${stack}/api/v1/auth/${path}`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    assert.ok(answer.ok, `${path}: ${answer.status} ${await answer.text()}`);
  };
  await send("sign-up", { ...person, business: `Corner ${mark}`, slug: `corner-${mark}`, name: "Maya", time_zone: "Asia/Dubai" });
  const token = new URLSearchParams((await linkMailedTo(person.email)).split("?")[1]).get("token");
  await send("verify-email", { token, password: person.password });
  return person;
}

browserTest("second_factor_is_scanned_asked_for_and_locked", async () => {
  const person = await signUp();
  const visitor = await Visitor.arrive(DESK);
  const { page } = visitor;
  await visitor.enter(person);
  await visitor.open("/app/account/second-factor");
  await page.getByLabel("Current password").fill(person.password);
  await page.getByRole("button", { name: "Set up" }).click();
  await visitor.settle();
  const shot = await visitor.see("qr").screenshot();
  const { data, width, height } = await page.evaluate(async (url) => {
    const image = Object.assign(new Image(), { src: url });
    await image.decode();
    const drawing = new OffscreenCanvas(image.width, image.height).getContext("2d");
    drawing?.drawImage(image, 0, 0);
    return { data: [...(drawing?.getImageData(0, 0, image.width, image.height).data ?? [])], width: image.width, height: image.height };
  }, `data:image/png;base64,${shot.toString("base64")}`);
  const uri = jsqr(new Uint8ClampedArray(data), width, height)?.data ?? assert.fail("no QR code is read");
  const totp = URI.parse(uri);
  assert.ok(totp instanceof TOTP);
  assert.equal(await visitor.see("secret").innerText(), totp.secret.base32);
  await page.getByLabel("Code", { exact: true }).fill("000000");
  await page.getByRole("button", { name: "Turn on" }).click();
  await page.locator("[name=code][aria-invalid=true]").waitFor();
  await page.getByLabel("Code", { exact: true }).fill(totp.generate());
  await page.getByRole("button", { name: "Turn on" }).click();
  const codes = (await visitor.see("codes").innerText()).split("\n");
  assert.equal(codes.length, 10);
  // Nobody leaves before the codes are stored.
  page.once("dialog", (question) => question.dismiss());
  await page.locator("[data-back]").click();
  await page.getByLabel("I have stored them").check();
  await page.getByRole("button", { name: "Continue" }).click();
  await page.locator("[data-testid=factor][data-state=on]").waitFor();

  await page.locator("header [popovertarget]").last().click();
  await page.getByRole("banner").getByRole("button", { name: "Log out" }).click();
  await page.waitForURL("**/app/log-in");
  const enter = async () => {
    await page.getByLabel("E-mail address").fill(person.email);
    await page.getByLabel("Password").fill(person.password);
    await page.keyboard.press("Enter");
    await page.getByLabel("Code", { exact: true }).waitFor();
  };
  await enter();
  // The code of the confirmation was used.
  await page.keyboard.type(totp.generate({ timestamp: Date.now() + 30_000 }));
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => !url.pathname.endsWith("/log-in"));

  await visitor.context.clearCookies();
  await visitor.open("/app/log-in");
  await enter();
  await page.getByRole("button", { name: "Use a recovery code instead" }).click();
  await page.keyboard.type(codes[0] ?? "");
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => !url.pathname.endsWith("/log-in"));

  const statuses = await page.evaluate(async (body) => {
    const found: number[] = [];
    for (let tried = 0; tried < 50; tried += 1) found.push((await fetch("/api/v1/auth/log-in", { method: "POST", headers: { "content-type": "application/json" }, body })).status);
    return found;
  }, JSON.stringify({ ...person, code: "000000" }));
  assert.ok(statuses.every((status) => status === 401), String(statuses));
  await visitor.context.clearCookies();
  await visitor.open("/app/log-in");
  await enter();
  await page.keyboard.type(totp.generate({ timestamp: Date.now() + 60_000 }));
  await page.keyboard.press("Enter");
  await page.locator("[data-kind=second_factor_locked]", { hasText: "Reset your password by mail" }).waitFor();
  visitor.expectQuiet(401, 403, 422);
  await visitor.leave();
});
