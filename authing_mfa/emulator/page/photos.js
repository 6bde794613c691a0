// The uploaded photos as the service got them, and which of them count as the same face.

import { addressOf, get, paced, post } from "./api.js";
import { byId, copyButton, el, fill, icon, keyed, toast } from "./dom.js";
import { t } from "./texts.js";

const SHOWN = 24;
const VERDICTS = ["same-picture", "any", "none"];

let photos = [];
let total = 0;
let settings = null;

export async function loadPhotos(current = () => true) {
  const answer = await get(`photos?limit=${SHOWN}`);
  if (!current()) return;
  ({ photos, total } = answer);
  render();
}

export const photosChanged = paced(300, () => loadPhotos().catch(() => {}));

export async function loadSettings(current = () => true) {
  const answer = await get("settings");
  if (current()) setSettings(answer);
}

export function setSettings(answer) {
  settings = answer;
  renderVerdicts();
}

export function renderPhotos() {
  byId("photos").replaceChildren();
  renderVerdicts();
  render();
}

function renderVerdicts() {
  if (settings === null) return;
  fill(
    byId("face-verdict"),
    VERDICTS.map((verdict) => {
      const input = el("input", {
        type: "radio",
        name: "verdict",
        value: verdict,
        checked: verdict === settings.face,
        onchange: () => post("settings", { face: verdict }).catch((error) => toast(error.message, "bad")),
      });
      return el("label", {}, input, el("span", { text: t(`face_${verdict.replace("-", "_")}`) }));
    }),
  );
  byId("face-hint").textContent = t(`face_${settings.face.replace("-", "_")}_hint`);
}

function render() {
  const list = byId("photos");
  byId("photos-total").textContent = total > photos.length ? t("photos_more", { n: total - photos.length }) : "";
  if (photos.length === 0) fill(list, el("li", { class: "muted" }, t("photos_empty")));
  else {
    list.querySelector(":scope > .muted")?.remove();
    keyed(list, photos, (photo) => `${photo.key} ${photo.kept}`, item);
  }
}

function item(photo) {
  const address = addressOf(photo.url.split("/_emulator/")[1]);
  const name = photo.key.split("/").at(-1);
  return el(
    "li",
    { class: "photo" },
    photo.kept && photo.picture
      ? el(
          "a",
          { href: address, target: "_blank", rel: "noopener" },
          el("img", { src: address, alt: t("photo_alt", { name }), loading: "lazy", width: 120, height: 120 }),
        )
      : el("span", { class: "no-photo" }, icon("requests"), el("span", { text: t(photo.kept ? "no_picture" : "photo_gone") })),
    el(
      "p",
      { class: "photo-words" },
      el("span", { class: "muted", text: sizeOf(photo.bytes) }),
      photo.private && el("span", { class: "chip faint", text: t("photo_private") }),
      copyButton(photo.key, t("copy_key", { name })),
    ),
  );
}

const sizeOf = (bytes) => (bytes < 1e6 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);
