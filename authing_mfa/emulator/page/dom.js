// Make nodes. Data becomes text nodes and attributes only; nothing on this page is ever parsed as HTML.

const SVG = "http://www.w3.org/2000/svg";

const ICONS = {
  inbox: "M3 13h5l1.5 3h5L16 13h5M5.5 5h13L21 13v5a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 18v-5z",
  users:
    "M9 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7M2.5 20a6.5 6.5 0 0 1 13 0M16 4.8a3.5 3.5 0 0 1 0 6.4M18 14.5a6.5 6.5 0 0 1 3.5 5.5",
  requests: "M4 6h16M4 12h16M4 18h10",
  bolt: "M13 3 5 13.5h6L10 21l9-11h-6.5z",
  sliders: "M4 7h9M17 7h3M4 17h3M11 17h9M15 4.5v5M9 14.5v5",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14M16.2 16.2 21 21",
  plus: "M12 5v14M5 12h14",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  check: "m5 12.5 4.5 4.5L19 7.5",
  sms: "M4 5h16v11H9.5L5 19.5V16H4z",
  email: "M3.5 6h17v12.5h-17zM4 7l8 6 8-6",
  trash: "M4 7h16M9.5 7V4.5h5V7M6.5 7l1 13h9l1-13M10 11v5.5M14 11v5.5",
  chevron: "m9 6 6 6-6 6",
  sun: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8M12 3v1.5M12 19.5V21M3 12h1.5M19.5 12H21M5.6 5.6l1.1 1.1M17.3 17.3l1.1 1.1M5.6 18.4l1.1-1.1M17.3 6.7l1.1-1.1",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5z",
  auto: "M12 20.5a8.5 8.5 0 1 0 0-17zM12 3.5v17M12 3.5a8.5 8.5 0 0 0 0 17",
  key: "M8 15.5a4 4 0 1 0 0-8 4 4 0 0 0 0 8M12 11.5h9M18 11.5V15",
};

/** An element: `text` is its text, `class` its class, `on…` a listener, the rest attributes (false and null: none). */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "text") node.textContent = value;
    else if (name === "class") node.className = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** A ring that empties: set it with `ring.show(0…1, slowly)`. */
export function ring() {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 36 36");
  svg.setAttribute("class", "ring");
  svg.setAttribute("aria-hidden", "true");
  for (const name of ["ring-track", "ring-left"]) {
    const circle = document.createElementNS(SVG, "circle");
    for (const [key, value] of Object.entries({ cx: 18, cy: 18, r: 15, pathLength: 100, class: name }))
      circle.setAttribute(key, value);
    svg.append(circle);
  }
  svg.show = (share, slowly) => {
    svg.lastChild.classList.toggle("slowly", slowly);
    svg.lastChild.setAttribute("stroke-dasharray", `${Math.max(share, 0) * 100} 100`);
  };
  return svg;
}

export const byId = (id) => document.getElementById(id);

/** Replace the children of *node*, but only if they differ: focus and selections stay. */
export function fill(node, ...children) {
  node.replaceChildren(...children.flat().filter(Boolean));
}

/** Keep one child of *parent* per item, in the items' order; a child is made again only when its `key` changes. */
export function keyed(parent, items, keyOf, make) {
  const before = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  const wanted = items.map((item) => {
    const key = String(keyOf(item));
    const child = before.get(key) ?? make(item);
    child.dataset.key = key;
    before.delete(key);
    return child;
  });
  for (const child of before.values()) child.remove();
  wanted.forEach((child, place) => {
    if (parent.children[place] !== child) parent.insertBefore(child, parent.children[place] ?? null);
  });
}

export function toast(text, kind = "good") {
  const note = el("div", { class: `toast ${kind}`, text });
  byId("toasts").append(note);
  setTimeout(() => note.remove(), kind === "bad" ? 6000 : 2000);
}

export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copyByHand(text); // no permission, or the page is not a secure context
  }
}

function copyByHand(text) {
  const focused = document.activeElement;
  const area = el("textarea", { class: "sr", "aria-hidden": "true", tabindex: "-1" });
  area.value = text;
  (document.querySelector("dialog[open]") ?? document.body).append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
  focused?.focus?.();
}

/** A button that copies *text* (or the result of the function *text*) and shows that it did. */
export function copyButton(text, label, { big = false, words = null } = {}) {
  const button = el("button", {
    type: "button",
    class: big ? "button primary big copy" : "quiet copy",
    "aria-label": label,
    title: label,
  });
  const show = (name) => fill(button, icon(name), words ? el("span", { text: words }) : null);
  show("copy");
  button.addEventListener("click", async () => {
    await copyText(typeof text === "function" ? await text() : text);
    button.classList.add("copied");
    show("check");
    setTimeout(() => {
      button.classList.remove("copied");
      show("copy");
    }, 1400);
  });
  return button;
}

/** A code, in two halves where that is easier to read. */
export function codeDigits(code) {
  const half = code.length >= 6 && code.length % 2 === 0 ? code.length / 2 : code.length;
  return [code.slice(0, half), code.slice(half)].filter(Boolean).map((part) => el("span", { text: part }));
}

/** JSON, indented and lightly coloured. */
export function jsonBlock(value) {
  const text = JSON.stringify(value, null, 2);
  const block = el("pre", { class: "json", tabindex: "0" });
  const token = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
  let at = 0;
  for (const found of text.matchAll(token)) {
    if (found.index > at) block.append(text.slice(at, found.index));
    const kind = found[2] ? "j-key" : found[1] ? "j-text" : "j-plain";
    block.append(el("span", { class: kind, text: found[1] ?? found[0] }));
    if (found[2]) block.append(found[2]);
    at = found.index + found[0].length;
  }
  block.append(text.slice(at));
  return block;
}
