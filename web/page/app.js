/** The page: the table of all processes, or one process. */

import { html, render, useEffect, useState } from "./preact.js";
import { hostOf, localTime, span, utc, visible } from "./format.js";
import { connect, start, store, subscribe } from "./store.js";
import { Summary } from "./summary.js";
import { arranged, COLUMNS, rowsOf, Table } from "./table.js";
import { Ticking } from "./ticking.js";

/** Loads the page of a process once one is asked for. */
function LoadedProcess(props) {
  const [page, setPage] = useState(null);
  useEffect(() => void import("./process.js").then(({ ProcessPage }) => setPage(() => ProcessPage)), []);
  return page && html`<${page} ...${props} />`;
}

/** How long the first picture waits for the processes, in milliseconds. */
const PATIENCE = 500;

const PROCESS = /^(?:\/host\/([^/]+))?\/process\/([^/]+)$/;

/** What is searched for, shown and sorted by. It is in the address, so that it stays. */
function viewOf(params) {
  return {
    query: params.get("q") ?? "",
    isWrongOnly: params.has("wrong"),
    sort: params.get("sort"),
    isDown: params.has("down"),
  };
}

function addressOf({ query, isWrongOnly, sort, isDown }) {
  const params = new URLSearchParams();
  if (query !== "") params.set("q", query);
  if (isWrongOnly) params.set("wrong", "");
  if (sort !== null) params.set("sort", sort);
  if (isDown) params.set("down", "");
  return params.size === 0 ? "/" : `/?${params}`;
}

