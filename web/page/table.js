/** The table of all processes. */

import { Component, html } from "/preact.js";
import { bytes, exitWord, faultOf, healthOf, span, stateOf, visible } from "./format.js";
import { serverNow } from "./store.js";

/** How many rows are in a group. */
const CHUNK = 50;

/** The columns: their titles, and by what they are sorted. */
export const COLUMNS = [
  ["host", "Host", ({ colony }) => colony.host ?? ""],
  ["name", "Name", ({ process }) => process.name],
  ["state", "State", ({ shown }) => shown.state],
  ["pid", "Pid", ({ process }) => process.pid ?? Infinity],
  ["up", "Up", ({ process, shown }) => shown.isUp ? -Date.parse(process.started) : Infinity],
  ["starts", "Starts", ({ process }) => -process.starts],
  ["exit", "Last exit", ({ process }) => exitWord(process.last_exit)],
  ["health", "Health", ({ process }) => healthOf(process)[0]],
  ["memory", "Memory", ({ process }) => -(process.usage?.memory ?? -1)],
  ["problem", "Problem", ({ process }) => process.fault ?? "\uffff"],
];

/** Returns the path of the page of a process. */
export function pathOf({ colony, process }) {
  const host = colony.host === null ? "" : `/host/${encodeURIComponent(colony.host)}`;
  return `${host}/process/${encodeURIComponent(process.name)}`;
}

const rowCache = new WeakMap();

/** Returns the rows of all colonies. That of a process stays the same object as long as nothing changes. */
export function rowsOf(colonies) {
  return colonies.flatMap((colony) => [...colony.processes.values()].map((process) => rowOf(colony, process)));
}

