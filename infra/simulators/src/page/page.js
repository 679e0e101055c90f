"use strict";
// Everything a person or a customer typed reaches the page through textContent only.

const $ = (id) => document.getElementById(id);
const state = { tenants: [], tenant: null, number: null, phones: [], faults: [], mails: [], mail: null };

const OUTCOMES = {
  missed: "Called, nobody answered", busy: "Called, line busy", answered: "Called, was answered",
  voicemail: "Called, left a voicemail", abandoned: "Called, gave up", after_hours: "Called after hours",
  failed: "Call failed",
};
const API_FAULTS = {
  server_error: "Answer with 5xx", timeout_before: "No answer", timeout_after: "Accepted, no answer",
  throttled: "Too many requests", bad_credentials: "Credentials refused", duplicate_webhooks: "Webhooks delivered three times",
  reordered_webhooks: "Webhooks out of order", media_unavailable: "Media unavailable",
};
const SES_FAULTS = new Set(["server_error", "timeout_before", "timeout_after", "throttled", "bad_credentials"]);
const TICKS = { accepted: "🕓", sent: "✓", delivered: "✓✓", read: "✓✓" };

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name in element) element[name] = value; else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

async function ask(path, method = "GET", body) {
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers: body === undefined ? {} : { "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Error("The simulators do not answer.");
  }
  const text = await answer.text();
  let data = null;
  try { data = text ? JSON.parse(text) : null; } catch { /* not JSON: the text says what is wrong */ }
  if (!answer.ok) throw Object.assign(new Error(data?.error ?? data?.detail ?? (text || `Status ${answer.status}.`)), { data });
  return data;
}

/** Runs something a person asked for; what goes wrong is said, not swallowed. */
async function attempt(work, button) {
  if (button) button.disabled = true;
  try {
    await work();
    $("alert").hidden = true;
  } catch (error) {
    $("alert").textContent = error.message;
    $("alert").hidden = false;
  } finally {
    if (button) button.disabled = false;
  }
}

const clock = (at) => new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

// What is shown

function showTenants() {
  const chosen = $("call").elements.tenant.value;
  $("call").elements.tenant.replaceChildren(
    ...state.tenants.map((tenant) => make("option", { value: tenant.id, textContent: tenant.name })));
  if (state.tenants.some((tenant) => tenant.id === chosen)) $("call").elements.tenant.value = chosen;
  $("call").querySelector("button").disabled = state.tenants.length === 0;
  if (state.tenants.length === 0) $("call-result").textContent = "No business is configured yet.";
  else if (!$("call-result").dataset.call) $("call-result").textContent = "";
  if (!state.tenants.some((tenant) => tenant.id === state.tenant)) state.tenant = state.tenants[0]?.id ?? null;
  showVia();
  follow();
  $("businesses").replaceChildren(...(state.tenants.length < 2 ? [] : state.tenants.map((tenant) => make("button", {
    type: "button", textContent: tenant.name, ariaPressed: String(tenant.id === state.tenant),
    onclick: () => { state.tenant = tenant.id; showConversations([]); showTenants(); attempt(refreshPhone); },
  }))));
}

function showVia() {
  const { tenant, via } = $("call").elements;
  const chosen = via.value;
  const business = state.tenants.find((each) => each.id === tenant.value);
  const ways = [["twilio", "Twilio", business?.twilio], ["telephony", "Own telephone system", business?.telephony],
    ["aircall", "Aircall", business?.aircall], ["vonage", "Vonage", business?.vonage],
    ["exotel", "Exotel", business?.exotel], ["plivo", "Plivo", business?.plivo]];
  via.replaceChildren(...ways.filter(([, , has]) => has).map(([value, textContent]) => make("option", { value, textContent })));
  if ([...via.options].some((option) => option.value === chosen)) via.value = chosen;
}

function showCustomers() {
  const phones = [...state.phones].sort((a, b) => (b.last_at ?? "").localeCompare(a.last_at ?? ""));
  $("no-customers").hidden = phones.length > 0;
  $("customers").replaceChildren(...phones.slice(0, 200).map((phone) => make("li", {}, make("button", {
    type: "button", ariaCurrent: String(phone.number === state.number), onclick: () => choose(phone.number),
  },
  make("span", { textContent: phone.name, dir: "auto" }),
  make("small", { textContent: phone.last_at ? clock(phone.last_at) : "" }),
  make("small", { textContent: phone.number, dir: "ltr" })))));
  $("numbers").replaceChildren(...phones.slice(0, 50).map((phone) => make("option", { value: phone.number })));
}

