"use strict";
// Shows /api/v1/openapi.json. Inserts everything from the document as text, never as markup.

const METHODS = ["get", "post", "put", "patch", "delete"];
const byId = (id) => document.getElementById(id);
let root;

function h(name, attributes, ...inside) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (value === true) made.setAttribute(key, "");
    else if (value !== undefined && value !== false) made.setAttribute(key, value);
  }
  made.append(...inside.flat().filter((part) => part !== undefined && part !== null));
  return made;
}

// Descriptions: paragraphs, and `code` in them.
function words(text) {
  return (text ?? "").split("`").map((part, index) => (index % 2 ? h("code", {}, part) : part));
}
function paragraphs(text) {
  return (text ?? "").split(/\n\s*\n/).filter((part) => part.trim()).map((part) => h("p", {}, words(part)));
}

function resolve(thing) {
  let found = thing;
  for (let steps = 0; found?.$ref && steps < 20; steps += 1) {
    found = found.$ref.slice(2).split("/").reduce((at, key) => at?.[key.replaceAll("~1", "/").replaceAll("~0", "~")], root);
  }
  return found ?? {};
}
const nameOf = (schema) => schema?.$ref?.split("/").at(-1);

// Several parts of one object are shown as one.
function flat(schema) {
  const own = resolve(schema);
  if (!own.allOf) return own;
  const parts = own.allOf.map(flat);
  return {
    ...Object.assign({}, ...parts),
    ...own,
    properties: Object.assign({}, ...parts.map((part) => part.properties ?? {}), own.properties ?? {}),
    required: [...parts.flatMap((part) => part.required ?? []), ...(own.required ?? [])],
  };
}
const isNull = (schema) => schema?.type === "null";
function choices(schema) {
  return (schema.oneOf ?? schema.anyOf ?? []).filter((choice) => !isNull(choice));
}

function kind(schema) {
  const own = flat(schema);
  const some = choices(own);
  if (some.length) return some.map(kind).join(" or ");
  let types = [own.type ?? (own.properties ? "object" : own.enum ? "string" : "any")].flat();
  const nullable = types.includes("null") || (own.oneOf ?? own.anyOf ?? []).some(isNull);
  types = types.filter((type) => type !== "null");
  let text = types.join(" or ");
  if (types.includes("array")) text = `list of ${kind(own.items ?? {})}`;
  if (own.const !== undefined) text = JSON.stringify(own.const);
  if (own.format) text += ` (${own.format})`;
  if (nullable) text += " or null";
  return text;
}

function limits(schema) {
  const own = flat(schema);
  const said = [];
  if (own.enum) said.push(`one of ${own.enum.map((value) => JSON.stringify(value)).join(", ")}`);
  if (own.minimum !== undefined) said.push(`at least ${own.minimum}`);
  if (own.maximum !== undefined) said.push(`at most ${own.maximum}`);
  if (own.minLength !== undefined) said.push(`${own.minLength} characters or more`);
  if (own.maxLength !== undefined) said.push(`${own.maxLength} characters at most`);
  if (own.minItems !== undefined) said.push(`${own.minItems} or more`);
  if (own.maxItems !== undefined) said.push(`${own.maxItems} at most`);
  if (own.pattern) said.push(`pattern ${own.pattern}`);
  if (own.default !== undefined) said.push(`default ${JSON.stringify(own.default)}`);
  if (own.readOnly) said.push("read-only");
  if (own.writeOnly) said.push("write-only");
  return said.join("; ");
}

function field(name, schema, required, seen) {
  const own = flat(schema);
  const said = limits(schema);
  return h("li", {},
    h("span", { class: "name" }, name),
    h("span", { class: "kind" }, kind(schema)),
    required ? h("span", { class: "must" }, "required") : null,
    h("div", { class: "about" }, words(schema.description ?? own.description)),
    said ? h("div", { class: "about quiet" }, said) : null,
    deeper(schema, seen));
}

