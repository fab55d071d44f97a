/** What a process was like in the last hour, in three small charts. */

import { html, useEffect, useRef, useState } from "./preact.js";
import { bytes, span, utc } from "./format.js";

/** How often to ask for new samples, in milliseconds: so often the server takes one. */
const PERIOD = 15_000;

/** How many samples the server keeps. */
const FULL = 240;

const HEIGHT = 90;

const CHARTS = [
  [
    "uptime",
    "Up",
    (seconds) => span(seconds * 1000),
    ({ isUp }) => isUp ? null : "It was not running at any of these times.",
  ],
  ["starts", "Starts", (count) => `${Math.round(count)}`, () => null],
  [
    "memory",
    "Memory",
    bytes,
    () => "Not available: needs cgroups with the memory controller.",
  ],
];

/** Loads the library once a chart is needed. */
let library = null;
function loaded() {
  return library ??= new Promise((resolve, reject) => {
    const style = Object.assign(document.createElement("link"), {
      rel: "stylesheet",
      href: import.meta.resolve("./uplot.css"),
    });
    const script = Object.assign(document.createElement("script"), { src: import.meta.resolve("./uplot.js") });
    script.onload = () => resolve(globalThis.uPlot);
    script.onerror = () => {
      library = null;
      reject(new Error("uplot.js cannot be loaded"));
    };
    document.head.append(style, script);
  });
}

/** The charts of the samples at a path of the server. */
export function Charts({ path, isUp }) {
  const [series, setSeries] = useState(null);
  useEffect(() => {
    let isOver = false;
    const ask = async () => {
      const response = await fetch(path).catch(() => null);
      if (!isOver && response?.ok) setSeries(await response.json());
    };
    ask();
    const timer = setInterval(() => document.hidden || ask(), PERIOD);
    return () => {
      isOver = true;
      clearInterval(timer);
    };
  }, [path]);
  if (series === null || series.times.length === 0) return null;
  return html`
    <section aria-labelledby="charts-title">
      <h2 id="charts-title">The last hour</h2>
      <p class="quiet">A sample every 15 s since ${utc(series.times[0] * 1000)}${series.times.length < FULL
        ? ", when ncolony-web started"
        : ""}.</p>
      <div class="charts">${CHARTS.map(([key, title, format, whyNot]) =>
        html`
          <${Chart} key=${key} title=${title} times=${series.times} values=${series[key]} format=${format}
            whyNot=${whyNot({ isUp })} />
        `
      )}</div>
    </section>
  `;
}

function Chart({ title, times, values, format, whyNot }) {
  const place = useRef(null);
  const known = values.filter((value) => value !== null);
  const last = values.at(-1);
  useEffect(() => {
    if (known.length === 0) return;
    let [plot, isOver] = [null, false];
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const draw = (uPlot) => {
      if (isOver) return;
      plot?.destroy();
      plot = new uPlot(optionsOf(uPlot, place.current, format), drawable(times, values), place.current);
    };
    const redraw = () => loaded().then(draw, () => {});
    const resized = new ResizeObserver(() => plot?.setSize({ width: place.current.clientWidth, height: HEIGHT }));
    redraw();
    dark.addEventListener("change", redraw);
    resized.observe(place.current);
    return () => {
      isOver = true;
      dark.removeEventListener("change", redraw);
      resized.disconnect();
      plot?.destroy();
    };
  }, [times]);
  const range = known.length === 0 ? "" : `${format(least(known))} to ${format(most(known))}`;
  return html`<figure>
    <figcaption>${title} <span class="quiet">${
    last === null || last === undefined ? "" : format(last)
  }</span></figcaption>
    ${
    known.length === 0
      ? html`<p class="quiet">${whyNot ?? "There are no samples yet."}</p>`
      : html`<div class="chart" ref=${place} role="img" aria-label=${`${title}: ${range}`}></div>`
  }
  </figure>`;
}

/** For a single sample, the library would show a whole year. */
function drawable(times, values) {
  return times.length > 1 ? [times, values] : [[times[0] - PERIOD / 1000, times[0]], [null, values[0]]];
}

function least(values) {
  return values.reduce((a, b) => Math.min(a, b));
}

function most(values) {
  return values.reduce((a, b) => Math.max(a, b));
}

function optionsOf(uPlot, element, format) {
  const style = getComputedStyle(element);
  const color = (name) => style.getPropertyValue(name).trim();
  const axis = {
    stroke: color("--quiet"),
    font: "11px system-ui",
    grid: { stroke: color("--line"), width: 1 },
    ticks: { show: false },
  };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    scales: {
      x: { time: true },
      y: { range: (_, low, high) => [Math.min(low, 0), high > low ? high * 1.1 : low + 1] },
    },
    axes: [
      { ...axis, space: 80, size: 22 },
      { ...axis, size: 64, space: 34, values: (_, splits) => splits.map(format) },
    ],
    series: [{}, {
      stroke: color("--accent"),
      width: 1.5,
      fill: color("--tint"),
      points: { show: false },
      spanGaps: false,
      paths: uPlot.paths.stepped({ align: 1 }),
    }],
  };
}