function tick(item) {
  if (item.kind !== "out") return null;
  if (item.status === "failed" || item.status === "undelivered") {
    return make("span", { className: "tick failed", textContent: `Not delivered${item.code ? ` · ${item.code}` : ""}` });
  }
  return make("span", {
    className: `tick ${item.status}`, role: "img", ariaLabel: item.status, title: item.status,
    textContent: TICKS[item.status] ?? "",
  });
}

/** What a person sends as a place, since a test has no position. */
const PLACE = { latitude: 25.2048, longitude: 55.2708, name: "Downtown", address: "Sheikh Mohammed bin Rashid Boulevard" };
const ICONS = { image: "📷", video: "🎞", audio: "🎧", document: "📄", sticker: "🏷" };
const EMOJI = ["👍", "❤️", "😂"];

const size = (bytes) => (bytes < 1024 ? `${bytes} B` : bytes < 1048576 ? `${Math.round(bytes / 1024)} KB`
  : `${(bytes / 1048576).toFixed(1)} MB`);

/** A link that a business sent: only to the web, and never with a way back. */
function link(href, textContent) {
  if (!/^https?:\/\//.test(href)) return make("span", { textContent });
  return make("a", { href, target: "_blank", rel: "noopener noreferrer", dir: "auto", textContent });
}

function file(media) {
  const words = [ICONS[media.kind], media.file_name ?? media.mime ?? media.kind, media.bytes === undefined ? null : size(media.bytes)];
  const label = words.filter(Boolean).join(" ");
  // A link of the business leads elsewhere; this page loads nothing from there.
  if (!media.url.startsWith("shown-media/")) return link(media.url, label);
  if (media.kind === "image" || media.kind === "sticker") {
    return make("img", { className: media.kind, src: media.url, alt: label, loading: "lazy" });
  }
  if (media.kind === "video") return make("video", { src: media.url, controls: true, preload: "none", ariaLabel: label });
  if (media.kind === "audio") {
    return make("div", {}, make("span", { textContent: media.voice ? "🎤 " : "🎧 " }),
      make("audio", { src: media.url, controls: true, preload: "none", ariaLabel: label }));
  }
  return make("a", { className: "file", href: media.url, download: media.file_name ?? "", dir: "auto", textContent: label });
}

function place(location) {
  const words = [location.name, location.address].filter(Boolean).join(", ");
  const at = `${location.latitude}, ${location.longitude}`;
  const map = `https://www.openstreetmap.org/?mlat=${encodeURIComponent(location.latitude)}&mlon=${encodeURIComponent(location.longitude)}`;
  return make("p", { className: "place", dir: "auto" }, "📍 ", link(map, words || at));
}

function card(contact) {
  const parts = (name, value) => (contact[name] ?? []).map((each) => each[value]).filter(Boolean);
  const numbers = parts("phones", "phone");
  const lines = [...numbers, ...parts("emails", "email"), ...parts("urls", "url")];
  const business = contact.org?.company;
  return make("div", { className: "contact" },
    make("p", { dir: "auto", textContent: `👤 ${contact.name?.formatted_name ?? numbers[0] ?? "Contact"}` }),
    business ? make("p", { className: "quiet", dir: "auto", textContent: business }) : null,
    ...lines.map((line) => make("p", { className: "quiet", dir: "ltr", textContent: line })));
}

function tap(button, channel) {
  if (button.link) return link(button.link, `↗ ${button.text}`);
  return make("button", {
    type: "button", dir: "auto", disabled: !button.payload, title: button.payload ? "Tap" : "Does nothing here",
    onclick: (event) => attempt(() => reply(channel, { button: button.payload ?? button.text }), event.currentTarget),
  }, button.text, button.description ? make("small", { dir: "auto", textContent: button.description }) : null);
}

/** Buttons below the message; the rows of a list open below its label. */
function taps(item, channel) {
  if (!item.buttons?.length) return null;
  const rows = [];
  let section = null;
  for (const button of item.buttons) {
    if (button.section && button.section !== section) {
      section = button.section;
      rows.push(make("p", { className: "quiet", dir: "auto", textContent: section }));
    }
    rows.push(tap(button, channel));
  }
  const list = make("div", { className: "taps" }, ...rows);
  return item.menu ? make("details", {}, make("summary", { dir: "auto", textContent: `☰ ${item.menu}` }), list) : list;
}

const brief = (item) => item.text || item.header || (item.media ? `${ICONS[item.media.kind]} ${item.media.kind}` : item.location ? "📍" : "👤");

function reactions(item, channel) {
  if (channel !== "whatsapp" || !["in", "out"].includes(item.kind)) return null;
  const shown = (item.reactions ?? []).map((emoji) => make("span", { textContent: emoji }));
  const mine = item.kind !== "out" ? [] : EMOJI.map((emoji) => make("button", {
    type: "button", textContent: emoji, ariaLabel: `React with ${emoji}`,
    onclick: (event) => attempt(() => reply(channel, { reaction: { to: item.id, emoji } }), event.currentTarget),
  }));
  const answer = item.kind !== "out" ? null : make("button", {
    type: "button", textContent: "↩", ariaLabel: "Answer this message", onclick: () => answerTo(item),
  });
  return make("p", { className: "reactions" }, ...shown, ...mine, answer);
}

function message(item, channel) {
  const text = item.kind === "call" ? `📞 ${OUTCOMES[item.text] ?? item.text}` : item.text;
  return make("li", { className: `message ${item.kind}` },
    item.quoted ? make("p", { className: "quoted", dir: "auto", textContent: item.quoted }) : null,
    item.header ? make("p", { className: "head", dir: "auto", textContent: item.header }) : null,
    item.media ? file(item.media) : null,
    item.location ? place(item.location) : null,
    ...(item.contacts ?? []).map(card),
    text ? make("p", { className: "text", dir: "auto", textContent: text }) : null,
    item.footer ? make("p", { className: "foot quiet", dir: "auto", textContent: item.footer }) : null,
    taps(item, channel),
    item.asks_location ? make("div", { className: "taps" }, make("button", {
      type: "button", textContent: "📍 Send location",
      onclick: (event) => attempt(() => reply(channel, { location: PLACE, reply_to: item.id }), event.currentTarget),
    })) : null,
    make("p", { className: "meta" },
      make("time", { dateTime: item.at, textContent: clock(item.at) }), tick(item)),
    reactions(item, channel));
}

/** Reactions stand on their messages, and answers show what they answer. */
function arranged(items) {
  const known = new Map(items.map((item) => [item.id, item]));
  const latest = new Map();
  for (const item of items) {
    if (item.reaction) latest.set(`${item.kind} ${item.reaction.to}`, item.reaction);
  }
  return items.filter((item) => !item.reaction).map((item) => {
    const emoji = ["in", "out"].map((kind) => latest.get(`${kind} ${item.id}`)?.emoji).filter(Boolean);
    const quoted = item.quotes ? known.get(item.quotes) : null;
    return { ...item, reactions: emoji, quoted: quoted ? brief(quoted) : null };
  });
}

let answered = null;

function answerTo(item) {
  answered = item;
  $("answering").hidden = !item;
  $("answering").querySelector("span").textContent = item ? `↩ ${brief(item)}` : "";
}

/** Changes only what differs, so that a screen reader hears what is new and nobody's scroll position jumps. */
function showThread(list, items, channel) {
  const wasAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  const known = new Map([...list.children].map((element) => [element.dataset.key, element]));
  const wanted = items.map((item) => {
    const content = JSON.stringify(item);
    const old = known.get(item.id);
    if (old?.dataset.content === content) return old;
    const fresh = message(item, channel);
    fresh.dataset.key = item.id;
    fresh.dataset.content = content;
    return fresh;
  });
  const same = wanted.length === list.children.length && wanted.every((element, at) => element === list.children[at]);
  if (!same) list.replaceChildren(...wanted);
  if (wasAtEnd) list.scrollTop = list.scrollHeight;
}

function showPhone(phone) {
  $("phone-name").textContent = phone ? phone.name : "No phone selected";
  $("phone-name").dir = "auto";
  $("phone-number").textContent = phone?.number ?? "";
  $("phone-number").dir = "ltr";
  $("no-phone").hidden = Boolean(phone);
  $("threads").hidden = !phone;
  $("read").hidden = !phone;
  $("businesses").hidden = !phone;
  $("number-faults").disabled = !phone;
  if (!phone) return;
  const business = state.tenants.find((each) => each.id === state.tenant);
  const reachable = { whatsapp: business?.whatsapp || business?.twilio?.whatsapp_sender, sms: business?.twilio };
  for (const form of document.querySelectorAll("form.reply")) {
    const { text } = form.elements;
    text.disabled = !reachable[form.dataset.channel];
    for (const button of form.querySelectorAll("button")) button.disabled = text.disabled;
    text.placeholder = text.disabled ? "This business does not use this channel" : "Message";
  }
  const chat = phone.chats.find((each) => each.tenant === state.tenant);
  for (const channel of ["whatsapp", "sms"]) showThread($(channel), arranged(chat?.[channel] ?? []), channel);
}

const isPlain = (rule) => !rule.tenant && rule.times === undefined && rule.probability === undefined;

function ruleOf(box) {
  const { kind, api } = box.dataset;
  return state.faults.find((rule) => rule.kind === kind && isPlain(rule) && (api
    ? rule.api === api && !rule.number
    : rule.number === state.number && !rule.api));
}

function showFaults() {
  const shown = new Set();
  for (const box of document.querySelectorAll("input[data-kind]")) {
    const rule = ruleOf(box);
    box.checked = Boolean(rule);
    if (rule) shown.add(rule.id);
  }
  const others = state.faults.filter((rule) => !shown.has(rule.id));
  $("other-faults").hidden = others.length === 0;
  $("other-faults").querySelector("ul").replaceChildren(...others.map((rule) => {
    const words = [
      rule.kind.replaceAll("_", " "), rule.api, rule.tenant, rule.number,
      rule.probability === undefined ? null : `${Math.round(rule.probability * 100)} %`,
      rule.times === undefined ? null : `${rule.times} left`,
    ].filter(Boolean).join(" · ");
    return make("li", {}, make("span", { textContent: words }), make("button", {
      type: "button", textContent: "Remove", ariaLabel: `Remove ${words}`,
      onclick: (event) => attempt(() => ask(`faults/${rule.id}`, "DELETE"), event.target),
    }));
  }));
}

/** The newest first; one that a person chose stays open when another comes. */
function showMails() {
  const mails = [...state.mails].reverse();
  const chosen = mails.find((mail) => mail.id === state.mail) ?? mails[0];
  $("no-mail").hidden = mails.length > 0;
  $("mailbox").hidden = mails.length === 0;
  $("mails").replaceChildren(...mails.slice(0, 200).map((mail) => make("li", {}, make("button", {
    type: "button", ariaCurrent: String(mail.id === chosen.id), onclick: () => { state.mail = mail.id; showMails(); },
  },
  make("span", { textContent: mail.subject, dir: "auto" }),
  make("small", { textContent: clock(mail.at) }),
  make("small", { textContent: mail.to, dir: "ltr" })))));
  if (!chosen || $("letter").dataset.mail === chosen.id) return;
  $("letter").dataset.mail = chosen.id;
  $("letter-subject").textContent = chosen.subject;
  $("letter-to").textContent = `${chosen.from} → ${chosen.to}`;
  // Its page is framed without any right, and says so itself; its links are opened from here.
  $("letter").src = `mails/${encodeURIComponent(chosen.id)}/html`;
  const links = chosen.links.filter((link) => /^https?:\/\//.test(link));
  $("letter-links").hidden = links.length === 0;
  $("letter-links").querySelector("ul").replaceChildren(...links.map((link) => make("li", {}, make("a", {
    href: link, target: "_blank", rel: "noopener noreferrer", dir: "ltr", textContent: link,
  }))));
}

/** What the team sees of a conversation, in one line. */
function facts(conversation) {
  const { line, state: is, unread, waiting_since: since, window_closes_at: until, assignee_id: person } = conversation;
  const isOpen = until && new Date(until) > new Date();
  return [
    line?.name ?? "No line", is, unread ? `${unread} unread` : "read", since ? `waits since ${clock(since)}` : "nobody waits",
    isOpen ? `free text until ${clock(until)}` : "only templates", person ? `with ${person}` : "with nobody yet",
  ].join(" · ");
}

/** A form by which the team replies. What is refused is said, with the templates that can be sent instead. Its parts stay the same while the
 * conversation changes, so that nothing that is written or said is lost. */
function teamReply(parts, tenant, conversation) {
  const { said, result, offers } = parts;
  const send = async (content) => {
    const path = `tenants/${encodeURIComponent(tenant)}/conversations/${conversation.id}/messages`;
    offers.replaceChildren();
    result.textContent = "";
    // The same text again is the same request.
    const asked = JSON.stringify({ seen: conversation.seq, ...content });
    if (parts.asked !== asked) Object.assign(parts, { asked, key: crypto.randomUUID?.() ?? String(Math.random()) });
    try {
      await ask(`${path}?key=${parts.key}`, "POST", JSON.parse(asked));
      said.value = "";
      parts.asked = null;
    } catch (error) {
      result.textContent = error.message;
      offers.replaceChildren(...(error.data?.templates ?? []).filter((offer) => offer.missing.length === 0).map((offer) => make("button", {
        type: "button", dir: "auto", textContent: offer.text,
        onclick: (event) => attempt(() => send({ template: offer.template }), event.currentTarget),
      })));
    }
  };
  return make("form", { onsubmit: (event) => {
    event.preventDefault();
    attempt(() => send({ text: said.value }), event.submitter);
  } }, make("div", { className: "reply" }, said, make("button", { className: "primary", textContent: "Reply" })), result, offers);
}

/** The parts of the forms, by conversation. */
const replying = new Map();

function partsOf(id) {
  if (!replying.has(id)) {
    replying.set(id, {
      said: make("input", { name: "text", ariaLabel: "Reply of the team", placeholder: "Reply", dir: "auto", autocomplete: "off", required: true }),
      result: make("p", { className: "result", role: "status" }),
      offers: make("div", { className: "offers" }),
    });
  }
  return replying.get(id);
}

function showConversations(conversations) {
  const writing = document.activeElement;
  const { tenant } = state;
  const { console } = state.tenants.find((each) => each.id === tenant) ?? {};
  const linkTo = ({ id }) => make("a", { href: `${console}/inbox/${id}`, target: "_blank", rel: "noopener noreferrer", textContent: "Open in the console" });
  $("conversations").replaceChildren(...conversations.map((conversation) => make("li", {},
    make("p", { className: "quiet", textContent: facts(conversation) }), make("p", {}, linkTo(conversation)), teamReply(partsOf(conversation.id), tenant, conversation))));
  $("no-conversation").hidden = conversations.length > 0;
  if ([...replying.values()].some(({ said }) => said === writing && said.isConnected)) writing.focus();
}

// What is asked

/** Not more often than it can be read: each is two requests to Ringback. */
let lookingAgain = null;
function lookAtInbox() {
  lookingAgain ??= setTimeout(async () => {
    lookingAgain = null;
    const { tenant, number } = state;
    const business = state.tenants.find((each) => each.id === tenant);
    let items = [];
    if (business?.live && /^\+\d+$/.test(number ?? "")) {
      try {
        ({ items } = await ask(`tenants/${encodeURIComponent(tenant)}/conversations?number=${encodeURIComponent(number)}`));
      } catch { /* The next change looks again. */ return; }
    }
    if (tenant === state.tenant && number === state.number) showConversations(items);
  }, 400);
}

async function refreshMails() {
  state.mails = await ask("mails");
  showMails();
}

async function refreshPhone() {
  const number = state.number;
  if (!number) { showPhone(null); return; }
  const phone = await ask(`phones/${encodeURIComponent(number)}`);
  if (number === state.number) showPhone(phone);
  lookAtInbox();
}

async function refreshAll() {
  [state.tenants, state.phones, state.faults] = await Promise.all([ask("tenants"), ask("phones"), ask("faults")]);
  if (!state.number && state.phones.length > 0) {
    state.number = [...state.phones].sort((a, b) => (b.last_at ?? "").localeCompare(a.last_at ?? ""))[0].number;
  }
  showTenants();
  showCustomers();
  showFaults();
  await Promise.all([refreshPhone(), refreshMails()]);
}

function choose(number) {
  state.number = number;
  history.replaceState(null, "", `#${number}`);
  if (/^\+\d+$/.test(number)) $("call").elements.from.value = number;
  for (const list of [$("whatsapp"), $("sms")]) list.replaceChildren();
  answerTo(null);
  showConversations([]);
  showCustomers();
  showFaults();
  // On a small screen the phone is below what was pressed.
  if (matchMedia("(max-width: 640px)").matches) $("phone").scrollIntoView();
  attempt(refreshPhone);
}

async function reply(channel, content) {
  const about = channel === "whatsapp" && answered && !content.reaction ? { reply_to: answered.id } : {};
  await ask("replies", "POST", { tenant: state.tenant, from: state.number, channel, ...about, ...content });
  if (about.reply_to) answerTo(null);
}

/** The file's bytes in base64. */
function read(chosen) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(new Error("The file cannot be read."));
    reader.readAsDataURL(chosen);
  });
}