function rowOf(colony, process) {
  const known = rowCache.get(process);
  const isStale = Boolean(colony.unreachable);
  if (known?.alive === colony.monitor.alive && known.isStale === isStale) return known;
  const shown = stateOf(colony, process);
  const isWrong = typeof process.fault === "string" || shown.state === "unknown";
  const text = `${process.name} ${shown.state} ${process.fault ?? ""} ${colony.host ?? ""}`.toLowerCase();
  const row = { colony, process, shown, isWrong, isStale, text, alive: colony.monitor.alive };
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

/** A text that changes with time. It is drawn again only if it differs. */
export class Ticking extends Component {
  componentDidMount() {
    tickers.add(this);
    wind();
  }
  componentWillUnmount() {
    tickers.delete(this);
  }
  tick() {
    if (this.props.text() !== this.told) this.setState({});
  }
  render() {
    return this.told = this.props.text();
  }
}

const tickers = new Set();
let clock = null;

function wind() {
  clock ??= setInterval(() => {
    if (!document.hidden) { for (const ticker of tickers) ticker.tick(); }
  }, 1000);
}

/** What a row is made of. Rows are filled by hand: for a thousand of them, that takes a quarter of the time. */
const TEMPLATE = document.createElement("template");
TEMPLATE.innerHTML = `<div role="cell" class="c-host"></div>
<div role="cell" class="c-name"><a><bdi></bdi></a></div>
<div role="cell"><span aria-hidden="true"></span> <span></span></div>
<div role="cell" class="c-pid"></div>
<div role="cell" class="c-up"></div>
<div role="cell" class="c-starts"></div>
<div role="cell" class="c-exit"></div>
<div role="cell"></div>
<div role="cell" class="c-memory"></div>
<div role="cell" class="c-problem"></div>`.replaceAll("\n", "");

class Row extends Component {
  shouldComponentUpdate({ row }) {
    if (row !== this.props.row) this.fill(row);
    return false;
  }
  componentDidMount() {
    this.base.append(TEMPLATE.content.cloneNode(true));
    if (!this.props.hasHosts) this.base.firstChild.remove();
    this.fill(this.props.row);
    tickers.add(this);
    wind();
  }
  componentWillUnmount() {
    tickers.delete(this);
  }
  render() {
    return html`<div role="row" class="row"></div>`;
  }
  fill(row) {
    const { colony, process, shown, isWrong, isStale } = row;
    const [health, healthTone] = shown.isUp ? healthOf(process) : ["", ""];
    const memory = process.usage?.memory;
    const cells = [...this.base.children];
    if (this.props.hasHosts) write(cells.shift(), hostOf(colony));
    const [name, state, pid, , starts, exit, healthCell, memoryCell] = cells;
    this.base.className = `row${isWrong ? " wrong" : ""}${isStale ? " stale" : ""}`;
    name.firstChild.href = pathOf(row);
    write(name.firstChild.firstChild, visible(process.name));
    state.className = `c-state ${isWrong && shown.tone !== "bad" ? "bad" : shown.tone}`;
    write(state.firstChild, shown.glyph);
    write(state.lastChild, visible(shown.state));
    write(pid, shown.isUp ? process.pid : "");
    write(starts, process.starts);
    write(exit, exitWord(process.last_exit));
    healthCell.className = `c-health ${healthTone}`;
    write(healthCell, health);
    write(memoryCell, typeof memory === "number" ? bytes(memory) : "");
    this.tick(row);
  }
  tick(row = this.props.row) {
    const [up, problem] = timesOf(row);
    write(this.base.querySelector(".c-up"), up);
    write(this.base.lastChild, problem);
  }
}

/** Writes text into an element, if it has another. */
function write(element, text) {
  if (element.textContent !== `${text}`) element.textContent = text;
}

/** Returns what of a row changes with time: for how long the process has run, and what is wrong with it. */
function timesOf({ process, shown }) {
  const now = serverNow();
  const up = shown.isUp ? span(now - Date.parse(process.started)) : "";
  return [up, shown.state === "unknown" ? "" : visible(faultOf(process, now))];
}

/** Names the host of a colony. */
export function hostOf({ host }) {
  return host ?? location.hostname;
}

/** The table. */
export function Table({ rows, hasHosts, sort, isDown, onSort }) {
  const columns = COLUMNS.filter(([name]) => hasHosts || name !== "host");
  return html`
    <div role="table" aria-label="Processes" aria-rowcount=${rows.length + 1}
      class=${`table${hasHosts ? " hosts" : ""}`} onKeyDown=${onArrow}>
        <div role="row" class="head">${columns.map(([name, title]) =>
          html`
            <div role="columnheader" class=${`c-${name}`}
              aria-sort=${sort !== name ? "none" : isDown ? "descending" : "ascending"}>
                  <button type="button" onClick=${() => onSort(name)}>${title}<span aria-hidden="true">${sort !== name
                    ? ""
                    : isDown
                    ? " ▾"
                    : " ▴"}</span></button></div>
          `
        )}</div>
        ${groupsOf(rows).map((group, index) => html`<${Group} key=${index} rows=${group} hasHosts=${hasHosts} />`)}
      </div>
  `;
}

function keyOf({ colony, process }, hasHosts) {
  return `${hasHosts ? colony.host ?? "" : ""}/${process.name}`;
}

/** Rows that are drawn again only if one of them changed. */
class Group extends Component {
  shouldComponentUpdate({ rows, hasHosts }) {
    const before = this.props.rows;
    return hasHosts !== this.props.hasHosts || rows.length !== before.length ||
      rows.some((row, at) => row !== before[at]);
  }
  render({ rows, hasHosts }) {
    return html`<div role="rowgroup" class="group">${
      rows.map((row) => html`<${Row} key=${keyOf(row, hasHosts)} row=${row} hasHosts=${hasHosts} />`)
    }</div>`;
  }
}

/** Cuts the rows into groups. The browser skips those that cannot be seen; to skip each row would cost more. */
function groupsOf(rows) {
  return Array.from({ length: Math.ceil(rows.length / CHUNK) }, (_, at) => rows.slice(at * CHUNK, (at + 1) * CHUNK));
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
