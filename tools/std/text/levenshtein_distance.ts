// @ts-types="./levenshtein_distance.d.ts"
export * from "npm:deno-std@1.3.0/text/levenshtein_distance.js";
