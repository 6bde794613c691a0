// The clock, the reset, and the list of keys.

import { post } from "./api.js";
import { byId, el, fill, toast } from "./dom.js";
import { dayOf, t, timeOfDay } from "./texts.js";
import { clockOffset, everySecond, now, setClock } from "./time.js";

const STEPS = [30, 61, 361, 3600, 86400];
const KEYS = [
  ["1–5", "key_tabs"],
  ["/", "key_filter"],
  ["C", "key_copy"],
];

async function move(body) {
  const problem = byId("clock-form").parentElement.querySelector(".problem");
  problem.hidden = true;
  try {
    setClock(await post("clock", body));
  } catch (error) {
    problem.textContent = error.message;
    problem.hidden = false;
  }
}

function renderTime() {
  byId("clock-time").textContent = timeOfDay(now());
  byId("clock-date").textContent = dayOf(now());
  const offset = clockOffset();
  const chip = byId("clock-offset");
  chip.textContent = Math.abs(offset) < 0.5 ? t("clock_real") : spoken(offset);
  chip.className = `chip ${Math.abs(offset) < 0.5 ? "good" : "todo"}`;
}

function spoken(offset) {
  const sign = offset < 0 ? "−" : "+";
  let left = Math.round(Math.abs(offset));
  const parts = [];
  for (const [unit, size] of [
    ["d", 86400],
    ["h", 3600],
    ["min", 60],
    ["s", 1],
  ]) {
    const share = Math.floor(left / size);
    left -= share * size;
    if (share) parts.push(`${share} ${unit}`);
  }
  return `${sign}${parts.join(" ")}`;
}

export function renderControls() {
  fill(
    byId("clock-steps"),
    STEPS.map((seconds) =>
      el(
        "button",
        { class: "button step", type: "button", "data-advance": seconds, onclick: () => move({ advance: seconds }) },
        el("strong", { text: t(`step_${seconds}`) }),
        el("span", { class: "muted", text: t(`step_${seconds}_hint`) }),
      ),
    ),
  );
  fill(
    byId("keys"),
    KEYS.map(([key, what]) => el("div", {}, el("dt", {}, el("kbd", { text: key })), el("dd", { text: t(what) }))),
  );
  renderTime();
}

export function startControls() {
  byId("clock-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = event.target.elements.seconds.value;
    const problem = event.target.parentElement.querySelector(".problem");
    if (text === "") {
      problem.textContent = t("clock_missing");
      problem.hidden = false;
    } else move({ advance: Number(text) });
  });
  byId("clock-reset").addEventListener("click", () => move({ reset: true }));
  byId("reset").addEventListener("click", () => byId("reset-dialog").showModal());
  byId("reset-yes").addEventListener("click", async () => {
    byId("reset-dialog").close();
    try {
      await post("reset");
      toast(t("reset_done"));
    } catch (error) {
      toast(error.message, "bad");
    }
  });
  everySecond(renderTime);
  renderControls();
}
