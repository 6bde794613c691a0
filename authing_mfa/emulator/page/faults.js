// Faults on demand: the existing rules, presets with one click, and a form for other rules.

import { drop, get, newest, paced, post } from "./api.js";
import { byId, el, fill, icon, keyed, toast } from "./dom.js";
import { t } from "./texts.js";

const PRESETS = {
  drop: { drop: "after", count: 1 },
  slow: { latency: 2 },
  half: { status: 503, probability: 0.5 },
  limit: { retry_after: 5, count: 1 },
  html: { body: "html", status: 502, count: 1 },
  reset: { reset: "before", count: 1 },
};

const MOMENTS = ["before", "after"];
const BODIES = ["truncated", "malformed", "html", "empty"];

const number = (name, label, placeholder) => ({ name, label, placeholder, type: "number" });
const choice = (name, label, words, prefix) => ({ name, label, words, prefix });

/** Each effect: the inputs it needs, and the rule's fields that it makes from their values. */
const EFFECTS = {
  refuse: {
    inputs: [
      number("status", "d_status", "200"),
      number("code", "d_code", "2020"),
      { name: "message", label: "d_message", type: "text" },
    ],
    fields: ({ status, code, message }) => ({ status: numeric(status), code: numeric(code), message: message || null }),
  },
  limit: {
    inputs: [number("seconds", "d_seconds", "5")],
    fields: ({ seconds }) => ({ retry_after: numeric(seconds) ?? 5 }),
  },
  latency: {
    inputs: [number("seconds", "d_seconds", "2")],
    fields: ({ seconds }) => ({ latency: numeric(seconds) ?? 2 }),
  },
  lognormal: {
    inputs: [number("mu", "d_mu", "-1"), number("sigma", "d_sigma", "0.5")],
    fields: ({ mu, sigma }) => ({ latency: { lognormal: [numeric(mu) ?? -1, numeric(sigma) ?? 0.5] } }),
  },
  drop: { inputs: [choice("moment", "d_moment", MOMENTS, "moment_")], fields: ({ moment }) => ({ drop: moment }) },
  reset: { inputs: [choice("moment", "d_moment", MOMENTS, "moment_")], fields: ({ moment }) => ({ reset: moment }) },
  body: {
    inputs: [choice("how", "d_how", BODIES, "body_"), number("status", "d_status", "200")],
    fields: ({ how, status }) => ({ body: how, status: numeric(status) }),
  },
  slow_body: {
    inputs: [number("seconds", "d_seconds", "3")],
    fields: ({ seconds }) => ({ slow_body: numeric(seconds) ?? 3 }),
  },
};

const OPERATIONS = [
  "login_by_account",
  "login_by_phone_code",
  "login_by_email_code",
  "send_sms",
  "send_mfa_email",
  "mfa_check",
  "mfa_verify_by_phone",
  "mfa_verify_by_email",
  "mfa_verify_by_totp",
  "mfa_verify_by_recovery_code",
  "mfa_verify_by_face",
  "mfa_associate_by_totp",
  "mfa_confirm_totp",
  "mfa_associate_by_face",
  "upload_face_image",
  "get_current_user",
  "public_config",
  "/api/v2/mfa/*",
  "/api/v2/applications/mfa/*",
  "/api/v3/*",
];

let rules = [];
let loaded = false;

const numeric = (text) => (text === "" || text === undefined ? null : Number(text));

const begin = newest();

export function setRules(answer) {
  begin();
  rules = answer.faults;
  loaded = true;
  render();
}

export async function loadFaults(current = () => true) {
  const isNewest = begin();
  const answer = await get("faults");
  if (current() && isNewest()) setRules(answer);
}

/** A rule fired: request its count again. */
export const faultFired = paced(500, () => loadFaults().catch(() => {}));

export function renderFaults() {
  byId("rules").replaceChildren();
  const chosen = byId("fault-effect").value || "drop";
  fill(
    byId("fault-effect"),
    Object.keys(EFFECTS).map((name) =>
      el("option", { value: name, selected: name === chosen, text: t(`effect_${name}`) }),
    ),
  );
  renderDetails();
  fill(byId("presets"), Object.keys(PRESETS).map(preset));
  render();
}

function preset(name) {
  return el(
    "button",
    {
      class: "preset",
      type: "button",
      "data-preset": name,
      onclick: () => add(PRESETS[name]).catch((error) => toast(error.message, "bad")),
    },
    el("strong", { text: t(`preset_${name}`) }),
    el("span", { class: "muted", text: t(`preset_${name}_hint`) }),
  );
}

async function add(rule) {
  await post("faults", rule);
  await loadFaults();
}

