// The inbox: the newest code large, then every message, newest first.

import { get, paced, post } from "./api.js";
import { byId, codeDigits, copyButton, copyText, el, fill, icon, keyed, toast } from "./dom.js";
import { ago, t, timeOfDay } from "./texts.js";
import { everySecond, now } from "./time.js";

const KEPT = 500;
const SHOWN = 100;
const CHANNELS = ["", "sms", "email"];

let messages = []; // newest first
let info = null;
let channel = "";
let arrived = null; // id of a message that came while the page was open: it is animated
let heroKey = null;
let meanwhile = []; // messages from events during the request for the list

const wanted = () => byId("inbox-filter").value.replace(/\s/g, "").toLowerCase();

function shown() {
  const part = wanted();
  return messages.filter(
    (message) =>
      (!channel || message.channel === channel) &&
      [message.to, message.target].some((name) => name.replace(/\s/g, "").toLowerCase().includes(part)),
  );
}

export async function loadMessages(current) {
  meanwhile = [];
  const answer = await get(`inbox?limit=${KEPT}`);
  if (!current()) return;
  messages = newestFirst([...answer.messages, ...meanwhile]);
  render();
}

function newestFirst(all) {
  const known = new Map(all.map((message) => [message.id, message]));
  return [...known.values()].sort((a, b) => b.id - a.id).slice(0, KEPT);
}

export function addMessage(message) {
  meanwhile.push(message);
  messages = newestFirst([message, ...messages]);
  arrived = message.id;
  renderSoon();
}

export function forgetMessages() {
  messages = [];
  meanwhile = [];
  arrived = null;
  render();
}

export function showInfo(answer) {
  info = answer;
  renderFacts();
}

/** Copy the newest code that the filter shows. */
export async function copyNewest() {
  const newest = shown()[0];
  if (!newest) return;
  await copyText(newest.code);
  toast(`${t("copied")}: ${newest.code}`);
}

export function renderInbox() {
  heroKey = null;
  byId("messages").replaceChildren();
  renderChannels();
  renderFacts();
  render();
}

function render() {
  const found = shown();
  const replaced = new Set();
  const newestOf = new Map();
  for (const message of messages) {
    if (newestOf.has(message.target)) replaced.add(message.id);
    else newestOf.set(message.target, message.id);
  }
  renderHero(found[0]);
  keyed(
    byId("messages"),
    found.slice(1, SHOWN),
    (message) => `${keyOf(message)} ${replaced.has(message.id)}`,
    (message) => row(message, replaced.has(message.id)),
  );
  const count = byId("count-inbox");
  count.hidden = messages.length === 0;
  count.textContent = messages.length >= KEPT ? `${KEPT}+` : messages.length;
  document.title = (messages[0] ? `${messages[0].code} · ` : "") + `${t("tab_inbox")} · ${t("title")}`;
  renderAges();
}

const renderSoon = paced(150, render);

/** Identifies a message: another emulator on the same port counts from 1 again. */
const keyOf = (message) => `${message.id} ${message.sent_at} ${message.code} ${message.to}`;

function renderHero(message) {
  const key = message ? keyOf(message) : `none ${messages.length > 0} ${info !== null}`;
  if (key === heroKey) return;
  heroKey = key;
  if (!message) {
    const kind = messages.length ? "inbox_no_match" : "inbox_empty";
    fill(
      byId("hero"),
      el("div", { class: "empty" }, icon("inbox"), el("h1", { text: t(kind) }), el("p", { text: t(`${kind}_hint`) })),
    );
    return;
  }
  const fresh = message.id === arrived;
  fill(
    byId("hero"),
    el(
      "article",
      { class: `hero${fresh ? " fresh" : ""}`, "aria-label": t("newest_code") },
      el("p", { class: "eyebrow" }, t("newest_code"), age(message)),
      el("p", { class: "digits", id: "newest-code" }, codeDigits(message.code)),
      el(
        "div",
        { class: "hero-foot" },
        el(
          "p",
          { class: "recipient" },
          icon(message.channel),
          el("span", { class: "sr", text: `${t("to")} ` }),
          el("strong", { text: message.to }),
          scene(message),
        ),
        copyButton(message.code, t("copy_code"), { big: true, words: t("copy") }),
      ),
      el("p", { class: "quote", text: message.text }),
    ),
  );
}

const age = (message) =>
  el("time", {
    class: "age",
    "data-at": message.sent_at,
    title: timeOfDay(message.sent_at),
    text: ago(message.sent_at, now()),
  });

const scene = (message) => (message.scene ? el("span", { class: "chip", text: message.scene }) : null);

function row(message, isReplaced) {
  return el(
    "li",
    { class: `message${isReplaced ? " replaced" : ""}` },
    icon(message.channel),
    el("span", { class: "message-code" }, codeDigits(message.code)),
    el(
      "span",
      { class: "message-to" },
      el("span", { text: message.to }),
      scene(message),
      isReplaced && el("span", { class: "chip faint", title: t("replaced_hint"), text: t("replaced") }),
    ),
    age(message),
    copyButton(message.code, `${t("copy_code")} ${message.code}`),
  );
}

function renderAges() {
  for (const node of byId("inbox").querySelectorAll("time.age")) node.textContent = ago(Number(node.dataset.at), now());
}

function renderChannels() {
  const names = { "": t("all"), sms: t("sms"), email: t("email_short") };
  fill(
    byId("inbox-channel"),
    CHANNELS.map((name) => {
      const input = el("input", { type: "radio", name: "channel", value: name, checked: name === channel });
      input.addEventListener("change", () => {
        channel = name;
        render();
      });
      return el("label", {}, input, el("span", { text: names[name] }));
    }),
  );
}

function renderFacts() {
  if (info === null) return;
  const facts = [
    ["base_url", info.url],
    ["app_id", info.app_id],
    ["user_pool", info.user_pool_id],
    ["public_key", info.public_key],
  ];
  fill(
    byId("facts"),
    facts.map(([key, value]) =>
      el(
        "div",
        {},
        el("dt", { text: t(key) }),
        el("dd", {}, el("code", { text: value, title: value }), copyButton(value, `${t("copy")}: ${t(key)}`)),
      ),
    ),
  );
}

async function send(event) {
  event.preventDefault();
  const form = event.target;
  const problem = form.querySelector(".problem");
  const to = form.elements.to.value.trim();
  const code = form.elements.code.value.trim();
  problem.hidden = true;
  try {
    if (!to) throw new Error(t("send_missing"));
    if (code) await post("codes", { target: to, code });
    await post("messages", { to });
  } catch (error) {
    problem.textContent = error.message;
    problem.hidden = false;
  }
}

export function startInbox() {
  byId("inbox-filter").value = new URLSearchParams(location.search).get("to") ?? "";
  byId("inbox-filter").addEventListener("input", render);
  byId("send-form").addEventListener("submit", send);
  everySecond(renderAges);
  renderInbox();
}
