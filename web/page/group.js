/** Some rows of the table. They are drawn without Preact, which takes a third of the time. */

import { Component, html } from "./preact.js";
import { bytes, exitWord, faultOf, healthOf, hostOf, span, visible } from "./format.js";
import { serverNow } from "./store.js";
import { everySecond } from "./ticking.js";

/** A row. Its texts replace the dots. */
const TEMPLATE = document.createElement("template");
TEMPLATE.innerHTML = `<div role="row" class="row">
<div role="cell" class="c-host">.</div>
<div role="cell" class="c-name"><a><bdi>.</bdi></a></div>
<div role="cell"><span aria-hidden="true">.</span> <span>.</span></div>
<div role="cell" class="c-pid">.</div>
<div role="cell" class="c-up">.</div>
<div role="cell" class="c-starts">.</div>
<div role="cell" class="c-exit">.</div>
<div role="cell">.</div>
<div role="cell" class="c-memory">.</div>
<div role="cell" class="c-problem">.</div>
</div>`.replaceAll("\n", "");

/** The element of a row. */
class RowElement {
  constructor(hasHosts) {
    this.base = TEMPLATE.content.firstChild.cloneNode(true);
    this.cells = [];
    for (let cell = this.base.firstChild; cell !== null; cell = cell.nextSibling) this.cells.push(cell);
    if (!hasHosts) this.cells[0].remove();
    this.stopTicking = everySecond(this);
  }
  fill(row) {
    if (row === this.row) return;
    this.row = row;
    const { colony, process, shown, isWrong, isStale } = row;
    const [health, healthTone] = shown.isUp ? healthOf(process) : ["", ""];
    const memory = process.usage?.memory;
    const [host, { firstChild: name }, state, pid, , starts, exit, healthCell, memoryCell] = this.cells;
    this.base.className = `row${isWrong ? " wrong" : ""}${isStale ? " stale" : ""}`;
    write(host, hostOf(colony));
    name.href = pathOf(row);
    write(name.firstChild, visible(process.name));
    state.className = `c-state ${isWrong && shown.tone !== "bad" ? "bad" : shown.tone}`;
    write(state.firstChild, shown.glyph);
    write(state.lastChild, visible(shown.state));
    write(pid, shown.isUp ? process.pid : "");
    write(starts, process.starts);
    write(exit, exitWord(process.last_exit));
    healthCell.className = `c-health ${healthTone}`;
    write(healthCell, health);
    write(memoryCell, typeof memory === "number" ? bytes(memory) : "");
    this.tick();
  }
  tick() {
    const { process, shown } = this.row;
    const now = serverNow();
    write(this.cells[4], shown.isUp ? span(now - Date.parse(process.started)) : "");
    write(this.cells[9], shown.state === "unknown" ? "" : visible(faultOf(process, now)));
  }
}

/** Writes text into an element that has nothing but a text, if it has another. */
function write({ firstChild: text }, value) {
  if (text.data !== `${value}`) text.data = value;
}

/** Returns the path of the page of a process. */
function pathOf({ colony, process }) {
  const host = colony.host === null ? "" : `/host/${encodeURIComponent(colony.host)}`;
  return `${host}/process/${encodeURIComponent(process.name)}`;
}

/** A group of rows. A process keeps its element as long as it is in the group. */
export class Group extends Component {
  elements = new Map();

  shouldComponentUpdate({ rows }) {
    const before = this.props.rows;
    if (rows.length !== before.length || rows.some((row, at) => row !== before[at])) this.fill(rows);
    return false;
  }
  componentDidMount() {
    this.fill(this.props.rows);
  }
  componentWillUnmount() {
    for (const { stopTicking } of this.elements.values()) stopTicking();
  }
  render() {
    return html`<div role="rowgroup" class="group"></div>`;
  }
  fill(rows) {
    const before = this.elements;
    this.elements = new Map();
    for (const row of rows) {
      const key = `${row.colony.host ?? ""}/${row.process.name}`;
      const element = before.get(key) ?? new RowElement(this.props.hasHosts);
      before.delete(key);
      element.fill(row);
      this.elements.set(key, element);
    }
    for (const { base, stopTicking } of before.values()) {
      base.remove();
      stopTicking();
    }
    let next = this.base.firstChild;
    for (const { base } of this.elements.values()) {
      // An element that is where it belongs must not be moved: it may have the focus.
      if (base === next) next = next.nextSibling;
      else this.base.insertBefore(base, next);
    }
  }
}
