import type { Measure } from "./measures.ts";

/** All samples: of each peer, by measure. */
export type Samples = Record<string, Record<string, number[]>>;

/** The value in the middle. */
export function median(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The mean of some samples. */
export function mean(samples: readonly number[]): number {
  return samples.reduce((sum, sample) => sum + sample, 0) / samples.length;
}

/** The value below which such a share of them lies; 1 gives the largest. */
export function percentile(samples: readonly number[], share: number): number {
  return samples.toSorted((a, b) => a - b)[Math.ceil(samples.length * share) - 1];
}

/** A table in Markdown: a row for each measure, a column for each peer, medians with the least and the most. */
export function table(measures: readonly Measure[], peers: readonly string[], samples: Samples): string {
  const head = ["", ...peers];
  const rows = measures.map(({ name, title, unit }) => {
    return [`${title}, ${unit}`, ...peers.map((peer) => cell(samples[peer]?.[name] ?? []))];
  });
  return [head, head.map((_, i) => i === 0 ? "---" : "--:"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

function cell(samples: readonly number[]): string {
  if (samples.length === 0) return "–";
  const range = samples.length > 1 ? ` [${digits(Math.min(...samples))}–${digits(Math.max(...samples))}]` : "";
  return `${digits(median(samples))}${range}`;
}

/** Two or three digits: more mean nothing. */
export function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toPrecision(value >= 1 ? 3 : 2);
}