$("attach").addEventListener("click", () => $("file").click());
$("file").addEventListener("change", (event) => {
  const [chosen] = event.target.files;
  event.target.value = "";
  if (!chosen) return;
  attempt(async () => {
    const media = { mime: chosen.type || "application/octet-stream", bytes: await read(chosen) };
    if (!/^(image|audio|video)\//.test(media.mime)) media.file_name = chosen.name;
    await reply("whatsapp", { media });
  }, $("attach"));
});
$("place").addEventListener("click", (event) => attempt(() => reply("whatsapp", { location: PLACE }), event.currentTarget));
$("answering").querySelector("button").addEventListener("click", () => answerTo(null));

$("call").elements.tenant.addEventListener("change", showVia);

$("call").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target.elements;
  const result = $("call-result");
  result.className = "result";
  result.dataset.call = "yes";
  result.textContent = "Calling…";
  const from = form.from.value.replaceAll(" ", "");
  attempt(async () => {
    if (from !== "anonymous") { state.tenant = form.tenant.value; choose(from); showTenants(); }
    try {
      const { events } = await ask("calls", "POST",
        { tenant: form.tenant.value, from, outcome: form.outcome.value, via: form.via.value });
      const refused = events.filter((each) => each.status < 200 || each.status > 299);
      result.classList.toggle("bad", refused.length > 0);
      result.textContent = events.map((each) => `${each.what} ${each.status || "no answer"}`).join(" · ");
    } catch (error) {
      result.textContent = "";
      throw error;
    }
  }, event.submitter);
});

