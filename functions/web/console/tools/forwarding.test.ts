/** Which telephone a business has, and what is dialled on an ordinary line. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { codesOf, networksOf } from "../app/screens/setup/forwarding.ts";
import { forwardedTo, wayOf } from "../app/screens/setup/telephone.ts";
import { fieldsOf, forwardedHere } from "../app/screens/settings/voice.ts";

const COUNTRIES = ["AE", "SA", "GB", "US", "DE"];
const networkOf = (country: string, wanted: string, landline?: true) => networksOf(country).find((network) => network.name === wanted && network.landline === landline);

test("each_code_names_the_number_once_and_has_an_end_and_a_source", () => {
  for (const network of COUNTRIES.flatMap(networksOf)) {
    for (const { begin, end } of Object.values(network.codes)) {
      assert.match(begin, /^\*{1,2}\d\d(\*N#|N)$/, network.name);
      assert.match(end, /^(##?\d\d#|\*\d\d)$/, network.name);
    }
    assert.ok(new URL(network.source).host && Object.keys(network.codes).length > 0);
    assert.equal(network.sure === "standard", network.source.includes("3gpp.org"), network.name);
  }
});

test("codes_hold_the_number_as_the_network_takes_it", () => {
  const begin = (country: string, name: string, number: string, landline?: true) => codesOf(networkOf(country, name, landline), number).codes.map((code) => code.begin);
  assert.deepEqual(begin("AE", "du", "+971 4 555 0123"), ["**61*+97145550123#", "**62*+97145550123#", "**67*+97145550123#"]);
  assert.deepEqual(begin("GB", "BT", "+442079460123", true), ["*61*02079460123#", "*67*02079460123#"]);
  assert.deepEqual(begin("GB", "BT", "+12025550123", true)[0], "*61*0012025550123#");
  assert.deepEqual(codesOf(networkOf("US", "Verizon"), "+12025550123").codes, [{ condition: "no_reply_or_busy", begin: "*712025550123", end: "*73" }]);
  // A country that is not in the table, and one that is not known.
  for (const country of ["FJ", null]) assert.deepEqual(networksOf(country), []);
  assert.deepEqual([codesOf(undefined, "+6791234567").sure, codesOf(undefined, "+6791234567").codes[0]], ["standard", { condition: "no_reply", begin: "**61*+6791234567#", end: "##61#" }]);
});

test("the_answer_about_the_telephone_follows_from_what_is_connected", () => {
  const forwarded = { kind: "twilio" as const, voice: forwardedHere("ar", "شكرًا"), numbers: ["+97145550123"] };
  // A call that a line has forwarded would come back if it rang there.
  assert.deepEqual([forwarded.voice.handling, forwarded.voice.forward_to, forwarded.voice.greeting], ["greet", null, [{ language: "ar-XA", text: "شكرًا" }]]);
  const rings = { ...forwarded, voice: fieldsOf(null) };
  const system = { kind: "telephony" as const, voice: null, numbers: [] };
  const whatsapp = { ...system, kind: "whatsapp" as const };
  assert.deepEqual([[], [whatsapp], [system], [rings], [system, rings]].map((connected) => wayOf(connected)), [undefined, undefined, "system", "cloud", "cloud"]);
  // A number at Twilio where callers leave a message needs no line: only the answer tells.
  const voicemail = { ...forwarded, voice: { ...fieldsOf(null), handling: "voicemail" as const } };
  for (const one of [voicemail, forwarded]) assert.deepEqual([wayOf([one]), wayOf([system, one]), wayOf([one], "line"), forwardedTo([one])], ["cloud", "cloud", "line", "+97145550123"]);
  assert.equal(wayOf([], "line"), "line");
  assert.deepEqual([[rings], [rings, forwarded]].map(forwardedTo), [undefined, "+97145550123"]);
});