// The parts of an object, a list or a choice. A recursive schema is named, not repeated.
function deeper(schema, seen) {
  const name = nameOf(schema);
  if (name && seen.includes(name)) return h("div", { class: "quiet" }, `see ${name}`);
  const path = name ? [...seen, name] : seen;
  const own = flat(schema);
  if ([own.type].flat().includes("array")) return deeper(own.items ?? {}, path);
  const some = choices(own);
  const common = own.properties && Object.keys(own.properties).length ? fields(own, path) : null;
  const ways = some.map((choice) => [choice, deeper(choice, path)]).filter(([, inside]) => inside);
  if (!common && !ways.length) return null;
  const title = seen.length ? "fields" : undefined;
  const inside = [common, ...ways.map(([choice, list]) => h("div", {}, h("div", { class: "quiet" },
    some.length > 1 ? `either ${label(choice)}` : null), list))];
  return title ? h("details", { class: "more" }, h("summary", {}, title), ...inside) : h("div", {}, ...inside);
}
function label(schema) {
  const own = flat(schema);
  const fixed = Object.entries(own.properties ?? {}).find(([, value]) => flat(value).enum?.length === 1 || flat(value).const !== undefined);
  const value = fixed && (flat(fixed[1]).const ?? flat(fixed[1]).enum[0]);
  return fixed ? `${fixed[0]}: ${JSON.stringify(value)}` : (own.title ?? nameOf(schema) ?? kind(schema));
}
function fields(schema, seen) {
  const required = schema.required ?? [];
  return h("ul", { class: "fields" },
    Object.entries(schema.properties).map(([name, value]) => field(name, value, required.includes(name), seen)));
}

// For responses only: the document has a whole example of every request.
function example(schema, depth = 0) {
  const given = schema?.example ?? schema?.examples?.[0];
  if (given !== undefined) return given;
  const own = flat(schema);
  if (own.example !== undefined) return own.example;
  if (own.examples?.length) return own.examples[0];
  if (own.default !== undefined) return own.default;
  if (own.const !== undefined) return own.const;
  if (own.enum) return own.enum[0];
  if (depth > 6) return null;
  const some = choices(own);
  const type = [own.type].flat().find((one) => one !== "null");
  if (own.properties) {
    const parts = some.length ? example(some[0], depth + 1) : {};
    const made = Object.entries(own.properties).filter(([, value]) => !flat(value).writeOnly);
    return { ...parts, ...Object.fromEntries(made.map(([name, value]) => [name, example(value, depth + 1)])) };
  }
  if (some.length) return example(some[0], depth + 1);
  if (type === "array") return own.items ? [example(own.items, depth + 1)] : [];
  if (type === "integer" || type === "number") return own.minimum ?? 1;
  if (type === "boolean") return true;
  if (type === "object") return {};
  if (own.format === "date-time") return "2026-11-20T10:00:00Z";
  return type === "string" ? "text" : null;
}
function examples(media) {
  const named = Object.entries(media.examples ?? {}).map(([name, one]) => [`example: ${name}`, resolve(one).value]);
  return named.length ? named : [["example", media.example ?? example(media.schema ?? {})]];
}
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
const json = (value) => h("pre", { tabindex: "0" }, typeof value === "string" ? value : JSON.stringify(value, null, 2));

function content(body) {
  const [type, media] = Object.entries(body.content ?? {})[0] ?? [];
  if (!media) return null;
  return [
    h("span", { class: "kind" }, type),
    deeper(media.schema ?? {}, []),
    examples(media).map(([name, shown]) => h("details", { class: "more" }, h("summary", {}, name), json(shown))),
  ];
}

function curl(method, path, operation) {
  const said = [`curl -X ${method.toUpperCase()} "$API${path}"`];
  const security = operation.security ?? root.security ?? [];
  if (security.some((way) => "api_key" in way)) said.push(`-H "X-API-Key: $KEY"`);
  else if (security.some((way) => "bearer" in way)) said.push(`-H "Authorization: Bearer $TOKEN"`);
  const body = resolve(operation.requestBody);
  const [type, media] = Object.entries(body.content ?? {})[0] ?? [];
  if (media) said.push(`-H "Content-Type: ${type}"`, `-d ${quoted(JSON.stringify(examples(media)[0][1]))}`);
  return said.join(" \\\n  ");
}

