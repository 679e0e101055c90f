/** Hours of a day as people write them, in either language: `9-18`, `9am to 1pm & 4-9pm`. What can mean two things is refused, with both. */
import type { components } from "../../api/contract.d.ts";
import type { Fault } from "../../api/problem.ts";
import { latinDigits, withoutMarks } from "../../ui/digits.ts";

export type Span = components["schemas"]["Span"];

/** Hours, none of which is closed; or what is wrong with the text, which lacks only the name of the field. */
export type Reading = { spans: Span[] } | { fault: Omit<Fault, "field"> };

type Half = "am" | "pm";
interface Time {
  hour: number;
  minute: number;
  half: Half | undefined;
  /** It has a zero before it, as hours of 24 have. */
  padded: boolean;
}

/** The fault of what cannot be read. */
export const NO_HOURS = { code: "hours", detail: "", facts: { example: "09:00-18:00" } };

const MAX_LENGTH = 200;
const NOON = 12 * 60;
const MIDNIGHT = 24 * 60;
/** No business opens earlier, if it does not say so. */
const EARLIEST = 6;
/** No business is open for longer, in minutes, and then closed: 9-6 does not end in the morning. */
const LONGEST = 18 * 60;

/** Words, as `plain` leaves them, and the signs that they stand for. */
const WORDS: [RegExp, string][] = [
  [/\b([ap])\.? ?m\b\.?/g, "$1m"], [/(?<=\d) ?([ap])\b/g, "$1m"],
  // Evening at 12 is midnight where hours end with it, night in any case. The night has hours of both halves.
  [/(?<![\d:.])(12(?:[:.]?\d\d)?) ?مساءا?(?!\p{L}| ?(?:-|الي|حتي|لغايه))/gu, "$1am"],
  [/(?<![\d:.])((?:12|0?[1-5])(?:[:.]?\d\d)?) ?ليلا?(?!\p{L})/gu, "$1am"], [/(?<=\d) ?ليلا?(?!\p{L})/gu, "pm"],
  [/(?<=\d) ?(?:صباحا?|فجرا|ص)(?!\p{L})/gu, "am"], [/(?<=\d) ?(?:مساءا?|ظهرا|عصرا|م)(?!\p{L})/gu, "pm"],
  [/\b(?:12 ?)?(?:noon|midday)\b/g, "12pm"], [/\b(?:12 ?)?midnight\b|(?:12 ?)?منتصف الليل/g, "12am"],
  [/\b(?:from|daily|open)\b:?|(?<!\p{L})من(?!\p{L})/gu, " "],
  [/\b(?:to|till?|until|through)\b|(?<!\p{L})(?:الي|حتي|لغايه)(?!\p{L})|[~→]|\.\.+/gu, "-"],
  [/\b(?:and|then)\b|(?<!\p{L})(?:ثم|و)(?!\p{L})|[&+;،\n]/gu, ","],
  [/(?<=\d) ?(?:hrs?|uhr)\b/g, ""], [/(?<=\d)h(?=\d\d)/g, ":"], [/(?<=\d)h\b/g, ""],
];

const CLOSED = /^(?:closed|shut|off|none|no|-|مغلق|مقفل|عطله|اجازه|لا)$/;
const ALL_DAY = /^(?:open )?(?:24 ?(?:h|hrs|hours)|24\/7|24-7|always|always open|all day|0?0:?00 ?- ?24:?00)$|^(?:مفتوح )?(?:24 ساعه|طوال اليوم|علي مدار الساعه|دائما)$/;

export function readSpans(text: string): Reading {
  const plain = plainOf(text);
  if (plain === "" || CLOSED.test(plain)) return { spans: [] };
  if (ALL_DAY.test(plain)) return { spans: [{ from: "00:00", to: "00:00" }] };
  if (text.length > MAX_LENGTH) return unread();
  const signs = WORDS.reduce((signs, [word, sign]) => signs.replace(word, sign), plain).replace(/\s*-\s*/g, "-");
  const spans: Span[] = [];
  for (const part of signs.split(/[,/]|\s+(?=\d)/).map((part) => part.trim()).filter(Boolean)) {
    const times = part.split("-").map(timeOf);
    const [from, to] = times;
    if (times.length !== 2 || !from || !to) return unread();
    const [one, other] = meanings(from, to).map(([from, to]) => ({ from: clock(from), to: clock(to) }));
    if (other && one) return { fault: { code: "two_meanings", detail: "", facts: { one: written([one]), other: written([other]) } } };
    if (one) spans.push(one);
  }
  return spans.length > 0 ? { spans } : unread();
}

