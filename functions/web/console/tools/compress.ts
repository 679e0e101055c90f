/** Puts a `.br` beside each file of `dist/assets` that becomes smaller by it, so that nobody compresses anything later. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { brotliCompressSync, constants } from "node:zlib";

const folder = "dist/assets";
const { BROTLI_PARAM_QUALITY: quality, BROTLI_MAX_QUALITY: best } = constants;

for (const name of readdirSync(folder).filter((name) => /\.(css|js|svg)$/.test(name))) {
  const file = `${folder}/${name}`;
  writeFileSync(`${file}.br`, brotliCompressSync(readFileSync(file), { params: { [quality]: best } }));
}
