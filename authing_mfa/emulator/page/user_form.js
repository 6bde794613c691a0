// The dialog that adds a user, or changes one and unbinds factors.

import { ask, drop, post } from "./api.js";
import { byId, el, fill, icon, toast } from "./dom.js";
import { t } from "./texts.js";

export const FACTORS = ["SMS", "EMAIL", "OTP", "FACE"];

const TEXTS = ["username", "phone", "email"];

let edited = null; // the user that is changed; null: a new one
let shown = {}; // the texts of that user, as the form showed them

/** Open the dialog for *user*; null: for a new user. */
export function openForm(user) {
  edited = user;
  const form = byId("user-form");
  form.reset();
  say(null);
  byId("user-dialog-title").textContent = user ? t("edit_user") : t("add_user");
  byId("user-submit").textContent = user ? t("save") : t("add");
  form.elements.password.placeholder = user ? t("password_unchanged") : "";
  form.elements.totp.closest("label").hidden = user !== null;
  for (const name of TEXTS) {
    form.elements[name].value = user?.[name] ?? "";
    shown[name] = form.elements[name].value;
  }
  fill(
    byId("user-mfa"),
    FACTORS.map((factor) =>
      el(
        "label",
        { class: "check" },
        el("input", { type: "checkbox", name: "mfa", value: factor, checked: user?.own_mfa.includes(factor) }),
        el("span", { text: t(`factor_${factor}`) }),
      ),
    ),
  );
  renderBound(user);
  byId("user-dialog").showModal();
}

function renderBound(user) {
  const bound = user
    ? { SMS: user.mfa_phone, EMAIL: user.mfa_email, OTP: user.totp_enabled, FACE: user.face_enabled }
    : {};
  const factors = FACTORS.filter((factor) => bound[factor]);
  byId("user-bound").hidden = factors.length === 0;
  fill(
    byId("user-unbind"),
    factors.map((factor) =>
      el(
        "button",
        { type: "button", class: "button small", "data-unbind": factor, onclick: () => unbind(user, factor) },
        icon("trash"),
        el("span", { text: t("unbind", { factor: t(`factor_${factor}`) }) }),
      ),
    ),
  );
}

async function unbind(user, factor) {
  try {
    renderBound(await drop(`users/${user.id}/factors/${factor}`));
  } catch (error) {
    say(error.message);
  }
}

function say(sentence) {
  const problem = byId("user-form").querySelector(".problem");
  problem.textContent = sentence ?? "";
  problem.hidden = sentence === null;
}

/** The fields that were changed in the form. Others may have been changed elsewhere since, and a user has more than the form shows. */
function changes(form) {
  const fields = {};
  for (const name of TEXTS) {
    const { value } = form.elements[name];
    const text = value.trim();
    if (value !== shown[name] && (edited || text)) fields[name] = text; // an empty phone or address is removed
  }
  const before = edited?.own_mfa ?? [];
  const checked = [...form.querySelectorAll("[name=mfa]:checked")].map((box) => box.value);
  const kept = before.filter((factor) => checked.includes(factor) || !FACTORS.includes(factor));
  const mfa = [...kept, ...checked.filter((factor) => !before.includes(factor))];
  if (mfa.join() !== before.join()) fields.mfa = mfa;
  if (form.elements.password.value) fields.password = form.elements.password.value;
  return fields;
}

async function submit(event) {
  event.preventDefault();
  const form = event.target;
  const fields = changes(form);
  const name = form.elements.username.value.trim();
  try {
    if (!edited && (!name || !fields.password)) throw new Error(t("user_missing"));
    if (edited?.username && !name) throw new Error(t("name_missing"));
    if (edited) await ask("PATCH", `users/${edited.id}`, fields);
    else await post("users", { ...fields, totp: form.elements.totp.checked });
    byId("user-dialog").close();
    toast(t(edited ? "user_changed" : "user_added", { name }));
  } catch (error) {
    say(error.message);
  }
}

export function startForm() {
  byId("user-form").addEventListener("submit", submit);
}