function render() {
  if (!loaded) return;
  const count = byId("count-faults");
  count.hidden = rules.length === 0;
  count.textContent = rules.length;
  byId("clear-faults").hidden = rules.length === 0;
  const list = byId("rules");
  if (rules.length === 0) {
    fill(
      list,
      el(
        "li",
        { class: "empty" },
        icon("check"),
        el("h1", { text: t("faults_empty") }),
        el("p", { text: t("faults_empty_hint") }),
      ),
    );
    return;
  }
  list.querySelector(":scope > .empty")?.remove();
  keyed(list, rules, (rule) => JSON.stringify(rule), row);
}

function row(rule) {
  const spent = rule.count !== undefined && rule.fired >= rule.count;
  return el(
    "li",
    { class: `rule${spent ? " spent" : ""}`, "data-rule": rule.id },
    icon("bolt"),
    el(
      "div",
      { class: "rule-words" },
      el("p", {}, el("strong", { text: effectOf(rule) })),
      el("p", { class: "muted", text: [rule.path ?? t("fault_every"), ...conditions(rule)].join(" · ") }),
    ),
    el("span", { class: "rule-counts muted", text: t("fault_counts", rule) }),
    el(
      "button",
      {
        class: "quiet",
        type: "button",
        "aria-label": t("fault_delete", rule),
        title: t("fault_delete", rule),
        onclick: () => remove(rule.id),
      },
      icon("trash"),
    ),
  );
}

function effectOf(rule) {
  if (rule.body)
    return [t("say_body", { how: t(`body_${rule.body}`) }), rule.status && t("say_status", { n: rule.status })]
      .filter(Boolean)
      .join(", ");
  if (rule.drop) return t("say_drop", { moment: t(`moment_${rule.drop}`) });
  if (rule.reset) return t("say_reset", { moment: t(`moment_${rule.reset}`) });
  if (rule.slow_body !== undefined) return t("say_slow_body", { n: rule.slow_body });
  if (rule.retry_after !== undefined) return t("say_limit", { n: rule.retry_after });
  if (rule.latency?.lognormal)
    return t("say_lognormal", { mu: rule.latency.lognormal[0], sigma: rule.latency.lognormal[1] });
  if (rule.latency !== undefined) return t("say_latency", { n: rule.latency });
  return [
    rule.status && t("say_status", { n: rule.status }),
    rule.code !== undefined && t("say_code", { n: rule.code }),
    rule.message,
  ]
    .filter(Boolean)
    .join(", ");
}

function conditions(rule) {
  return [
    rule.user && t("say_user", { name: rule.user }),
    rule.nth && t("say_nth", { n: rule.nth }),
    rule.probability !== undefined && t("say_share", { n: rule.probability * 100 }),
    rule.count && (rule.count === 1 ? t("say_once") : t("say_times", { n: rule.count })),
  ].filter(Boolean);
}

async function remove(id) {
  try {
    setRules(await drop(`faults/${id}`));
  } catch (error) {
    toast(error.message, "bad");
  }
}

function renderDetails() {
  const effect = EFFECTS[byId("fault-effect").value];
  fill(
    byId("fault-details"),
    el(
      "div",
      { class: "row" },
      effect.inputs.map((input) => {
        const control = input.words
          ? el(
              "select",
              { name: input.name },
              input.words.map((word) => el("option", { value: word, text: t(input.prefix + word) })),
            )
          : el("input", {
              name: input.name,
              type: input.type,
              step: "any",
              placeholder: input.placeholder,
              autocomplete: "off",
            });
        return el("label", { class: "field" }, el("span", { text: t(input.label) }), control);
      }),
    ),
  );
}

async function submit(event) {
  event.preventDefault();
  const form = event.target;
  const values = Object.fromEntries(new FormData(form));
  const problem = form.querySelector(".problem");
  problem.hidden = true;
  const rule = {
    path: values.path.trim() || null,
    user: values.user.trim() || null,
    nth: numeric(values.nth),
    probability: values.share === "" ? null : Number(values.share) / 100,
    count: numeric(values.count),
    ...EFFECTS[values.effect].fields(values),
  };
  try {
    await add(Object.fromEntries(Object.entries(rule).filter(([, value]) => value !== null)));
    form.reset();
    renderDetails();
  } catch (error) {
    problem.textContent = error.message;
    problem.hidden = false;
  }
}

export function startFaults() {
  fill(
    byId("operations"),
    OPERATIONS.map((name) => el("option", { value: name })),
  );
  byId("fault-effect").addEventListener("change", renderDetails);
  byId("fault-form").addEventListener("submit", submit);
  byId("clear-faults").addEventListener("click", async () => setRules(await drop("faults")));
  renderFaults();
}
