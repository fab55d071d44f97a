/** The table of all processes. */

import { html, useEffect, useLayoutEffect, useState } from "./preact.js";
import { exitWord, healthOf, stateOf } from "./format.js";
import { Group } from "./group.js";
import { isStale } from "./store.js";

/** How many rows are in a group: more than most screens show. */
const CHUNK = 50;

/** The columns: their titles, by what they are sorted, and whether the most comes first. */
export const COLUMNS = [
  ["host", "Host", ({ colony }) => colony.host ?? ""],
  ["name", "Name", ({ process }) => process.name],
  ["state", "State", ({ shown }) => shown.state],
  ["pid", "Pid", ({ process }) => process.pid ?? Infinity],
  ["up", "Up", ({ process, shown }) => shown.isUp ? -Date.parse(process.started) : Infinity],
  ["starts", "Starts", ({ process }) => -process.starts, true],
  ["exit", "Last exit", ({ process }) => exitWord(process.last_exit)],
  ["health", "Health", ({ process }) => healthOf(process)[0]],
  ["memory", "Memory", ({ process }) => -(process.usage?.memory ?? -1), true],
  ["problem", "Problem", ({ process }) => process.fault ?? "\uffff"],
];

/** What stands beside the title of a column. */
const ARROWS = { none: "", ascending: " ▴", descending: " ▾" };

const rowCache = new WeakMap();

/** Returns the rows of all colonies. That of a process stays the same object as long as nothing changes. */
export function rowsOf(colonies) {
  return colonies.flatMap((colony) => [...colony.processes.values()].map((process) => rowOf(colony, process)));
}

function rowOf(colony, process) {
  const known = rowCache.get(process);
  const isOld = isStale(colony);
  if (known?.alive === colony.monitor.alive && known.isStale === isOld) return known;
  const shown = stateOf(colony, process);
  const isWrong = typeof process.fault === "string" || shown.state === "unknown";
  const text = `${process.name} ${shown.state} ${process.fault ?? ""} ${colony.host ?? ""}`.toLowerCase();
  const row = { colony, process, shown, isWrong, isStale: isOld, text, alive: colony.monitor.alive };
  rowCache.set(process, row);
  return row;
}

/** Returns the rows to show, in their order: those with a fault first, unless another order is asked for. */
export function arranged(rows, { query, isWrongOnly, sort, isDown }) {
  const words = query.toLowerCase().split(/\s+/).filter((word) => word !== "");
  const found = rows.filter((row) => (!isWrongOnly || row.isWrong) && words.every((word) => row.text.includes(word)));
  const key = COLUMNS.find(([name]) => name === sort)?.[2];
  const byName = (a, b) => compare(a.process.name, b.process.name) || compare(a.colony.host ?? "", b.colony.host ?? "");
  const order = key === undefined
    ? (a, b) => Number(b.isWrong) - Number(a.isWrong) || byName(a, b)
    : (a, b) => (isDown ? -1 : 1) * compare(key(a), key(b)) || byName(a, b);
  return found.sort(order);
}

function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Whether all rows are drawn at once. The first picture of the page does not wait for those that it does not show,
 * unless it is a page to go back from, or was scrolled.
 */
let isDrawn = location.pathname !== "/" || history.state?.scroll > 0;

/** The table. */
export function Table({ rows, hasHosts, sort, isDown, onSort }) {
  const columns = COLUMNS.filter(([name]) => hasHosts || name !== "host");
  const [hasAll, setAll] = useState(isDrawn);
  useEffect(() => setAll(isDrawn = true), []);
  const focused = focusedLink()?.getAttribute("href");
  useLayoutEffect(() => {
    // A row that moves loses the focus.
    if (focused === undefined || focusedLink() !== null) return;
    document.querySelector(`.c-name a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  });
  return html`
    <div role="table" aria-label="Processes" aria-rowcount=${rows.length + 1}
      class=${`table${hasHosts ? " hosts" : ""}`} onKeyDown=${onArrow}>
        <div role="row" class="head">${columns.map(([name, title, , isMostFirst = false]) => {
          const order = sort !== name ? "none" : isDown !== isMostFirst ? "descending" : "ascending";
          return html`
            <div role="columnheader" class=${`c-${name}`} aria-sort=${order}>
                  <button type="button" onClick=${() =>
                    onSort(name)}>${title}<span aria-hidden="true">${ARROWS[order]}</span></button></div>
          `;
        })}</div>
        ${groupsOf(rows).slice(0, hasAll ? Infinity : 1).map((group, index) =>
          html`<${Group} key=${`${index} ${hasHosts}`} rows=${group} hasHosts=${hasHosts} />`
        )}
      </div>
  `;
}

/** Cuts the rows into groups. The browser skips those that cannot be seen; to skip each row would cost more. */
function groupsOf(rows) {
  return Array.from({ length: Math.ceil(rows.length / CHUNK) }, (_, at) => rows.slice(at * CHUNK, (at + 1) * CHUNK));
}

function focusedLink() {
  return document.activeElement?.closest(".c-name a") ?? null;
}

/** Moves the focus from row to row. */
function onArrow(event) {
  const step =
    { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity }[event.key];
  const links = [...event.currentTarget.querySelectorAll(".c-name a")];
  const at = links.indexOf(document.activeElement);
  if (step === undefined || at < 0 || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  links[Math.min(links.length - 1, Math.max(0, at + step))].focus();
}
