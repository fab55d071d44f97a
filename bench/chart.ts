import type { Measure } from "./measures.ts";
import { digits, median, type Samples } from "./table.ts";

const LEFT = 190;
const LEGEND_COLUMNS = 7;
const LEGEND_ROW = 18;
const WIDTH = 640;
const BAR = 14;
const COLORS = [
  "#4878a8",
  "#e08a3c",
  "#5a9e5a",
  "#c05a5a",
  "#8a6ab0",
  "#8a7060",
  "#7a7a7a",
  "#d687b8",
  "#b8b83c",
  "#3cb8b8",
];

/** The bars of one measure: how many times as much as the base each of the other peers needs. */
interface Group {
  readonly title: string;
  readonly bars: readonly { readonly times: number; readonly color: string }[];
}

/**
 * Draws a bar chart in SVG: how many times as much time or memory as `base` each of the other peers needs, on a
 * logarithmic scale. A throughput counts as the time for the same number of bytes.
 */
export function chart(measures: readonly Measure[], peers: readonly string[], samples: Samples, base: string): string {
  const others = peers.filter((peer) => peer !== base);
  const color = (i: number) => COLORS[i % COLORS.length];
  const groups = measures.map((measure) => {
    const bars = others.map((peer, i) => ({ times: ratio(measure, samples[peer], samples[base]), color: color(i) }));
    return { title: measure.title, bars: bars.filter(({ times }) => Number.isFinite(times) && times > 0) };
  }).filter(({ bars }) => bars.length > 0);
  const legend = others.flatMap((peer, i) => {
    const [x, y] = [10 + i % LEGEND_COLUMNS * 120, 12 + Math.floor(i / LEGEND_COLUMNS) * LEGEND_ROW];
    return [rect(x, y, 12, color(i)), text(x + 16, y + 10, peer, "start")];
  });
  const top = 32 + Math.ceil(others.length / LEGEND_COLUMNS) * LEGEND_ROW;
  const height = top + groups.reduce((sum, { bars }) => sum + (bars.length + 1) * BAR, 0);
  const caption = `multiples of ${base}’s time or memory, on a logarithmic scale: right of 1× is more, left is less`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${LEFT + WIDTH + 60}" height="${height + 44}"`,
    `  font-family="sans-serif" font-size="11">`,
    '<rect width="100%" height="100%" fill="#fff"/>',
    ...legend,
    ...plot(groups, top, height),
    text(LEFT + WIDTH / 2, height + 34, caption, "middle"),
    "</svg>\n",
  ].join("\n");
}

function plot(groups: readonly Group[], top: number, height: number): string[] {
  const powers = groups.flatMap(({ bars }) => bars.map(({ times }) => Math.log10(times)));
  const [low, high] = [Math.floor(Math.min(0, ...powers)), Math.ceil(Math.max(1, ...powers))];
  const x = (power: number) => LEFT + (power - low) / (high - low) * WIDTH;
  const parts: string[] = [];
  for (let power = low; power <= high; power++) {
    parts.push(rect(x(power) - 0.5, top - 6, 1, power === 0 ? "#333" : "#ddd", height - top + 6));
    parts.push(text(x(power), height + 14, `${10 ** power}×`, "middle"));
  }
  let y = top;
  for (const { title, bars } of groups) {
    parts.push(text(LEFT - 10, y + bars.length * BAR / 2 + 3, title, "end"));
    for (const { times, color } of bars) {
      const [from, to] = [x(0), x(Math.log10(times))].toSorted((a, b) => a - b);
      parts.push(rect(from, y, to - from, color), text(to + 4, y + 10, `${digits(times)}×`, "start"));
      y += BAR;
    }
    y += BAR;
  }
  return parts;
}

function ratio({ name, unit }: Measure, of: Samples[string] = {}, base: Samples[string] = {}): number {
  const [value, one] = [median(of[name] ?? []), median(base[name] ?? [])];
  return unit === "MiB/s" ? one / value : value / one;
}

function rect(x: number, y: number, width: number, color: string, height = BAR - 2): string {
  const [left, top, across, down] = [x, y, width, height].map((value) => value.toFixed(1));
  return `<rect x="${left}" y="${top}" width="${across}" height="${down}" fill="${color}"/>`;
}

function text(x: number, y: number, words: string, anchor: "start" | "middle" | "end"): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${words}</text>`;
}
