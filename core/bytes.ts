/** Parses a number of bytes: digits, and K, M, G or T for a power of 1,024. Returns null if the text is anything else. */
export function parseBytes(text: string): number | null {
  const [, digits, unit] = /^(\d{1,15})([KMGT]?)$/.exec(text) ?? [];
  return digits === undefined ? null : Number(digits) * 1024 ** ["", "K", "M", "G", "T"].indexOf(unit!);
}