for (const form of document.querySelectorAll("form.reply")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const input = form.elements.text;
    attempt(async () => {
      await reply(form.dataset.channel, { text: input.value });
      input.value = "";
      input.focus();
    }, event.submitter);
  });
}

$("read").addEventListener("click", (event) => attempt(
  () => ask(`phones/${encodeURIComponent(state.number)}/read`, "POST"), event.target));

$("api-faults").querySelector("tbody").append(...Object.entries(API_FAULTS).map(([kind, label]) => {
  const box = (api, name) => {
    const input = make("input", { type: "checkbox", ariaLabel: `${label}, ${name}` });
    Object.assign(input.dataset, { kind, api });
    return make("td", {}, input);
  };
  return make("tr", {}, make("th", { scope: "row", textContent: label }), box("graph", "Meta"), box("twilio", "Twilio"),
    SES_FAULTS.has(kind) ? box("ses", "SES") : make("td"));
}));

document.addEventListener("change", (event) => {
  const box = event.target;
  if (!box.matches("input[data-kind]")) return;
  const rule = ruleOf(box);
  attempt(async () => {
    if (rule) await ask(`faults/${rule.id}`, "DELETE");
    else await ask("faults", "POST", { kind: box.dataset.kind, ...(box.dataset.api ? { api: box.dataset.api } : { number: state.number }) });
  }).finally(showFaults);
});

