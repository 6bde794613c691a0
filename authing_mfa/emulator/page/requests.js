// The journal: requests and answers, newest first, each with its exact JSON.

import { get, paced } from "./api.js";
import { byId, copyButton, el, fill, icon, jsonBlock, keyed } from "./dom.js";
import { t, timeOfDay } from "./texts.js";
import { nameOfId } from "./users.js";

const KEPT = 300;

let entries = []; // newest first
let loaded = false;
let address = "";
let meanwhile = []; // entries from events during the request for the list
const open = new Set(); // ids of the entries that are unfolded

export async function loadRequests(current) {
  meanwhile = [];
  const answer = await get(`requests?limit=${KEPT}`);
  if (!current()) return;
  entries = newestFirst([...answer.requests, ...meanwhile]);
  loaded = true;
  render();
}

export function addRequest(entry) {
  meanwhile.push(entry);
  entries = newestFirst([entry, ...entries]);
  renderSoon();
}

function newestFirst(all) {
  const known = new Map(all.map((entry) => [entry.id, entry]));
  return [...known.values()].sort((a, b) => b.id - a.id).slice(0, KEPT);
}

export function forgetRequests() {
  entries = [];
  meanwhile = [];
  open.clear();
  render();
}

export function setAddress(url, appId) {
  address = `curl ${url}/api/v2/applications/${appId}/public-config`;
}

export function renderRequests() {
  byId("journal").replaceChildren();
  render();
}

const failed = (entry) =>
  entry.fault !== null || entry.status === null || entry.status >= 400 || (entry.code !== null && entry.code !== 200);

function shown() {
  const part = byId("requests-filter").value.trim().toLowerCase();
  const onlyFailed = byId("requests-failed").checked;
  return entries.filter(
    (entry) =>
      (!onlyFailed || failed(entry)) &&
      `${entry.path} ${entry.operation ?? ""} ${entry.code ?? ""} ${entry.status ?? ""}`.toLowerCase().includes(part),
  );
}

function render() {
  if (!loaded) return;
  const count = byId("count-requests");
  count.hidden = entries.length === 0;
  count.textContent = entries.length >= KEPT ? `${KEPT}+` : entries.length;
  const journal = byId("journal");
  const found = shown();
  if (found.length === 0) fill(journal, nothing());
  else {
    journal.querySelector(":scope > .empty")?.remove();
    keyed(journal, found, (entry) => `${entry.id} ${entry.at} ${entry.ms}`, item);
  }
}

const renderSoon = paced(200, render);

function nothing() {
  if (entries.length) return el("li", { class: "empty" }, icon("requests"), el("h1", { text: t("requests_no_match") }));
  const command =
    address && el("p", { class: "command" }, el("code", { text: address }), copyButton(address, t("copy")));
  return el(
    "li",
    { class: "empty" },
    icon("requests"),
    el("h1", { text: t("requests_empty") }),
    el("p", { text: t("requests_empty_hint") }),
    command,
  );
}

function item(entry) {
  const details = el("div", { class: "details", id: `request-${entry.id}`, hidden: true });
  const button = el(
    "button",
    { class: "entry", type: "button", "aria-expanded": "false", "aria-controls": details.id },
    icon("chevron"),
    el("span", { class: "entry-time", text: timeOfDay(entry.at) }),
    el("span", { class: `method ${entry.method.toLowerCase()}`, text: entry.method }),
    el(
      "span",
      { class: "entry-what" },
      el("span", { class: "entry-operation", text: entry.operation ?? entry.path }),
      entry.operation && el("span", { class: "entry-path", text: entry.path }),
    ),
    entry.fault !== null && el("span", { class: "chip warn" }, icon("bolt"), t("fault_of", { id: entry.fault })),
    outcome(entry),
    el("span", { class: `entry-ms${entry.ms >= 500 ? " slow" : ""}`, text: t("ms", { n: milliseconds(entry.ms) }) }),
  );
  const toggle = (unfold) => {
    button.setAttribute("aria-expanded", unfold);
    details.hidden = !unfold;
    if (unfold && !details.hasChildNodes())
      fill(
        details,
        meta(entry),
        body("request", entry.request, entry.request_bytes),
        body("answer", entry.response, entry.response_bytes),
      );
    if (unfold) open.add(entry.id);
    else open.delete(entry.id);
  };
  button.addEventListener("click", () => toggle(details.hidden));
  if (open.has(entry.id)) toggle(true);
  return el("li", { class: failed(entry) ? "failed" : "" }, button, details);
}

const milliseconds = (ms) => (ms < 10 ? ms.toFixed(1) : Math.round(ms));

function outcome(entry) {
  if (entry.status === null) return el("span", { class: "chip bad", text: t("dropped") });
  const good = entry.status < 400 && (entry.code === null || entry.code === 200);
  const due = entry.code === 1635 || entry.code === 1636; // not a failure: a second factor is needed
  const text =
    entry.code === null || entry.code === entry.status ? `${entry.status}` : `${entry.status} · ${entry.code}`;
  return el("span", { class: `chip outcome ${good ? "good" : due ? "todo" : "bad"}`, text });
}

function meta(entry) {
  const parts = [
    `#${entry.id}`,
    timeOfDay(entry.at, { fractionalSecondDigits: 3 }),
    entry.user && t("say_user", { name: nameOfId(entry.user) }),
  ];
  return el("p", { class: "meta", text: parts.filter(Boolean).join(" · ") });
}

function body(title, value, bytes) {
  const head = el(
    "div",
    { class: "body-head" },
    el("h3", { text: t(title) }),
    value !== null && copyButton(JSON.stringify(value, null, 2), `${t("copy")}: ${t(title)}`),
  );
  return el(
    "section",
    { class: "body" },
    head,
    value === null ? el("p", { class: "muted", text: bytes ? t("bytes_not_shown", { n: bytes }) : t("no_json") }) : jsonBlock(value),
  );
}

export function startRequests() {
  byId("requests-filter").addEventListener("input", render);
  byId("requests-failed").addEventListener("change", render);
}
