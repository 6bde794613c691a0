// The emulator's clock on the page: requested once, then counted, requested again when it is moved.

import { get, newest } from "./api.js";

let base = Date.now() / 1000;
let asked = performance.now();
let offset = 0;
const listeners = [];

export const now = () => base + (performance.now() - asked) / 1000;
export const clockOffset = () => offset;

/** *listener* runs every second, and at once when the clock is moved; its argument says whether it was. */
export function everySecond(listener) {
  listeners.push(listener);
}

const begin = newest();

export function setClock(answer) {
  begin();
  base = answer.now;
  asked = performance.now();
  const moved = Math.abs(answer.offset - offset) > 0.001;
  offset = answer.offset;
  tick(moved);
}

export async function askClock() {
  const isNewest = begin();
  const answer = await get("clock");
  if (isNewest()) setClock(answer);
}

function tick(moved) {
  for (const listener of listeners) listener(moved);
}

setInterval(() => tick(false), 1000);
