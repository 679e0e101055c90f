#!/usr/bin/env bash
# Expected: a count that comes as text ("2", as JSON and templates carry it) gets the plural form of 2, and two implementations of
# Fluent write one message for one locale alike.
# Seen on 29 November 2026: @fluent/bundle 0.19.1 (npm) and fluent.runtime 0.4.0 (PyPI) take the default form for text;
# intl-messageformat 12.1.5 and @messageformat/core 3.4.1 (ICU syntax) and messageformat 4.0.0 (MessageFormat 2) take the dual.
# For ar-EG, @fluent/bundle writes 1,234.5 in Arabic-Indic digits, fluent.runtime in Latin ones.
# Why it matters: Arabic has six forms, so the default is wrong for most counts, and English hides it for all but one. A page
# and an e-mail of the same sentence show the amount in different digits. Convert counts, and name the numbering system.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --no-save --ignore-scripts @fluent/bundle@0.19.1 intl-messageformat@12.1.5 @messageformat/core@3.4.1 messageformat@4.0.0
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check fluent.runtime==0.4.0 babel==2.19.0

cat >calls.ftl <<'FTL'
calls = { $n ->
    [two] dual
   *[other] default
 }
amount = { $n }
FTL
cat >show.mjs <<'JS'
import fs from "node:fs";
import { FluentBundle, FluentResource } from "@fluent/bundle";
import { IntlMessageFormat } from "intl-messageformat";
import MessageFormat1 from "@messageformat/core";
import { MessageFormat } from "messageformat";

const bundle = new FluentBundle("ar-EG", { useIsolating: false });
bundle.addResource(new FluentResource(fs.readFileSync("calls.ftl", "utf8")));
const fluent = (id, n) => bundle.formatPattern(bundle.getMessage(id).value, { n });
const icu = "{n, plural, two{dual} other{default}}";
const mf2 = ".input {$n :number} .match $n two {{dual}} * {{default}}";
for (const n of [2, "2"])
  console.log(JSON.stringify(n), "@fluent/bundle", fluent("calls", n), "intl-messageformat", new IntlMessageFormat(icu, "ar").format({ n }),
    "@messageformat/core", new MessageFormat1("ar").compile(icu)({ n }), "messageformat", new MessageFormat("ar", mf2).format({ n }));
console.log("@fluent/bundle", fluent("amount", 1234.5));
JS
cat >show.py <<'PY'
from fluent.runtime import FluentBundle, FluentResource

bundle = FluentBundle(["ar-EG"], use_isolating=False)
bundle.add_resource(FluentResource(open("calls.ftl").read()))
fluent = lambda key, n: bundle.format_pattern(bundle.get_message(key).value, {"n": n})[0]
print("fluent.runtime: 2", fluent("calls", 2), '"2"', fluent("calls", "2"), "amount", fluent("amount", 1234.5))
PY
seen=$(node show.mjs && env/bin/python show.py)
printf '%s\n' "$seen"

expected='2 @fluent/bundle dual intl-messageformat dual @messageformat/core dual messageformat dual
"2" @fluent/bundle default intl-messageformat dual @messageformat/core dual messageformat dual
@fluent/bundle ١٬٢٣٤٫٥
fluent.runtime: 2 dual "2" default amount 1,234.5'
[ "$seen" = "$expected" ] || { echo "Changed: the libraries choose other forms or digits than noted." >&2; exit 1; }
