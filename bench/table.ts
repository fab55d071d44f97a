import type { Measure } from "./measures.ts";

/** All samples, by peer and measure. */
export type Samples = Record<string, Record<string, number[]>>;

/** Returns the median of some samples. */
export function median(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Returns the mean of some samples. */
export function mean(samples: readonly number[]): number {
  return samples.reduce((sum, sample) => sum + sample, 0) / samples.length;
}

/** Returns the value that a share of the samples does not exceed. A share of 1 gives the largest. */
export function percentile(samples: readonly number[], share: number): number {
  return samples.toSorted((a, b) => a - b)[Math.ceil(samples.length * share) - 1];
}

/** Returns a Markdown table: a row for each measure, a column for each peer, medians with minimum and maximum. */
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

/** Formats a number with two or three digits. More would mean nothing. */
export function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toPrecision(value >= 1 ? 3 : 2);
}
