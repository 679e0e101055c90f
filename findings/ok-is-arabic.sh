#!/usr/bin/env bash
# Expected: a language detector that is limited to English and Arabic calls "ok" and "Hi" English, as it did before.
# Seen on 30 November 2026: py3langid 0.4.0, released in September 2026 with a new model, calls both Arabic. It knows nothing of texts of one or two
# letters, so all languages are equally likely, and the first by the alphabet is returned: Arabic of these two, Afrikaans of all.
# 0.3.0 said English. With all languages, 0.4.0 also has codes of dialects that 0.3.0 did not have: "where are you" of the Gulf is "arz".
# Why it matters: short answers are most of what customers write. Whoever answers in the language of the last message answers an
# English "ok" in Arabic, and code that compares with "ar" does not find "arz". `min_confidence` gives "und" instead.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
for version in 0.3.0 0.4.0; do
  python3 -m venv "$version"
  "$version/bin/pip" install --quiet --disable-pip-version-check "py3langid==$version"
done

cat >show.py <<'PY'
import py3langid

said = [py3langid.classify(text)[0] for text in ("ok", "وين موقعكم")]
py3langid.set_languages(["en", "ar"])
said += [py3langid.classify(text)[0] for text in ("ok", "Hi", "price?", "وين موقعكم")]
print(*said)
PY
seen=$(for version in 0.3.0 0.4.0; do echo "$version $("$version/bin/python" show.py)"; done)
printf '%s\n' "$seen"

expected='0.3.0 en ar en en en ar
0.4.0 af arz ar ar en ar'
[ "$seen" = "$expected" ] || { echo "Changed: the languages of short texts are others than noted." >&2; exit 1; }