// Live: changes are gathered for a moment, since a message changes four times within a second.
const changed = new Set();
let waiting = null;

function soon() {
  waiting ??= setTimeout(() => {
    const mails = changed.delete("mails");
    const everything = changed.has("*") || [...changed].some((number) => !state.phones.some((phone) => phone.number === number));
    const mine = changed.has(state.number);
    changed.clear();
    waiting = null;
    if (everything) attempt(refreshAll);
    else {
      if (mine) attempt(refreshPhone);
      if (mails) attempt(refreshMails);
    }
  }, 80);
}

function live(status, text) {
  $("live").dataset.state = status;
  $("live").textContent = text;
}

const events = new EventSource("events");
events.onopen = () => { live("live", "Live"); attempt(refreshAll); };
events.onerror = () => live("lost", "Disconnected, reconnecting");
events.addEventListener("changed", (event) => { changed.add(event.data); soon(); });

// What software of the chosen business is told, by the API's sockets. Nothing is caught up: the page shows what happens while it is open.
const VIEWS = ["messages", "calls", "inbox:all", "contacts", "templates", "connections", "operations", "campaigns"];
const SHOWN_EVENTS = 50;
const following = { tenant: null, socket: null, turn: 0, again: undefined, seen: new Set() };

function followed(status, text) {
  $("following").hidden = false;
  $("following").dataset.state = status;
  $("following").textContent = text;
}

