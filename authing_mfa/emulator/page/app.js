// The page as a whole: views, language, theme, keys, and the live connection that feeds every view.

import { get, watch } from "./api.js";
import { showCodes } from "./codes.js";
import { renderControls, startControls } from "./controls.js";
import { byId, fill, icon } from "./dom.js";
import { faultFired, loadFaults, renderFaults, setRules, startFaults } from "./faults.js";
import { addMessage, copyNewest, forgetMessages, loadMessages, renderInbox, showInfo, startInbox } from "./inbox.js";
import { loadPhotos, loadSettings, photosChanged, renderPhotos, setSettings } from "./photos.js";
import { addRequest, forgetRequests, loadRequests, renderRequests, setAddress, startRequests } from "./requests.js";
import { remember, startLanguage, switchLanguage, t } from "./texts.js";
import { askClock } from "./time.js";
import { forgetUsers, loadUsers, renderUsers, startUsers, usersChanged } from "./users.js";

const VIEWS = ["inbox", "users", "requests", "faults", "controls"];
const THEMES = ["auto", "light", "dark"];
const THEME_ICONS = { auto: "auto", light: "sun", dark: "moon" };

// ─────────────────────────────── views ───────────────────────────────

function show(view, focus = false) {
  for (const name of VIEWS) {
    const tab = byId(`tab-${name}`);
    const chosen = name === view;
    tab.setAttribute("aria-selected", chosen);
    tab.tabIndex = chosen ? 0 : -1;
    byId(name).hidden = !chosen;
    if (chosen && focus) tab.focus();
  }
  showCodes(view === "users");
  if (location.hash !== `#${view}`) history.replaceState(null, "", `#${view}`);
  window.scrollTo(0, 0);
}

const current = () => VIEWS.find((name) => !byId(name).hidden);

const fromAddress = () => (VIEWS.includes(location.hash.slice(1)) ? location.hash.slice(1) : "inbox");

function startViews() {
  for (const name of VIEWS) byId(`tab-${name}`).addEventListener("click", () => show(name));
  document.querySelector("[role=tablist]").addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const place = VIEWS.indexOf(current());
    if (step) show(VIEWS[(place + step + VIEWS.length) % VIEWS.length], true);
    else if (event.key === "Home") show(VIEWS[0], true);
    else if (event.key === "End") show(VIEWS.at(-1), true);
    else return;
    event.preventDefault();
  });
  window.addEventListener("hashchange", () => VIEWS.includes(location.hash.slice(1)) && show(fromAddress()));
  for (const button of document.querySelectorAll("[data-close]"))
    button.addEventListener("click", () => button.closest("dialog").close());
  show(fromAddress());
}

// ─────────────────────────────── language, theme, keys ───────────────────────────────

function renderAll() {
  byId("language").textContent = t("language_short");
  renderTheme();
  renderStatus();
  renderInbox();
  renderUsers();
  renderRequests();
  renderFaults();
  renderControls();
  renderPhotos();
  renderWhere();
}

const theme = () => document.documentElement.dataset.theme ?? "auto";

function renderTheme() {
  const button = byId("theme");
  fill(button, icon(THEME_ICONS[theme()]));
  button.setAttribute("aria-label", t(`theme_${theme()}`));
  button.title = t(`theme_${theme()}`);
}

function switchTheme() {
  const next = THEMES[(THEMES.indexOf(theme()) + 1) % THEMES.length];
  if (next === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
  remember("theme", next);
  renderTheme();
}

function onKey(event) {
  const typing = event.target.closest?.("input, select, textarea, dialog");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const place = "12345".indexOf(event.key);
  if (place >= 0) show(VIEWS[place], true);
  else if (event.key === "/") byId(`${current()}-filter`)?.focus();
  else if (event.key === "c" || event.key === "C") copyNewest();
  else return;
  event.preventDefault();
}

// ─────────────────────────────── the live connection ───────────────────────────────

let state = "connecting";
let info = null;
let generation = 0; // only the answers to the newest requests count

function renderStatus() {
  byId("status").dataset.state = state;
  byId("status-text").textContent = t(state);
}

function setState(next) {
  state = next;
  renderStatus();
}

function renderWhere() {
  if (info === null) return;
  const name = info.namespace === "default" ? "" : ` · ${t("namespace", { name: info.namespace })}`;
  byId("where").textContent = info.url.replace(/^https?:\/\//, "").replace(/\/ns\/.*$/, "") + name;
}

async function loadInfo(isCurrent) {
  const answer = await get("info");
  if (!isCurrent()) return;
  // The address by which this page was opened works for an application at the same place; behind a proxy only the browser knows it.
  info = { ...answer, url: new URL(".", location.href).href.replace(/\/$/, "") };
  setAddress(info.url, info.app_id);
  showInfo(info);
  renderWhere();
}

async function loadAll() {
  generation += 1;
  const mine = generation;
  const isCurrent = () => mine === generation;
  try {
    await Promise.all(
      [loadInfo, loadMessages, loadUsers, loadRequests, loadFaults, loadPhotos, loadSettings].map((load) => load(isCurrent)).concat(askClock()),
    );
  } catch {
    if (isCurrent()) setState("lost"); // the event stream reports when it is back
  }
}

function forget() {
  generation += 1;
  forgetMessages();
  forgetUsers();
  forgetRequests();
}

function startLive() {
  watch(
    {
      message: addMessage,
      request: (entry) => {
        addRequest(entry);
        if (entry.fault !== null) faultFired();
      },
      users: usersChanged,
      faults: setRules,
      photo: photosChanged,
      settings: setSettings,
      clock: () => askClock().catch(() => {}),
      reset: () => {
        forget();
        loadAll();
      },
    },
    {
      opened: () => {
        setState("live");
        loadAll();
      },
      lost: () => setState("lost"),
    },
  );
}

// ─────────────────────────────── start ───────────────────────────────

for (const node of document.querySelectorAll("[data-icon]")) node.prepend(icon(node.dataset.icon));
startLanguage();
startViews();
startInbox();
startUsers();
startRequests();
startFaults();
startControls();
renderAll();
byId("language").addEventListener("click", () => {
  switchLanguage();
  renderAll();
});
byId("theme").addEventListener("click", switchTheme);
document.addEventListener("keydown", onKey);
startLive();
