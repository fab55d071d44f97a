/** What the server has told. It tells all once, and then what changes. */

/** How long to wait before the first and the last try to reach the server again, in milliseconds. */
const [MIN_PAUSE, MAX_PAUSE] = [1000, 15_000];

/** A stream without a sign of life for so long is broken, in milliseconds: the server sends one every 15 s. */
const SILENCE = 40_000;

/** A page that cannot be seen for so long ends its stream, in milliseconds: browsers allow only six to a server. */
const HIDDEN = 300_000;

/** How many of the last events are kept. */
const MAX_HAPPENED = 50;

/** The colonies that are known, the one of this server first. */
export const store = {
  colonies: [],
  /** `connecting`, `live`, `broken`, `resting`, or `refused`: a token is needed. */
  connection: "connecting",
  /** When the connection broke, and when it is tried again. */
  brokenAt: null,
  retryAt: null,
  /** Whether the server has another version of the page. */
  isOutdated: false,
  /** By how much the clock of the server is ahead of this one, in milliseconds. */
  ahead: 0,
};

const listeners = new Set();
let isDrawn = true;

/** Calls back when something changed, at most once before each picture. Returns a function that ends that. */
export function subscribe(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Whether what is known about a colony may be old. */
export function isStale({ unreachable }) {
  return Boolean(unreachable) || store.connection === "broken" || store.connection === "refused";
}

/** The time of the server, in milliseconds since 1970. */
export function serverNow() {
  return Date.now() + store.ahead;
}

function changed() {
  if (!isDrawn) return;
  isDrawn = false;
  // A hidden page gets no pictures, but has a title.
  const draw = document.hidden ? setTimeout : requestAnimationFrame;
  draw(() => {
    isDrawn = true;
    for (const listener of listeners) listener();
  });
}

let [boot, count] = [null, 0];
let stream = null;
let pause = MIN_PAUSE;
let timer = null;
/** The changes that came while everything is being loaded. */
let early = null;

function take(colony) {
  const known = store.colonies.find(({ host }) => host === colony.host);
  const { processes, gone = [], usage, all, happened = [], ...facts } = colony;
  const map = known === undefined || all ? new Map() : known.processes;
  for (const process of processes) map.set(process.name, process);
  for (const name of gone) map.delete(name);
  for (const [name, process] of usage ? map : []) map.set(name, { ...process, usage: usage[name] ?? null });
  const before = known === undefined || all ? [] : known.happened;
  const next = { ...facts, processes: map, happened: [...before, ...happened].slice(-MAX_HAPPENED) };
  store.colonies = known === undefined
    ? [...store.colonies, next]
    : store.colonies.map((other) => other === known ? next : other);
}

/** Loads what there is. Changes that come meanwhile are applied after that. */
async function load() {
  early = [];
  try {
    const response = await fetch("/api/colonies", { credentials: "same-origin" });
    if (response.status === 401) return refuse();
    if (!response.ok) throw new Error(`status ${response.status}`);
    const told = await response.json();
    store.ahead = told.now - Date.now();
    [boot, count] = [told.boot, told.count];
    store.colonies = [];
    for (const colony of told.colonies) take(colony);
    for (const change of early) apply(change);
    changed();
  } finally {
    early = null;
  }
}

function apply(change) {
  if (change.boot !== boot || change.count <= count) return;
  count = change.count;
  store.ahead = change.now - Date.now();
  take(change);
  changed();
}

/** Shows that the server wants a token: the page of the server asks for it. */
function refuse() {
  close();
  store.connection = "refused";
  changed();
}

function broken() {
  close();
  if (store.connection !== "broken") store.brokenAt = Date.now();
  store.connection = "broken";
  store.retryAt = Date.now() + pause;
  timer = setTimeout(connect, pause);
  pause = Math.min(2 * pause, MAX_PAUSE);
  changed();
}

function close() {
  clearTimeout(timer);
  stream?.close();
  stream = null;
}

function alive() {
  clearTimeout(timer);
  timer = setTimeout(broken, SILENCE);
}

/** Connects to the server, at once. */
export function connect() {
  close();
  alive();
  stream = new EventSource(boot === null ? "/events" : `/events?since=${boot}.${count}`);
  stream.onerror = async () => {
    broken();
    // A stream does not tell that it was refused.
    const { status } = await fetch("/api/status", { method: "HEAD" }).catch(() => ({ status: 0 }));
    if (status === 401) refuse();
  };
  stream.addEventListener("hello", async ({ data }) => {
    const told = JSON.parse(data);
    store.isOutdated = !import.meta.url.endsWith(`${told.page}store.js`);
    try {
      // The server no longer knows what was missed.
      if (told.all) await load();
      if (store.connection === "refused") return;
      pause = MIN_PAUSE;
      [store.connection, store.brokenAt] = ["live", null];
      alive();
      changed();
    } catch {
      broken();
    }
  });
  stream.addEventListener("change", ({ data }) => {
    alive();
    const change = JSON.parse(data);
    if (early === null) apply(change);
    else early.push(change);
  });
  stream.addEventListener("beat", alive);
}

/** Loads what there is, and follows it. */
export async function start() {
  let hidden = null;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(hidden);
    if (document.hidden) hidden = setTimeout(rest, HIDDEN);
    else if (store.connection === "resting") connect();
  });
  try {
    await load();
    if (store.connection !== "refused") connect();
  } catch {
    broken();
  }
}

function rest() {
  if (store.connection === "refused") return;
  close();
  store.connection = "resting";
  changed();
}