function showEvents(events) {
  if (events.some((event) => event.type.startsWith("conversation."))) lookAtInbox();
  for (const { id, type, at, data, conversation_id: conversation } of events) {
    if (following.seen.has(id)) continue;
    following.seen.add(id);
    const { state: outcome, ...ids } = data;
    const subject = Object.values(ids).concat(conversation ?? []);
    $("software").prepend(make("li", {}, make("small", { textContent: clock(at) }),
      make("span", { textContent: outcome ? `${type}: ${outcome}` : type }), make("small", { textContent: subject.join(" "), dir: "ltr" })));
  }
  while ($("software").children.length > SHOWN_EVENTS) $("software").lastElementChild.remove();
  $("software").hidden = $("software").children.length === 0;
  $("no-events").hidden = !$("software").hidden;
}

function follow() {
  const tenant = state.tenants.find((each) => each.id === state.tenant);
  if (!tenant || following.tenant === tenant.id) return;
  following.tenant = tenant.id;
  following.seen.clear();
  $("software").replaceChildren();
  showEvents([]);
  leave();
  if (tenant.live) connect(tenant);
}

function leave() {
  clearTimeout(following.again);
  following.turn += 1;
  following.socket?.close();
  following.socket = null;
  $("following").hidden = true;
}

async function connect(tenant) {
  leave();
  followed("connecting", "Connecting…");
  const { turn } = following;
  const isCurrent = () => following.turn === turn;
  const again = (why) => {
    followed("lost", why);
    following.again = setTimeout(connect, 5000, tenant);
  };
  let socket;
  try {
    const { url, ticket } = await ask(`tenants/${encodeURIComponent(tenant.id)}/ticket`, "POST");
    if (!isCurrent()) return;
    socket = following.socket = new WebSocket(`${url}?ticket=${ticket}`);
  } catch {
    if (isCurrent()) again("Ringback gives no ticket");
    return;
  }
  const unheard = setTimeout(() => socket.close(), 20_000);
  const ping = setInterval(() => socket.readyState === WebSocket.OPEN && socket.send(JSON.stringify({ action: "ping" })), 300_000);
  socket.onopen = () => socket.send(JSON.stringify({ action: "watch", views: VIEWS }));
  socket.onmessage = ({ data }) => {
    if (!isCurrent()) return;
    const frame = JSON.parse(data);
    if (frame.type === "watching") {
      clearTimeout(unheard);
      followed("live", tenant.name);
    }
    if (frame.type === "events") showEvents(frame.events);
  };
  socket.onclose = () => {
    clearInterval(ping);
    clearTimeout(unheard);
    if (isCurrent()) again("Disconnected, reconnecting");
  };
}

const wanted = decodeURIComponent(location.hash.slice(1));
if (/^\+\d{7,15}$/.test(wanted)) state.number = wanted;
attempt(refreshAll);
