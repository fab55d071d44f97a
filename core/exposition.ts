/**
 * The text formats in which Prometheus reads metrics.
 *
 * @module
 */

/** The text format 0.0.4 of Prometheus, or OpenMetrics 1.0. */
export type MetricsFormat = "prometheus" | "openmetrics";

/** The content types of the formats, for an answer over HTTP. */
export const METRICS_CONTENT_TYPES: Readonly<Record<MetricsFormat, string>> = {
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

/** A metric of all things of one kind. */
export interface Metric<T> {
  /** Its name. That of a counter, and no other, ends in `_total`. */
  readonly name: string;
  /** What it means. */
  readonly help: string;
  /** Returns the lines about one thing. `common` is the labels that all its lines have. */
  readonly lines: (thing: T, common: string) => string;
}

/** Returns a metric that has one value for each thing, or null for none. */
export function one<T>(name: string, help: string, valueOf: (thing: T) => number | null): Metric<T> {
  const lines = (thing: T, common: string) => {
    const value = valueOf(thing);
    return value === null ? "" : `${name}${common === "" ? "" : `{${common}}`} ${value}\n`;
  };
  return { name, help, lines };
}

/**
 * Returns a metric that has several values for each thing.
 *
 * @param label The label by which they differ.
 * @param keysOf Returns what that label can be. These words have nothing to escape.
 * @param valueOf Returns the value with this label. Null for none.
 */
export function each<T, K extends string>(
  name: string,
  help: string,
  label: string,
  keysOf: (thing: T) => readonly K[],
  valueOf: (thing: T, key: K) => number | null,
): Metric<T> {
  const lines = (thing: T, common: string) => {
    let text = "";
    const head = `${name}{${common}${common === "" ? "" : ","}${label}="`;
    for (const key of keysOf(thing)) {
      const value = valueOf(thing, key);
      if (value !== null) text += `${head}${key}"} ${value}\n`;
    }
    return text;
  };
  return { name, help, lines };
}

/** Formats metrics of things of one kind, each with its labels. A metric without any value is left out. */
export function formatMetrics<T>(
  metrics: readonly Metric<T>[],
  things: readonly (readonly [labels: Readonly<Record<string, string>>, thing: T])[],
  format: MetricsFormat,
): string {
  const labeled = things.map(([labels, thing]) => ({ common: formatLabels(labels), thing }));
  return metrics.map(({ name, help, lines }) => {
    let samples = "";
    for (const { common, thing } of labeled) samples += lines(thing, common);
    return samples === "" ? "" : heading(name, help, format) + samples;
  }).join("");
}

/** Returns the last line of a text. */
export function endOf(format: MetricsFormat): string {
  return format === "openmetrics" ? "# EOF\n" : "";
}

/** In OpenMetrics, a counter is called what its samples are called, without `_total`. */
function heading(name: string, help: string, format: MetricsFormat): string {
  const isCounter = name.endsWith("_total");
  const family = isCounter && format === "openmetrics" ? name.slice(0, -"_total".length) : name;
  return `# HELP ${family} ${help}\n# TYPE ${family} ${isCounter ? "counter" : "gauge"}\n`;
}

function formatLabels(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels).map(([label, value]) => {
    return `${label}="${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
  }).join(",");
}
