// The codes of authenticator apps: the QR picture to scan, the current code, and how long it is still shown.

import { addressOf, get } from "./api.js";
import { codeDigits, copyButton, el, fill, ring } from "./dom.js";
import { t } from "./texts.js";
import { everySecond } from "./time.js";

const PERIOD = 30;

let visible = false;
const codes = new Map(); // by user id: the code, until when (seconds of performance.now()), and the nodes that show it

/** Request codes only while they are visible. */
export function showCodes(isVisible) {
  visible = isVisible;
  if (visible) refreshCodes(true);
}

/** Forget the codes of users that are not in *ids* any more, and request the others. */
export function keepCodes(ids) {
  for (const id of codes.keys()) if (!ids.has(id)) codes.delete(id);
  refreshCodes(true);
}

let pictures = 0;

/** The address of the QR picture of *user*, a new one each time: for an old address a browser shows the old picture. */
export function pictureOf(user) {
  pictures += 1;
  return addressOf(`users/${user.id}/qr.svg?picture=${pictures}`);
}

/** The picture, the code and the countdown of *user*; *openPicture* is called to show the picture large. */
export function totpBlock(user, name, openPicture) {
  const picture = el("img", {
    class: "qr",
    src: pictureOf(user),
    alt: t("qr_alt", { name }),
    width: "104",
    height: "104",
  });
  picture.addEventListener("error", () =>
    picture.replaceWith(el("code", { class: "secret-text", text: new URL(user.totp_uri).searchParams.get("secret") })),
  );
  const shown = el("strong", { class: "totp-code" });
  const left = el("span", { class: "totp-left" });
  const circle = ring();
  codes.set(user.id, { shown, left, circle, code: "", until: 0 });
  return el(
    "div",
    { class: "totp" },
    el(
      "button",
      {
        class: "qr-button",
        type: "button",
        "aria-label": t("qr_show", { name }),
        onclick: () => openPicture(user, name),
      },
      picture,
    ),
    el(
      "div",
      { class: "totp-now" },
      el("p", { class: "eyebrow", text: t("totp_now") }),
      el(
        "div",
        { class: "totp-line" },
        shown,
        copyButton(() => codes.get(user.id).code, `${t("copy_code")}: ${name}`),
      ),
      el("p", { class: "countdown" }, circle, left),
    ),
  );
}

/** Request the codes that have expired, or all codes. */
function refreshCodes(all) {
  if (!visible) return;
  for (const [id, entry] of codes) if (all || seconds(entry) <= 0) refreshCode(id, entry);
}

async function refreshCode(id, entry) {
  if (entry.asking) return;
  entry.asking = true;
  try {
    const answer = await get(`users/${id}/totp`);
    entry.code = answer.code;
    entry.until = performance.now() / 1000 + answer.seconds_left;
    fill(entry.shown, codeDigits(answer.code));
    renderCountdowns();
  } catch {
    // unbound or deleted: an event requests the list again
  } finally {
    entry.asking = false;
  }
}

const seconds = (entry) => entry.until - performance.now() / 1000;

function renderCountdowns(slowly = false) {
  for (const entry of codes.values()) {
    const left = Math.max(seconds(entry), 0);
    entry.circle.show(left / PERIOD, slowly);
    entry.circle.classList.toggle("soon", left <= 5);
    entry.left.textContent = entry.code ? t("seconds_left", { n: Math.ceil(left) }) : "";
  }
}

everySecond((moved) => {
  refreshCodes(moved);
  renderCountdowns(!moved);
});
