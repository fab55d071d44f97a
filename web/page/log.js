/** The log of a process, as it grows. */

import { html, useEffect, useLayoutEffect, useRef, useState } from "./preact.js";
import { visible } from "./format.js";

/** How many lines are kept. */
const MAX_LINES = 1000;

/** How long to wait before the log is followed again, in milliseconds. */
const PAUSE = 3000;

const STAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ([OE-]) /;

let number = 0;

/** The log at a path of the server. */
export function Log({ path }) {
  const [log, setLog] = useState({ lines: [], exists: null, fault: null, isLive: false });
  const [isAtEnd, setIsAtEnd] = useState(true);
  const box = useRef(null);
  useEffect(() => {
    let [stream, timer] = [null, null];
    const open = () => {
      stream = new EventSource(path);
      stream.addEventListener("lines", ({ data }) => {
        const { begin, lines, exists, fault = null } = JSON.parse(data);
        const added = lines.map((text) => ({ key: number++, text }));
        setLog((log) => ({
          lines: (begin ? added : [...log.lines, ...added]).slice(-MAX_LINES),
          exists,
          fault,
          isLive: true,
        }));
      });
      stream.onerror = () => {
        stream.close();
        setLog((log) => ({ ...log, isLive: false }));
        timer = setTimeout(open, PAUSE);
      };
    };
    open();
    return () => {
      clearTimeout(timer);
      stream.close();
    };
  }, [path]);
  useLayoutEffect(() => {
    if (isAtEnd && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [log, isAtEnd]);
  const onScroll = ({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) =>
    setIsAtEnd(scrollHeight - scrollTop - clientHeight < 30);
  const isThere = log.exists && !log.fault;
  const note = log.fault
    ? `It cannot be read: ${visible(log.fault)}.`
    : log.exists === false
    ? "There is no log: the process was never started, or the monitor or ncolony-web runs without --logs."
    : log.exists && log.lines.length === 0
    ? "It is empty."
    : null;
  return html`<section aria-labelledby="log-title">
    <h2 id="log-title">Log <span class=${`live ${!log.isLive ? "bad" : isThere ? "good" : "quiet"}`}>${
    !log.isLive ? "○ not connected" : isThere ? "● live" : "○ not there"
  }</span></h2>
    ${note && html`<p class="quiet">${note}</p>`}
    ${
    log.lines.length > 0 && html`<div class="log-frame">
      <div class="log" ref=${box} onScroll=${onScroll} tabindex="0" role="log" aria-live="off" aria-label="Log">
        ${log.lines.map(({ key, text }) => html`<div key=${key} class=${toneOf(text)}>${visible(text) || " "}</div>`)}
      </div>
      ${
      !isAtEnd && html`<button type="button" class="to-end" onClick=${() => setIsAtEnd(true)}>↓ newest lines</button>`
    }
    </div>`
  }
  </section>`;
}

function toneOf(text) {
  const stream = STAMP.exec(text)?.[1];
  return stream === "E" ? "line bad" : stream === "-" ? "line quiet" : "line";
}
