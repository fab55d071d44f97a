/** Whether a client would rather have OpenMetrics than the text format of Prometheus, by its header `Accept`. */
export function wantsOpenMetrics(accept: string): boolean {
  const openMetrics = weightOf(accept, ["application/openmetrics-text"]);
  return openMetrics > 0 && openMetrics >= weightOf(accept, ["text/plain", "text/*", "*/*"]);
}

/** Returns how much a client wants one of these media types, from 0 to 1. */
function weightOf(accept: string, types: readonly string[]): number {
  const weights = accept.toLowerCase().split(",").map((range) => {
    const [type, ...parameters] = range.split(";").map((part) => part.trim());
    const weight = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
    return types.includes(type!) ? Number(weight ?? 1) : 0;
  });
  return Math.max(0, ...weights.filter((weight) => weight <= 1));
}
