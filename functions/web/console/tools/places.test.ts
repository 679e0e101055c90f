/** Countries and languages by the names that people use, and the country of a time zone. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { COUNTRIES, countryOf, countryOfZone } from "../app/places/countries.ts";
import { languages, languagesOf } from "../app/places/languages.ts";

const NAMES: [string, string | undefined][] = [
  ["UAE", "AE"], ["u.a.e.", "AE"], ["Emirates", "AE"], ["the Emirates", "AE"], ["United Arab", "AE"], ["Dubai", "AE"], ["AE", "AE"], ["ae", "AE"], ["الإمارات", "AE"], ["الامارات", "AE"],
  ["\u200fالإمارات العربية المتحدة", "AE"], ["UK", "GB"], ["England", "GB"], ["بريطانيا", "GB"], ["USA", "US"], ["America", "US"], ["KSA", "SA"], ["السعودية", "SA"], ["Turkey", "TR"],
  ["turkiye", "TR"], ["Cote d'Ivoire", "CI"], ["Holland", "NL"], ["Guinea", "GN"], ["عُمان", "OM"], ["Oman", "OM"], ["مصر", "EG"], ["Ukraine", "UA"], ["UA", "UA"],
  // Several countries, and none.
  ["United", undefined], ["Congo", undefined], ["Atlantis", undefined], ["XX", undefined], ["", undefined], ["...", undefined],
];

const LANGUAGES: [string, string[] | null][] = [
  ["English, Arabic", ["en", "ar"]], ["العربية والإنجليزية", ["ar", "en"]], ["العربية، الإنجليزية", ["ar", "en"]], ["Hindi and Urdu", ["hi", "ur"]], ["en, ar", ["en", "ar"]], ["عربي", ["ar"]],
  ["Español", ["es"]], ["Tagalog", ["fil"]], ["Farsi / English", ["fa", "en"]], ["pt-BR", ["pt-BR"]], ["English, Klingon", null], ["", null],
];

test("countries_are_found_by_their_usual_names", () => {
  for (const locale of ["en", "ar"]) assert.deepEqual(NAMES.map(([text]) => [text, countryOf(text, locale)]), NAMES);
  const [regions = ""] = /(?<="enum": \[)\s*"AD",[^\]]*/.exec(readFileSync("../../../docs/openapi.json", "utf8")) ?? [];
  assert.deepEqual(regions.match(/[A-Z]{2}/g), COUNTRIES);
});

test("country_is_that_of_the_time_zone", () => {
  const zones = ["Asia/Dubai", "Asia/Riyadh", "Asia/Kolkata", "Asia/Calcutta", "Europe/London", "Europe/Kyiv", "Asia/Muscat", "Etc/UTC"];
  assert.deepEqual(zones.map(countryOfZone), ["AE", "SA", "IN", "IN", "GB", "UA", "OM", undefined]);
});

test("languages_are_found_by_their_names", () => {
  for (const locale of ["en", "ar"]) assert.deepEqual(LANGUAGES.map(([text]) => [text, languagesOf(text, languages(locale))]), LANGUAGES);
});
