// Calls of the admin API. Addresses are relative to the page, so a namespace's page calls its own namespace.

const BASE = "_emulator/";

/** Returns the answer's JSON. Throws an Error with the emulator's own sentence if the emulator refuses. */
export async function ask(method, path, body) {
  const options = { method, cache: "no-store" };
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers = { "Content-Type": "application/json" };
  }
  const response = await fetch(BASE + path, options);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error ?? `HTTP ${response.status}`);
  return answer;
}

export const get = (path) => ask("GET", path);
export const post = (path, body) => ask("POST", path, body);
export const drop = (path) => ask("DELETE", path);
export const addressOf = (path) => BASE + path;

const FIRST_PAUSE = 500;
const LAST_PAUSE = 5000;

/**
 * Server-sent events for ever: *handlers* by event name, `opened()` after each (re)connection, when everything must be
 * requested again because events may have been missed, `lost()` when the connection is lost.
 */
export function watch(handlers, { opened, lost }) {
  let pause = FIRST_PAUSE;
  const connect = () => {
    const source = new EventSource(`${BASE}events`);
    source.onopen = () => {
      pause = FIRST_PAUSE;
      opened();
    };
    source.onerror = () => {
      source.close(); // some browsers stop trying here, so we connect again ourselves
      lost();
      setTimeout(connect, pause);
      pause = Math.min(pause * 2, LAST_PAUSE);
    };
    for (const [name, handle] of Object.entries(handlers))
      source.addEventListener(name, (event) => handle(JSON.parse(event.data)));
  };
  connect();
}

/** Returns a function that runs *action* at once and then at most every *pause* milliseconds, however often it is called. */
export function paced(pause, action) {
  let timer = null;
  let again = false;
  const run = () => {
    action();
    timer = setTimeout(() => {
      timer = null;
      if (again) {
        again = false;
        run();
      }
    }, pause);
  };
  return () => {
    if (timer === null) run();
    else again = true;
  };
}

/** Call `begin()` with a request or when newer data arrives; it returns a function: true if nothing newer has arrived since. */
export function newest() {
  let count = 0;
  return () => {
    count += 1;
    const mine = count;
    return () => mine === count;
  };
}
