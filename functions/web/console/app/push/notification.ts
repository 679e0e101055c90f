/** What a notification says, and which page it opens. Part of the service worker: it has its words itself, since it runs without a page. */
interface Sent {
  tenant_id: string;
  /** The customer's, or that of what needs attention. */
  name?: string | null;
  text?: string | null;
}
/** What the API pushes: `docs/live.md`. */
export type Pushed = Sent & (
  | { type: "message.received"; conversation_id: string }
  | { type: "note.mentioned"; contact_id: string; note_id: string }
  | { type: "call.missed"; call_id: string; conversation_id: string | null }
  | { type: "attention"; notice: string; subject_id: string | null }
);

export interface Shown {
  title: string;
  body: string;
  /** There is one notification with it. */
  tag: string;
  path: string;
}

export type Language = keyof typeof WORDS;

/** Those of notices are as on the page of notifications (`mail-…`). */
const WORDS = {
  en: {
    customer: "A customer", attention: "Something needs your attention",
    "message.received": "New message", "note.mentioned": "A note mentions you", "call.missed": "Called, and no message follows",
    connection_refused: "A provider refuses a connection", template_paused: "A template is paused or refused", automation_unmatched: "An automation no longer works",
    cap_nearly_reached: "A cap is nearly reached", campaign_paused: "A campaign paused itself", customers_wait: "Nobody has read a customer’s message for too long",
    webhook_failing: "A webhook endpoint fails", orders_late: "An order is late",
  },
  ar: {
    customer: "عميل", attention: "أمر يحتاج إلى انتباهك",
    "message.received": "رسالة جديدة", "note.mentioned": "ملاحظة تذكرك", "call.missed": "اتصل ولن تتبعه رسالة",
    connection_refused: "مزوّد يرفض أحد الاتصالات", template_paused: "قالب موقوف مؤقتًا أو مرفوض", automation_unmatched: "أتمتة لم تعد تعمل",
    cap_nearly_reached: "حدٌّ أوشك على بلوغه", campaign_paused: "حملة أوقفت نفسها مؤقتًا", customers_wait: "رسالة من عميل لم يقرأها أحد لفترة طويلة",
    webhook_failing: "نقطة Webhook لا تقبل الأحداث", orders_late: "طلب متأخر",
  },
} as const;

/** Pages on which somebody can attend to a matter. Campaigns have none: Home is opened. */
const PAGES: Record<string, (subject: string | null) => string> = {
  connection_refused: (subject) => `settings/connections/${subject ?? ""}`,
  template_paused: () => "settings/templates",
  automation_unmatched: (subject) => `automations/${subject ?? ""}`,
  cap_nearly_reached: () => "settings/caps",
  campaign_paused: (subject) => `campaigns/${subject ?? ""}`,
  customers_wait: () => "inbox?unread=true",
  webhook_failing: () => "settings/webhooks",
  orders_late: (subject) => `orders/${subject ?? ""}`,
};

export function shownOf(pushed: Pushed, language: Language): Shown {
  const words: Record<string, string> = WORDS[language];
  const say = (id: string) => words[id] ?? "";
  const named = { title: pushed.name ?? say("customer"), body: say(pushed.type) };
  const at = (page: string) => `/app/${pushed.tenant_id}/${page}`.replace(/\/$/, "");
  // Of a type that the API got since this worker was made. A push that shows nothing costs the site the browser's permission.
  const later = { title: say("attention"), body: pushed.name ?? "", tag: pushed.type, path: at("") };
  switch (pushed.type) {
    case "message.received":
      return { ...named, body: pushed.text ?? named.body, tag: pushed.conversation_id, path: at(`inbox/${pushed.conversation_id}`) };
    case "note.mentioned":
      return { ...named, body: named.body + (pushed.text ? `: ${pushed.text}` : ""), tag: pushed.note_id, path: at(`inbox?contact=${pushed.contact_id}`) };
    case "call.missed":
      return { ...named, tag: pushed.conversation_id ? `${pushed.conversation_id} call` : pushed.call_id, path: at(`calls/${pushed.call_id}`) };
    case "attention": {
      const { notice, subject_id, name } = pushed;
      return { title: say(notice) || say("attention"), body: name ?? "", tag: [notice, subject_id, name].join(" "), path: at(PAGES[notice]?.(subject_id) ?? "") };
    }
    default:
      return later;
  }
}