function App() {
  const [, draw] = useState({});
  const [path, setPath] = useState(location.pathname);
  const [view, setView] = useState(viewOf(new URLSearchParams(location.search)));
  useEffect(() => subscribe(() => draw({})), []);
  useEffect(() => {
    const onMove = () => {
      setPath(location.pathname);
      if (location.pathname === "/") setView(viewOf(new URLSearchParams(location.search)));
    };
    const go = (href) => {
      history.pushState(null, "", href);
      onMove();
      scrollTo(0, 0);
    };
    const onClick = (event) => {
      const link = event.target.closest?.("a[href^='/']");
      if (!link || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      // A new version of the page has other scripts, so the browser must load it.
      if (link.getAttribute("href").startsWith("/api/") || store.isOutdated) return;
      event.preventDefault();
      if (link.dataset.back !== undefined && history.state?.isFromTable) return history.back();
      const isFromTable = location.pathname === "/";
      go(link.getAttribute("href"));
      history.replaceState({ isFromTable }, "");
    };
    addEventListener("popstate", onMove);
    addEventListener("scrollend", keepScroll);
    document.addEventListener("click", onClick);
    return () => {
      removeEventListener("popstate", onMove);
      removeEventListener("scrollend", keepScroll);
      document.removeEventListener("click", onClick);
    };
  }, []);
  const rows = rowsOf(store.colonies);
  const wrong = rows.filter(({ isWrong }) => isWrong).length;
  const [host, name] = (PROCESS.exec(path)?.slice(1) ?? []).map((part) => part && decodeURIComponent(part));
  useEffect(() => {
    document.title = titleOf(rows, wrong, host ?? null, name);
  });
  const change = (part) => {
    const next = { ...view, ...part };
    history.replaceState(history.state, "", addressOf(next));
    setView(next);
  };
  return html`<${Connection} />
    ${
    name === undefined ? html`<${TablePage} rows=${rows} wrong=${wrong} view=${view} change=${change} />` : html`
      <${LoadedProcess} key=${path} host=${host ?? null} name=${name} />
    `
  }`;
}

/** Notes how far the page is scrolled, for when it is shown again. */
function keepScroll() {
  history.replaceState({ ...history.state, scroll: scrollY }, "");
}

/** Begins with what is wrong: with everything, or with the process that is shown. */
function titleOf(rows, wrong, host, name) {
  const about = name === undefined ? location.hostname : visible(name);
  return `${markOf(rows, wrong, host, name)}${about} · NColony`;
}

function markOf(rows, wrong, host, name) {
  if (store.connection === "resting") return "⏸ ";
  if (store.connection === "broken" || store.connection === "refused") return "⚠ ";
  const row = rows.find(({ colony, process }) => colony.host === host && process.name === name);
  if (row !== undefined) return row.isWrong ? "✗ " : "";
  if (name === undefined && wrong > 0) return `✗ ${wrong} wrong · `;
  return store.colonies.some(isUnwell) ? "✗ " : "";
}

function isUnwell({ unreachable, well }) {
  return Boolean(unreachable) || !well;
}

/** Says that the page is not connected, and so may be old. */
function Connection() {
  switch (store.connection) {
    case "broken":
      return html`
        <div class="banner bad top" role="alert">
          <${Ticking} text=${() =>
            `Lost the connection ${span(Date.now() - store.brokenAt)} ago: what is shown may be out of date. `} />
          <${Ticking} text=${() => `Retrying in ${span(store.retryAt - Date.now() + 999)}. `} />
          <button type="button" onClick=${connect}>Retry now</button>
        </div>
      `;
    case "refused":
      return html`<div class="banner bad top" role="alert">Your session has expired. <a href="/login" onClick=${(
        event,
      ) => {
        event.preventDefault();
        location.reload();
      }}>Log in</a></div>`;
    default:
      return store.isOutdated &&
        html`<div class="banner busy top" role="status">The server has a newer version of this page.
        ${" "}<button type="button" onClick=${() => location.reload()}>Reload</button></div>`;
  }
}

function TablePage({ rows, wrong, view, change }) {
  const { query, isWrongOnly, sort, isDown } = view;
  useEffect(() => {
    const onKey = (event) => {
      const isTyping = /^(input|select|textarea)$/i.test(event.target.tagName);
      if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "/") {
        event.preventDefault();
        document.getElementById("search").select();
      }
      if (event.key === "j" && document.activeElement === document.body) document.querySelector(".c-name a")?.focus();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
  const onSort = (name) => {
    if (sort !== name) change({ sort: name, isDown: false });
    else if (!isDown) change({ isDown: true });
    else change({ sort: null, isDown: false });
  };
  const onKeyDown = (event) => {
    if (event.key === "Escape") change({ query: "" });
    if (event.key === "ArrowDown") {
      event.preventDefault();
      document.querySelector(".c-name a")?.focus();
    }
  };
  const found = arranged(rows, view);
  const hasHosts = store.colonies.length > 1;
  return html`
    <header>
      <h1><a href="/">NColony</a> <span class="quiet">${location.host}</span></h1>
      <p class="live" role="status">${store.connection === "live"
        ? html`<span class="good">● live</span>`
        : html`<span class="quiet">○ ${store.connection === "connecting" ? "connecting" : "not live"}</span>`}</p>
    </header>
    <main>
          ${store.colonies.map((colony) =>
            html`<${Summary} key=${colony.host ?? ""} colony=${colony} hasHosts=${hasHosts} />`
          )}
              <${Happened} colonies=${store.colonies} />
          <form class="tools" role="search" onSubmit=${(event) => event.preventDefault()}>
            <label class="search"><span>Search <kbd>/</kbd></span>
              <input id="search" type="search" value=${query} autocomplete="off" spellcheck="false"
                onInput=${({ target }) => change({ query: target.value })} onKeyDown=${onKeyDown} /></label>
            <label class="check"><input type="checkbox" checked=${isWrongOnly}
                onChange=${({ target }) => change({ isWrongOnly: target.checked })} /> Problems only (${wrong})</label>
            <label class="sort"><span>Sort by</span> <select value=${sort ?? ""}
                onChange=${({ target }) => change({ sort: target.value || null, isDown: false })}>
              <option value="">what is wrong</option>
              ${COLUMNS.filter(([name]) => hasHosts || name !== "host").map(([name, title]) =>
                html`<option value=${name}>${title.toLowerCase()}</option>`
              )}</select></label>
            <p class="count quiet" role="status">${found.length === rows.length
              ? `${rows.length}`
              : `${found.length} of ${rows.length}`} ${rows.length === 1 ? "process" : "processes"}</p>
          </form>
          ${found.length > 0
            ? html`<${Table} rows=${found} hasHosts=${hasHosts} sort=${sort} isDown=${isDown} onSort=${onSort} />`
            : store.colonies.length > 0 &&
              html`<${Nothing} rows=${rows} isWell=${store.colonies[0].well} onClear=${() =>
                change({ query: "", isWrongOnly: false })} />`}
        </main>
  `;
}

/** What happened last: one sentence, and more if asked for. */
function Happened({ colonies }) {
  const all = colonies.flatMap((colony) => colony.happened.map((event) => ({ ...event, colony })));
  const newest = all.sort((a, b) => a.at < b.at ? 1 : a.at > b.at ? -1 : 0).slice(0, 50);
  if (newest.length === 0) return null;
  const told = ({ at, sentence, colony }) =>
    html`
      <time title=${localTime(at)}>${visible(utc(at))}</time>
      ${" "}<span>${colonies.length > 1 ? `${hostOf(colony)}: ` : ""}${visible(String(sentence))}</span>
    `;
  return html`
    <details class="happened">
      <summary><span>Last event:</span>${" "}${told(newest[0])}</summary>
      <ol class="past" reversed>${newest.map((event, index) =>
        html`<li key=${`${event.colony.host} ${event.id ?? index} ${event.at}`}>${told(event)}</li>`
      )}</ol>
    </details>
  `;
}

function Nothing({ rows, isWell, onClear }) {
  if (rows.length > 0) {
    return html`<p class="plain">No process matches. <button type="button" onClick=${onClear}>Show all</button></p>`;
  }
  return isWell &&
    html`<p class="plain">There are no processes. <code>ncolony-ctl add NAME --cmd CMD</code> adds one.</p>`;
}

/** Draws the page, scrolled to where it was when it was left. */
function show() {
  render(html`<${App} />`, document.getElementById("app"));
  scrollTo(0, history.state?.scroll ?? 0);
}

// The first picture has rows, unless these take long.
const late = setTimeout(show, PATIENCE);
await start();
clearTimeout(late);
show();
