/**
 * The browser of the tests. One that comes packed is unpacked when it is first looked for, which is done before the tests: they are several
 * processes, and none of them may start what another is still writing.
 */
import { accessSync, constants } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

async function findBrowser(): Promise<string | undefined> {
  if (process.env.RINGBACK_CHROMIUM) return process.env.RINGBACK_CHROMIUM;
  const places = (process.env.PATH ?? "").split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  const installed = places.find(isProgram);
  if (installed) return installed;
  // It is a package for some machines only, so it may not be there.
  process.env.TMPDIR ??= tmpdir();
  return import("@sparticuz/chromium").then(({ default: packed }) => packed.executablePath()).catch(() => undefined);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export const program = await findBrowser();
