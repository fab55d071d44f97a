import { closestString } from "@std/text/closest-string";
import { levenshteinDistance } from "@std/text/levenshtein-distance";

/** Returns the known word that a misspelt one most likely stands for. Null if none is close to it. */
export function nearest(word: string, known: readonly string[]): string | null {
  if (known.length === 0) return null;
  const found = closestString(word, [...known]);
  const most = Math.min(Math.max(2, Math.floor(word.length / 3)), word.length - 1);
  return levenshteinDistance(word.toLowerCase(), found.toLowerCase()) <= most ? found : null;
}
