/** Arabic and Persian digits as those that numbers, codes and hours are sent with. */
export function latinDigits(text: string): string {
  return text.replace(/[\u0660-\u0669\u06f0-\u06f9]/g, (digit) => String(digit.charCodeAt(0) & 0xf));
}

/** The text without marks that nobody sees, such as those of direction, which come along with what is pasted. */
export function withoutMarks(text: string): string {
  return text.replace(/[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g, "");
}

/** Currencies whose smallest unit is none or a thousandth, by ISO 4217 as the API counts them. `Intl` has other digits for some: with ICU 78, none for
 *  IQD, LBP, PKR and HUF. */
const UNITS: [number, string][] = [
  [0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"],
  [3, "BHD IQD JOD KWD LYD OMR TND"],
];

/** Digits of a currency's smallest unit: 2 of dollars, 3 of dinars. */
export function unitDigits(currency: string): number {
  return UNITS.find(([, currencies]) => currencies.split(" ").includes(currency))?.[0] ?? 2;
}
