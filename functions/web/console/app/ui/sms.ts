/** Parts of an SMS, by which it is billed, as `shared/domain/src/messages/sms.rs` counts them. */

/** The characters of GSM 03.38 that take one unit. All others of it take two. */
const BASIC = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ ÆæßÉ!\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const EXTENDED = "^{}\\[~]|€\f";

/** Units of a message that is sent whole, and of a part of a longer one. */
const GSM = [160, 153] as const;
const UTF_16 = [70, 67] as const;

/** What smart encoding replaces, with the replacement in front. It is that of the domain, which a test holds. */
export const REPLACED = `22 AB BB 2BA 2EE 201C 201D 201E 201F 275D 275E 301D 301E FF02
27 60 B4 2B9 2BB 2BC 2BD 2C8 2CA 2CB 313 314 2018 2019 201B 275B 275C FE10 FE11 FF07
2F F7 337 338 2044 2215 29F8 FF0F
31+2F+34 BC
31+2F+32 BD
33+2F+34 BE
5C 20E5 29F5 29F9 FE68 FF3C
5F 332 2017 FF3F
7C 20D2 20D3 2223 239C 239F 23B8 23B9 23D0 FF5C
2D 2010 2013 2014 2015 2022 2043 23BC 23BD FE63 FF0D
40 FE6B FF20
24 FE69 FF04
21 1C3 FE15 FE57 FF01
23 FE5F FF03
25 FE6A FF05
26 FE60 FF06
2C 326 201A 3001 FE50 FE51 FF0C FF64
28 2768 276A 27EE 2985 FE59 FF08
29 2769 276B 27EF 2986 FE5A FF09
2A 204E 2217 229B 2722 2723 2724 2725 2731 2732 2733 273A 273B 273C 273D 2743 2749 274A 274B 29C6 FE61 FF0A
2B 2D6 FE62 FF0B
2E 3002 FE52 FF0E FF61
30 FF10
31 FF11
32 FF12
33 FF13
34 FF14
35 FF15
36 FF16
37 FF17
38 FF18
39 FF19
3A 2D0 2F8 2982 A789 FE13 FF1A
3B 204F FE14 FE54 FF1B
3C 2039 FE64 FF1C
3D 347 A78A FE66 FF1D
3E 203A FE65 FF1E
3F FE16 FE56 FF1F
41 1D00 FF21
42 299 FF22
43 1D04 FF23
44 1D05 FF24
45 1D07 FF25
46 A730 FF26
47 262 FF27
48 29C FF28
49 26A FF29
4A 1D0A FF2A
4B 1D0B FF2B
4C 29F FF2C
4D 1D0D FF2D
4E 274 FF2E
4F 1D0F FF2F
50 1D18 FF30
51 FF31
52 280 FF32
53 A731 FF33
54 1D1B FF34
55 1D1C FF35
56 1D20 FF36
57 1D21 FF37
58 FF38
59 28F FF39
5A 1D22 FF3A
5E 2C6 302 1DCD FF3E
7B 2774 FE5B FF5B
7D 2775 FE5C FF5D
5B FF3B
5D FF3D
7E 2DC 2F7 303 330 334 223C FF5E
20+20 80 8D 90 9B 9F A0 2000 2002 2003 2004 2005 2006 2007 2008 2009 200A 202F 205F 3000
- 0 3 4 10 11 12 13 14 17 19 200B 200C 2060 FEFF
20+20+20+20+20+20+20 9
21+21 203C
20 2001 2028 2029
2E+2E+2E 2026
`;

const sign = (hex: string) => String.fromCodePoint(parseInt(hex, 16));
const replacements = new Map(REPLACED.trim().split("\n").flatMap((line) => {
  const [by = "", ...signs] = line.split(" ");
  const text = by === "-" ? "" : by.split("+").map(sign).join("");
  return signs.map((hex) => [sign(hex), text]);
}));

export function segments(text: string): number {
  const signs = [...Array.from(text, (one) => replacements.get(one) ?? one).join("")];
  if (signs.every((one) => BASIC.includes(one) || EXTENDED.includes(one))) return parts(signs.map((one) => (BASIC.includes(one) ? 1 : 2)), GSM);
  const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" }).segment(signs.join(""));
  return parts(Array.from(graphemes, ({ segment }) => segment.length), UTF_16);
}

/** What the header of the first part displaces goes to the second one, and so does the character that did not fit. */
function parts(lengths: number[], [whole, part]: readonly [number, number]): number {
  const kept: number[] = [];
  let [count, used, room]: [number, number, number] = [1, 0, whole];
  for (const length of lengths) {
    if (used + length > room) {
      count += 1;
      let displaced = 0;
      while (room === whole && used - displaced > part) displaced += kept.pop() ?? 0;
      [used, room] = [displaced, part];
    }
    if (room === whole) kept.push(length);
    used += length;
  }
  return count;
}