function show(method, path, operation, shared) {
  const parameters = [...(shared ?? []), ...(operation.parameters ?? [])].map(resolve);
  const answers = Object.entries(operation.responses ?? {});
  const good = answers.filter(([status]) => status < 400);
  const errors = answers.filter(([status]) => status >= 400 || status === "default");
  const body = operation.requestBody && resolve(operation.requestBody);
  return h("details", { class: "operation", id: operation.operationId },
    h("summary", {},
      h("span", { class: "method", "data-method": method }, method.toUpperCase()),
      h("span", { class: "path" }, path),
      h("span", { class: "summary" }, operation.summary ?? "")),
    h("div", { class: "inside" },
      operation["x-permission"] ? h("span", { class: "chip" }, permission(operation["x-permission"])) : null,
      operation.deprecated ? h("span", { class: "chip warning" }, "deprecated") : null,
      paragraphs(operation.description),
      parameters.length ? [h("h3", {}, "Parameters"), h("ul", { class: "fields" }, parameters.map((one) =>
        field(`${one.name} (${one.in})`, { ...one.schema, description: one.description ?? one.schema?.description }, one.required, [])))] : null,
      body ? [h("h3", {}, "Body"), paragraphs(body.description), content(body)] : null,
      h("h3", {}, "Responses"),
      good.map(([status, answer]) => answered(status, resolve(answer))),
      errors.length ? h("details", { class: "more" }, h("summary", {}, `errors: ${errors.map(([status]) => status).join(", ")}`),
        errors.map(([status, answer]) => answered(status, resolve(answer)))) : null,
      h("h3", {}, "Example request"), json(curl(method, path, operation))));
}
function permission(word) {
  return { public: "public", person: "any logged-in person", platform: "platform administrators" }[word]
    ?? `requires ${word}`;
}
function answered(status, answer) {
  const headers = Object.keys(answer.headers ?? {});
  return h("div", { class: "answer" },
    h("span", { class: "status" }, status), " ", h("span", { class: "about" }, words(answer.description)),
    headers.length ? h("div", { class: "about quiet" }, `headers: ${headers.join(", ")}`) : null,
    content(answer));
}

function draw(openapi) {
  root = openapi;
  byId("title").textContent = openapi.info.title;
  document.title = openapi.info.title;
  byId("version").textContent = `version ${openapi.info.version},`;
  byId("about").append(...paragraphs(openapi.info.description));
  const groups = new Map((openapi.tags ?? []).map((tag) => [tag.name, { tag, all: [] }]));
  for (const [path, item] of Object.entries(openapi.paths)) {
    for (const method of METHODS.filter((name) => item[name])) {
      const operation = item[method];
      const name = operation.tags?.[0] ?? "other";
      if (!groups.has(name)) groups.set(name, { tag: { name }, all: [] });
      groups.get(name).all.push({ method, path, operation, shared: item.parameters });
    }
  }
  for (const { tag, all } of groups.values()) {
    if (!all.length) continue;
    const section = h("section", { "data-group": true }, h("h2", {}, tag.name), h("p", { class: "quiet" }, words(tag.description)));
    const list = h("ul", {});
    for (const { method, path, operation, shared } of all) {
      const made = show(method, path, operation, shared);
      made.dataset.words = [path, method, operation.operationId, operation.summary, operation.description, made.textContent].join(" ").toLowerCase();
      section.append(made);
      list.append(h("li", { "data-of": operation.operationId }, h("a", { href: `#${operation.operationId}` },
        h("span", { class: "method", "data-method": method }, method.toUpperCase()), h("span", {}, operation.summary ?? operation.operationId))));
    }
    byId("operations").append(section);
    byId("links").append(h("h2", {}, tag.name), list);
  }
  byId("state").textContent = "";
  follow();
}

function find() {
  const wanted = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const operation of document.querySelectorAll("details.operation")) {
    operation.hidden = !wanted.every((word) => operation.dataset.words.includes(word));
    shown += operation.hidden ? 0 : 1;
    const link = document.querySelector(`[data-of="${CSS.escape(operation.id)}"]`);
    if (link) link.hidden = operation.hidden;
  }
  for (const group of document.querySelectorAll("[data-group]")) {
    group.hidden = !group.querySelector("details.operation:not([hidden])");
  }
  byId("state").textContent = wanted.length ? `${shown} found` : "";
}

// A link to an operation opens it.
function follow() {
  const target = byId(decodeURIComponent(location.hash.slice(1)));
  if (target?.classList.contains("operation")) {
    target.hidden = false;
    target.open = true;
    target.scrollIntoView();
  }
}

byId("search").addEventListener("input", find);
window.addEventListener("hashchange", follow);
if (matchMedia("(min-width: 48rem)").matches) byId("menu").open = true;
fetch("/api/v1/openapi.json")
  .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(`it answers ${answer.status}`))))
  .then(draw)
  .catch((error) => { byId("state").textContent = `The document could not be loaded: ${error.message}.`; });
