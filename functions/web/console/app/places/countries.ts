/** Countries: their names, and the one of a time zone. */
import { find, named, type Named } from "./names.ts";

/** ISO 3166's codes, as the API takes them. */
export const COUNTRIES = `
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK
CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS
GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV
LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM
PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR
TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
`.trim().split(/\s+/);

/** Usual names beside those that browsers know. */
const ALSO: Record<string, string[]> = {
  AE: ["UAE", "U.A.E.", "Emirates", "Dubai", "Abu Dhabi", "Sharjah", "الامارات", "دبي"], BA: ["Bosnia"], CD: ["DRC"], CI: ["Ivory Coast"], CV: ["Cabo Verde"],
  CZ: ["Czech Republic"], GB: ["UK", "U.K.", "Great Britain", "Britain", "England", "Scotland", "Wales", "بريطانيا", "انجلترا"], KR: ["Korea"], MK: ["Macedonia"],
  MM: ["Burma"], NL: ["Holland", "The Netherlands", "هولندا"], SA: ["KSA", "Saudi", "السعودية"], SZ: ["Swaziland"], TL: ["East Timor"], TR: ["Turkey"],
  US: ["USA", "U.S.A.", "U.S.", "America", "United States of America", "أمريكا", "امريكا"], VA: ["Vatican"], VN: ["Viet Nam"],
};

/** Zones with a new name that browsers may list under the old one. */
const RENAMED: Record<string, string> = {
  "Asia/Kolkata": "Asia/Calcutta", "Asia/Ho_Chi_Minh": "Asia/Saigon", "Asia/Kathmandu": "Asia/Katmandu", "Asia/Yangon": "Asia/Rangoon", "Europe/Kyiv": "Europe/Kiev",
  "America/Nuuk": "America/Godthab", "America/Argentina/Buenos_Aires": "America/Buenos_Aires", "Atlantic/Faroe": "Atlantic/Faeroe", "Africa/Asmara": "Africa/Asmera",
};

/** Zones of the countries whose businesses are most, where the browser has none. */
const USUAL_ZONES: Record<string, string> = {
  "Asia/Dubai": "AE", "Asia/Riyadh": "SA", "Asia/Qatar": "QA", "Asia/Kuwait": "KW", "Asia/Bahrain": "BH", "Asia/Muscat": "OM", "Africa/Cairo": "EG",
};

const known = new Map<string, Named[]>();
const zones = new Map<string, string>();

/** The countries with their names in the reader's language and in those of the console. */
export function countries(locale: string): Named[] {
  const found = known.get(locale) ?? named(COUNTRIES, "region", [locale, "en", "ar"], ALSO);
  known.set(locale, found);
  return found;
}

export function countryOf(text: string, locale: string): string | undefined {
  return find(countries(locale), text)?.code;
}

/** The country of a time zone, if the browser tells. */
export function countryOfZone(zone: string): string | undefined {
  if (zones.size === 0) {
    for (const country of COUNTRIES) {
      const locale = new Intl.Locale("und", { region: country }) as Intl.Locale & { getTimeZones?: () => string[] | undefined; timeZones?: string[] };
      for (const name of locale.getTimeZones?.() ?? locale.timeZones ?? []) zones.set(name, zones.get(name) ?? country);
    }
  }
  return zones.get(zone) ?? zones.get(RENAMED[zone] ?? "") ?? USUAL_ZONES[zone];
}
