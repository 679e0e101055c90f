#!/usr/bin/env bash
# Expected: one webhook secret makes one signature in all libraries of Standard Webhooks.
# Seen on 30 November 2026: a secret in URL-safe base64, as token_urlsafe makes it, is refused by standardwebhooks 1.1.1 and svix 1.99.1 of npm
# ("incorrect characters"), and taken by standardwebhooks 1.1.0 and svix 2.9.1 of PyPI, which leave out its "-" and "_" without a word, so the
# key is another one. With ordinary base64 all four agree.
# Why it matters: sender and receiver in Python agree and everything is tested; the first receiver in JavaScript cannot start, and no other
# library verifies. A sender makes secrets of plain base64.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --no-save --ignore-scripts standardwebhooks@1.1.1 svix@1.99.1
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check standardwebhooks==1.1.0 svix==2.9.1

plain=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw
safe=whsec_MfKQ9r8GKYqr-wjUPD8ILPZI_2LaLaSw
without=whsec_MfKQ9r8GKYqrwjUPD8ILPZI2LaLaSw
cat >show.cjs <<'JS'
const libraries = { standardwebhooks: require("standardwebhooks"), svix: require("svix") };
for (const secret of process.argv.slice(2)) {
  for (const [name, { Webhook }] of Object.entries(libraries)) {
    let shown;
    try {
      shown = new Webhook(secret).sign("msg_1", new Date(Date.UTC(2026, 10, 30)), "{}").slice(0, 9);
    } catch (error) {
      shown = error.message;
    }
    console.log("npm", name, secret.slice(6, 22), "=>", shown);
  }
}
JS
cat >show.py <<'PY'
import datetime, sys
import standardwebhooks, svix

for secret in sys.argv[1:]:
    for name, library in (("standardwebhooks", standardwebhooks), ("svix", svix)):
        key = library.Webhook(secret)
        at = datetime.datetime(2026, 11, 30, tzinfo=datetime.timezone.utc)
        print("PyPI", name, secret[6:22], "=>", key.sign("msg_1", at, "{}")[:9])
PY
seen=$(node show.cjs $plain $safe && env/bin/python show.py $plain $safe $without)
printf '%s\n' "$seen"

expected='npm standardwebhooks MfKQ9r8GKYqrTwjU => v1,SaWXka
npm svix MfKQ9r8GKYqrTwjU => v1,SaWXka
npm standardwebhooks MfKQ9r8GKYqr-wjU => Base64Coder: incorrect characters for decoding
npm svix MfKQ9r8GKYqr-wjU => Base64Coder: incorrect characters for decoding
PyPI standardwebhooks MfKQ9r8GKYqrTwjU => v1,SaWXka
PyPI svix MfKQ9r8GKYqrTwjU => v1,SaWXka
PyPI standardwebhooks MfKQ9r8GKYqr-wjU => v1,MVfsFe
PyPI svix MfKQ9r8GKYqr-wjU => v1,MVfsFe
PyPI standardwebhooks MfKQ9r8GKYqrwjUP => v1,MVfsFe
PyPI svix MfKQ9r8GKYqrwjUP => v1,MVfsFe'
[ "$seen" = "$expected" ] || { echo "Changed: secrets are read in another way than noted." >&2; exit 1; }
