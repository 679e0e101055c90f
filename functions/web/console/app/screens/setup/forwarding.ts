/** What is dialled on a line so that it forwards calls that nobody answers. */

export type Condition = "no_reply" | "unreachable" | "busy" | "no_reply_or_busy";
type Codes = Partial<Record<Condition, { begin: string; end: string }>>;

export interface Network {
  name: string;
  country: string;
  landline?: true;
  codes: Codes;
  /** A page of the network has the codes; a page of somebody else has them for it; none was found, and they are those of the standard. */
  sure: "published" | "reported" | "standard";
  source: string;
  /** How numbers are dialled. Otherwise with a plus, which all mobiles take. */
  dialled?: { own: string; trunk: string; abroad: string };
}

/** Mobile networks: 3GPP TS 22.030, annex B, and 22.082. `N` stands for the number. */
const MOBILE: Codes = {
  no_reply: { begin: "**61*N#", end: "##61#" }, unreachable: { begin: "**62*N#", end: "##62#" }, busy: { begin: "**67*N#", end: "##67#" },
};
/** Landlines of Europe. */
const LANDLINE: Codes = { no_reply: { begin: "*61*N#", end: "#61#" }, busy: { begin: "*67*N#", end: "#67#" } };

const STANDARD = { codes: MOBILE, sure: "standard", source: "https://www.3gpp.org/dynareport/22030.htm" } as const;

/** Looked up in November 2026. What is not found here has the codes of the standard. */
const NETWORKS: Network[] = [
  { name: "e& (Etisalat)", country: "AE", ...STANDARD },
  { name: "du", country: "AE", ...STANDARD },
  // The announcement has those for unreachable and busy.
  { name: "stc", country: "SA", codes: MOBILE, sure: "reported", source: "https://omferas.com/vb/showthread.php?t=2724" },
  { name: "Mobily", country: "SA", ...STANDARD },
  { name: "Zain", country: "SA", ...STANDARD },
  { name: "Vodafone", country: "GB", codes: MOBILE, sure: "reported", source: "http://labby.co.uk/2011/03/setting-up-call-diversion-on-vodafone-uk/" },
  { name: "O2", country: "GB", ...STANDARD },
  { name: "EE", country: "GB", ...STANDARD },
  {
    name: "BT", country: "GB", landline: true, codes: LANDLINE, sure: "published", source: "http://btbusiness.custhelp.com/app/answers/detail/a_id/7699",
    dialled: { own: "+44", trunk: "0", abroad: "00" },
  },
  { name: "AT&T", country: "US", ...STANDARD },
  { name: "T-Mobile", country: "US", codes: MOBILE, sure: "reported", source: "http://wiki.howardforums.com/index.php/T-Mobile_Conditional_Call_Forwarding" },
  {
    name: "Verizon", country: "US", codes: { no_reply_or_busy: { begin: "*71N", end: "*73" } }, sure: "reported",
    source: "https://rabroad.com/threads/help-with-voicemail-please.960902/post-1798234", dialled: { own: "+1", trunk: "", abroad: "011" },
  },
  { name: "Telekom", country: "DE", ...STANDARD },
  { name: "Vodafone", country: "DE", ...STANDARD },
  { name: "O2", country: "DE", ...STANDARD },
  {
    name: "Telekom", country: "DE", landline: true, codes: LANDLINE, sure: "reported",
    source: "https://verivox.de/internet/ratgeber/rufumleitung-fuers-festnetz-einrichten-so-geht-es-1119118", dialled: { own: "+49", trunk: "0", abroad: "00" },
  },
];

/** The networks of a country that are known by name. */
export function networksOf(country: string | null | undefined): Network[] {
  return NETWORKS.filter((network) => network.country === country);
}

/** What is dialled to forward to this number, and to end it. A network that is not known has the codes of the standard. */
export function codesOf(network: Network | undefined, number: string): Pick<Network, "sure" | "source"> & { codes: { condition: Condition; begin: string; end: string }[] } {
  const { codes, sure, source, dialled }: Omit<Network, "name" | "country"> = network ?? STANDARD;
  const plain = number.replace(/[^+\d]/g, "");
  const here = dialled && plain.startsWith(dialled.own) ? dialled.trunk + plain.slice(dialled.own.length) : plain.replace("+", dialled?.abroad ?? "+");
  const filled = Object.entries(codes).map(([condition, { begin, end }]) => ({ condition: condition as Condition, begin: begin.replace("N", here), end }));
  return { sure, source, codes: filled };
}
