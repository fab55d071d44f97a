/** Returns the FNV-1a hash of the UTF-16 code units of a text. It does not resist deliberate collisions. */
export function digest(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
