/** The page of one process. */

import { html, useEffect, useState } from "./preact.js";
import { Charts } from "./charts.js";
import { exitWord, faultOf, healthOf, hostOf, localTime, span, stateOf, visible } from "./format.js";
import { Log } from "./log.js";
import { isStale, serverNow, store } from "./store.js";
import { Summary } from "./summary.js";
import { Ticking } from "./ticking.js";

/** How many events are shown at first. */
const SHORT = 12;

/** The page of a process. `host` is that of a peer, or null. */
export function ProcessPage({ host, name }) {
  const colony = store.colonies.find((colony) => colony.host === host);
  const process = colony?.processes.get(name);
  const api = host === null ? "/api" : `/api/hosts/${encodeURIComponent(host)}`;
  const about = (what) => `${api}/${what}/${encodeURIComponent(name)}`;
  const [story, setStory] = useState(null);
  useEffect(() => {
    let isOver = false;
    // What follows soon is asked for together.
    const timer = setTimeout(async () => {
      const response = await fetch(about("why")).catch(() => null);
      const told = await response?.json().catch(() => null);
      if (!isOver && told) setStory({ ...told, isFound: response.ok });
    }, story === null ? 0 : 100);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [host, name, process, colony?.monitor.alive, Boolean(colony?.unreachable), store.connection]);
  useEffect(() => void document.querySelector("h1")?.focus(), [host, name]);
  return html`<main class="process">
    <p><a href="/" data-back>← All processes</a></p>
    <h1 tabindex="-1"><bdi>${visible(name)}</bdi>${
    colony && (host !== null || store.colonies.length > 1) &&
    html`<span class="quiet">${` on ${hostOf(colony)}`}</span>`
  }</h1>
    ${
    colony && (colony.unreachable || colony.monitor.alive === false) &&
    html`<${Summary} colony=${colony} hasHosts=${store.colonies.length > 1} />`
  }
    ${process && html`<${Facts} colony=${colony} process=${process} />`}
    ${story && !story.isFound && html`<p class="banner bad" role="alert">${visible(String(story.error))}</p>`}
    <div class="columns">
      <div>${story?.isFound && html`<${Story} story=${story} />`}</div>
      <div>
        ${(process || story?.isFound) && html`<${Log} path=${about("follow")} />`}
        ${process && html`<${Charts} path=${about("samples")} isUp=${process.state === "running"} />`}
      </div>
    </div>
  </main>`;
}

function Facts({ colony, process }) {
  const shown = stateOf(colony, process);
  const isWrong = typeof process.fault === "string" || shown.state === "unknown";
  const [health, tone] = shown.isUp ? healthOf(process) : ["", ""];
  const facts = [
    ["Pid", shown.isUp ? process.pid : null],
    ["Up", shown.isUp && html`<${Ticking} text=${() => span(serverNow() - Date.parse(process.started))} />`],
    ["Starts", process.starts],
    ["Last exit", exitWord(process.last_exit)],
    ["Health", health && html`<span class=${tone}>${health}</span>`],
    ["Kill scope", process.scope],
  ].filter(([, value]) => value !== null && value !== "" && value !== false);
  return html`
    <div class=${`now ${isWrong ? "wrong" : ""} ${isStale(colony) ? "stale" : ""}`}>
      <p class=${`state ${isWrong ? "bad" : shown.tone}`}><span aria-hidden="true">${shown.glyph}</span> ${visible(
        shown.state,
      )}</p>
      <p class="problem">${shown.state !== "unknown" &&
        html`<${Ticking} text=${() => visible(faultOf(process, serverNow()))} />`}</p>
    </div>
    <dl class="facts">${facts.map(([title, value]) =>
      html`
        <div key=${title}>
          <dt>${title}</dt>
          <dd>${value}</dd>
        </div>
      `
    )}</dl>
  `;
}

function Story({ story: { stderr, sentences: { past, now } } }) {
  const [isWhole, setIsWhole] = useState(false);
  const newest = past.toReversed();
  const shown = isWhole ? newest : newest.slice(0, SHORT);
  return html`
    <section aria-labelledby="why-title">
      <h2 id="why-title">Why</h2>
      ${now.map((sentence) => html`<p key=${sentence}>${sentence}</p>`)}
    </section>
    ${stderr.length > 0 && html`
      <section aria-labelledby="stderr-title">
        <h2 id="stderr-title">Last stderr output before it died</h2>
        <pre class="stderr" tabindex="0">${stderr.map((line) => `${visible(line)}\n`).join("")}</pre>
      </section>
    `}
    <section aria-labelledby="past-title">
      <h2 id="past-title">What happened</h2>
      <ol class="past" reversed>
        ${shown.map(({ at, sentence }, index) =>
          html`<li key=${newest.length - index}><time title=${localTime(at)}>${at}</time> <span>${sentence}</span></li>`
        )}
      </ol>
      ${newest.length > shown.length && html`
        <button type="button" onClick=${() => setIsWhole(true)}>Show all ${newest.length}</button>
      `}
      ${newest.length === 0 && html`<p class="quiet">Nothing yet.</p>`}
    </section>
  `;
}
