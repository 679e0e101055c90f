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
  reordered_webhooks: "Webhooks out of order",
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
  if (!answer.ok) throw new Error(data?.error ?? (text || `Status ${answer.status}.`));
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
  $("businesses").replaceChildren(...(state.tenants.length < 2 ? [] : state.tenants.map((tenant) => make("button", {
    type: "button", textContent: tenant.name, ariaPressed: String(tenant.id === state.tenant),
    onclick: () => { state.tenant = tenant.id; showTenants(); attempt(refreshPhone); },
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

function message(item, channel) {
  const text = item.kind === "call" ? `📞 ${OUTCOMES[item.text] ?? item.text}` : item.text;
  const taps = (item.buttons ?? []).map((button) => make("button", {
    type: "button", textContent: button.text, dir: "auto", disabled: !button.payload,
    title: button.payload ? "Tap" : "Opens a link",
    onclick: (event) => attempt(() => reply(channel, { button: button.text }), event.target),
  }));
  return make("li", { className: `message ${item.kind}` },
    make("p", { className: "text", dir: "auto", textContent: text }),
    taps.length ? make("div", { className: "taps" }, ...taps) : null,
    make("p", { className: "meta" },
      make("time", { dateTime: item.at, textContent: clock(item.at) }), tick(item)));
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
    text.disabled = form.querySelector("button").disabled = !reachable[form.dataset.channel];
    text.placeholder = text.disabled ? "This business does not use this channel" : "Message";
  }
  const chat = phone.chats.find((each) => each.tenant === state.tenant);
  for (const channel of ["whatsapp", "sms"]) showThread($(channel), chat?.[channel] ?? [], channel);
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

// What is asked

async function refreshMails() {
  state.mails = await ask("mails");
  showMails();
}

async function refreshPhone() {
  const number = state.number;
  if (!number) { showPhone(null); return; }
  const phone = await ask(`phones/${encodeURIComponent(number)}`);
  if (number === state.number) showPhone(phone);
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
  showCustomers();
  showFaults();
  // On a small screen the phone is below what was pressed.
  if (matchMedia("(max-width: 640px)").matches) $("phone").scrollIntoView();
  attempt(refreshPhone);
}

function reply(channel, content) {
  return ask("replies", "POST", { tenant: state.tenant, from: state.number, channel, ...content });
}

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

const wanted = decodeURIComponent(location.hash.slice(1));
if (/^\+\d{7,15}$/.test(wanted)) state.number = wanted;
attempt(refreshAll);
