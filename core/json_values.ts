/**
 * Reads single values of a JSON document that another program wrote. What is not as it should be counts as absent.
 *
 * @module
 */

import { isObject, type Json, type JsonObject } from "./json.ts";

/** Parses an object. Null if the text is none. */
export function objectIn(text: string): JsonObject | null {
  try {
    const value: Json = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

/** Returns a string. */
export function textOf(value: Json | undefined): string | null {
  return typeof value === "string" ? value : null;
}

/** Returns an integer that is not negative. */
export function count(value: Json | undefined): number | null {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

/** Returns a number that is not negative. */
export function amount(value: Json | undefined): number | null {
  return typeof value === "number" && value >= 0 ? value : null;
}

/** Returns a duration in seconds as milliseconds. */
export function milliseconds(value: Json | undefined): number | null {
  return typeof value === "number" && value >= 0 ? Math.round(value * 1000) : null;
}

/** Returns the strings of an array. */
export function texts(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter((text) => typeof text === "string") : [];
}

/** Returns a time in ISO 8601 as milliseconds since 1970. */
export function time(value: Json | undefined): number | null {
  const ms = typeof value === "string" ? Date.parse(value) : NaN;
  return Number.isFinite(ms) ? ms : null;
}

/** The latest time that has a date, in milliseconds since 1970. */
const MAX_TIME = 8.64e15;

/** Formats a time, or the nearest one that can be formatted. */
export function iso(ms: number): string;
export function iso(ms: number | null): string | null;
export function iso(ms: number | null): string | null {
  if (ms === null) return null;
  const near = Math.max(-MAX_TIME, Math.min(MAX_TIME, ms));
  return new Date(near).toISOString();
}

/** Formats a duration. */
export function seconds(ms: number): number;
export function seconds(ms: number | null): number | null;
export function seconds(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms) / 1000;
}
