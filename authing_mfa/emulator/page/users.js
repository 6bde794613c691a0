// The users: their bindings, the QR picture to scan, the current code with its countdown.

import { drop, get, newest, paced, post } from "./api.js";
import { keepCodes, pictureOf, totpBlock } from "./codes.js";
import { byId, copyButton, copyText, el, fill, icon, keyed, toast } from "./dom.js";
import { t } from "./texts.js";
import { FACTORS, openForm, startForm } from "./user_form.js";

const PAGE = 12;

let users = [];
let total = 0;
let limit = PAGE;
let loaded = false;

const nameOf = (user) => user.username || user.phone || user.email || user.id;

/** The name of the user *id* if the list has the user, else the id. */
export function nameOfId(id) {
  const user = users.find((known) => known.id === id);
  return user ? nameOf(user) : id;
}

const begin = newest();

export async function loadUsers(current = () => true) {
  const isNewest = begin();
  const part = byId("users-filter").value.trim();
  const answer = await get(`users?limit=${limit}&q=${encodeURIComponent(part)}`);
  if (!current() || !isNewest()) return;
  ({ users, total } = answer);
  loaded = true;
  render();
}

/** The users changed: request them again, but only once for many changes. */
export const usersChanged = paced(400, () => loadUsers().catch(() => {}));

export function forgetUsers() {
  users = [];
  total = 0;
  limit = PAGE;
}

export function renderUsers() {
  byId("people").replaceChildren();
  render();
}

function render() {
  if (!loaded) return;
  const count = byId("count-users");
  const filtered = byId("users-filter").value.trim() !== "";
  if (!filtered) {
    count.hidden = total === 0;
    count.textContent = total > 9999 ? `${Math.floor(total / 1000)}k` : total;
  }
  const people = byId("people");
  people.classList.toggle("has-none", users.length === 0);
  if (users.length === 0) fill(people, nobody(filtered));
  else {
    people.querySelector(":scope > .empty")?.remove();
    keyed(people, users, (user) => JSON.stringify(user), card);
  }
  const more = byId("users-more");
  more.hidden = total <= users.length;
  more.textContent = t("users_more", { n: total - users.length });
  keepCodes(new Set(users.filter((user) => user.totp_enabled).map((user) => user.id)));
}

function nobody(filtered) {
  if (filtered) return el("div", { class: "empty" }, icon("users"), el("h1", { text: t("users_no_match") }));
  const button = el(
    "button",
    { class: "button primary", type: "button", onclick: () => openForm(null) },
    icon("plus"),
    el("span", { text: t("add_user") }),
  );
  return el(
    "div",
    { class: "empty" },
    icon("users"),
    el("h1", { text: t("users_empty") }),
    el("p", { text: t("users_empty_hint") }),
    button,
  );
}

function card(user) {
  const name = nameOf(user);
  return el(
    "article",
    { class: "card person", "aria-label": name, "data-user": user.id },
    el(
      "div",
      { class: "person-head" },
      el("span", { class: "avatar", "aria-hidden": "true", text: [...name][0].toUpperCase() }),
      el(
        "div",
        { class: "person-names" },
        el("h2", { text: name }),
        el("p", {
          class: "muted",
          text: [user.phone, user.email].filter((text) => text && text !== name).join(" · ") || user.id,
        }),
      ),
      user.locked && el("span", { class: "chip bad", text: t("locked") }),
    ),
    el("div", { class: "chips" }, factorChips(user)),
    user.totp_enabled && totpBlock(user, name, openPicture),
    el(
      "div",
      { class: "person-foot" },
      user.recovery_code &&
        el(
          "span",
          { class: "secret" },
          el("span", { class: "muted", text: t("recovery") }),
          el("code", { text: user.recovery_code }),
          copyButton(user.recovery_code, t("copy_recovery", { name })),
        ),
      el(
        "span",
        { class: "secret" },
        el("span", { class: "muted", text: t("mfa_token") }),
        copyButton(async () => (await post(`users/${user.id}/mfa-token`)).token, t("copy_mfa_token", { name })),
      ),
    ),
    actions(user, name),
  );
}

function factorChips(user) {
  const bound = { SMS: user.mfa_phone, EMAIL: user.mfa_email, OTP: user.totp_enabled, FACE: user.face_enabled };
  const asked = user.mfa.map((factor) =>
    chip(factor, bound[factor] ? "good" : "todo", bound[factor] ? "factor_bound" : "factor_unbound"),
  );
  const own = FACTORS.filter((factor) => bound[factor] && !user.mfa.includes(factor)).map((factor) =>
    chip(factor, "good", "factor_own"),
  );
  const chips = [...asked, ...own];
  return chips.length ? chips : [el("span", { class: "chip faint", text: t("no_factors") })];
}

function chip(factor, kind, hint) {
  const word = FACTORS.includes(factor) ? t(`factor_${factor}`) : factor;
  return el(
    "span",
    { class: `chip ${kind}`, title: t(hint) },
    kind === "good" ? icon("check") : null,
    word,
    el("span", { class: "sr", text: `: ${t(hint)}` }),
  );
}

function openPicture(user, name) {
  byId("qr-title").textContent = name;
  const picture = byId("qr-large");
  picture.src = pictureOf(user);
  picture.alt = t("qr_alt", { name });
  byId("qr-copy").onclick = async () => {
    await copyText(user.totp_uri);
    toast(t("copied"));
  };
  byId("qr-dialog").showModal();
}

function actions(user, name) {
  const button = (key, act, kind = "") =>
    el("button", {
      type: "button",
      class: `quiet small ${kind}`,
      "aria-label": `${t(key)}: ${name}`,
      text: t(key),
      onclick: () => act().catch((error) => toast(error.message, "bad")),
    });
  return el(
    "div",
    { class: "person-actions" },
    button("edit", async () => openForm(user)),
    user.locked
      ? button("unlock", () => post(`users/${user.id}/unlock`))
      : button("lock", () => post(`users/${user.id}/lock`)),
    button("delete", async () => openDelete(user, name), "bad"),
  );
}

function openDelete(user, name) {
  byId("delete-title").textContent = t("delete_sure", { name });
  byId("delete-yes").onclick = async () => {
    byId("delete-dialog").close();
    try {
      await drop(`users/${user.id}`);
      toast(t("user_deleted", { name }));
    } catch (error) {
      toast(error.message, "bad");
    }
  };
  byId("delete-dialog").showModal();
}

export function startUsers() {
  byId("add-user").addEventListener("click", () => openForm(null));
  startForm();
  byId("users-filter").addEventListener("input", () => {
    limit = PAGE;
    usersChanged();
  });
  byId("users-more").addEventListener("click", () => {
    limit += PAGE;
    usersChanged();
  });
}