/** Hours as the API has them, in one line. */
export function written(spans: Span[]): string {
  return spans.map(({ from, to }) => `${from}-${to}`).join(", ");
}

/** The text with one form of each digit, space, dash and Arabic letter. */
function plainOf(text: string): string {
  const letters = withoutMarks(latinDigits(text)).toLowerCase().replace(/\p{M}/gu, "").replace(/[أإآ]/g, "ا").replace(/ى/g, "ي").replace(/ة/g, "ه");
  return letters.replace(/[\u2010-\u2015−]/g, "-").replace(/٫/g, ":").replace(/[^\S\n]+/g, " ").trim();
}

function timeOf(text: string): Time | null {
  const found = /^(\d{1,2})(?: ?[:.] ?(\d{2}))? ?(am|pm)?$/.exec(text) ?? /^(\d{1,2})(\d{2}) ?(am|pm)?$/.exec(text);
  if (!found) return null;
  const [, hours = "", minutes = "0", half] = found;
  const [hour, minute] = [Number(hours), Number(minutes)];
  // Of 18:30 pm the hour says as much, and there is no 0 pm.
  if (hour * 60 + minute > MIDNIGHT || minute > 59 || (half === "pm" && hour === 0) || (half === "am" && hour > 12)) return null;
  return { hour, minute, half: hour > 12 || hour === 0 ? undefined : (half as Half | undefined), padded: /^0\d/.test(hours) };
}

/** What the times of a span may be, in minutes of the day: the likelier meaning first, and both only where a person has to say which. */
function meanings(from: Time, to: Time): [number, number][] {
  const in24 = (time: Time) => time.hour * 60 + time.minute;
  const at = (time: Time, half: Half) => (time.hour % 12) * 60 + time.minute + (half === "pm" ? NOON : 0);
  const is24 = ({ hour }: Time) => hour > 12 || hour === 0;
  const early = from.hour < EARLIEST || from.hour === 12;
  /** The first time of the clock's twelve hours after the beginning. */
  const next = (begin: number) => (at(to, "am") > begin ? at(to, "am") : at(to, "pm") > begin ? at(to, "pm") : at(to, "am"));

  if (from.half && to.half) return [[at(from, from.half), at(to, to.half)]];
  if (from.half) {
    const begin = at(from, from.half);
    if (is24(to)) return [[begin, in24(to)]];
    return from.half === "am" && at(to, "am") > begin ? [[begin, at(to, "am")], [begin, at(to, "pm")]] : [[begin, next(begin)]];
  }
  if (to.half) {
    const end = at(to, to.half);
    if (is24(from) || from.padded) return [[in24(from), end]];
    const [morning, evening] = [at(from, "am"), at(from, "pm")];
    if (to.half === "am") return morning < end ? [[morning, end]] : [[evening, end], [morning, end]];
    if (evening >= end) return [[morning, end]];
    return early ? [[evening, end]] : [[morning, end], [evening, end]];
  }
  const asWritten: [number, number] = [in24(from), in24(to)];
  if (is24(from) || is24(to) || to.padded || (from.padded && in24(to) > in24(from))) return [asWritten];
  if (in24(from) < in24(to) && !early) return [asWritten];
  const begin = at(from, early ? "pm" : "am");
  const end = next(begin);
  const length = (in24(to) - in24(from) + MIDNIGHT) % MIDNIGHT || MIDNIGHT;
  const isOfDay = length > LONGEST && (end > begin || end === 0);
  return isOfDay ? [[begin, end]] : [[begin, end], asWritten];
}

function clock(minutes: number): string {
  const of = (number: number) => String(number).padStart(2, "0");
  return `${of(Math.floor(minutes / 60) % 24)}:${of(minutes % 60)}`;
}

function unread(): Reading {
  return { fault: NO_HOURS };
}
