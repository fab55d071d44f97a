import { ASSETS } from "./assets.ts";

/** The page of every colony and process: a script fills it. */
export function mainPage(): string {
  return ASSETS["index.html"].text;
}

/**
 * Returns the page that asks for the token.
 *
 * @param next The path to go to after that.
 * @param fault What was wrong with the last try. Null if this is the first one.
 */
export function loginPage(next: string, fault: string | null): string {
  const texts: Readonly<Record<string, string>> = { next, fault: fault ?? "" };
  return ASSETS["login.html"].text.replaceAll(/\{(\w+)\}/g, (_, name) => escapeHtml(texts[name] ?? ""));
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
