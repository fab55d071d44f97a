/** How a colony is, in sentences. */

import { html } from "./preact.js";
import { hostOf, span, visible } from "./format.js";
import { serverNow } from "./store.js";
import { Ticking } from "./ticking.js";

/** What `ctl status` prints below the table, or that a peer cannot be reached. */
export function Summary({ colony, hasHosts }) {
  const { unreachable, summary, well } = colony;
  const host = hasHosts ? `${hostOf(colony)}: ` : "";
  if (unreachable) {
    return html`<div class="banner bad">${host}unreachable for <${Ticking} text=${() =>
      span(serverNow() - unreachable.since)} />
      ${" "}(${visible(unreachable.reason)}).${
      colony.processes.size > 0 ? " Showing its last known state." : ""
    }</div>`;
  }
  const [first = "", ...others] = summary;
  return html`<div class=${`banner ${well ? "good" : "bad"}`}><p><strong aria-hidden="true">${well ? "✓" : "✗"}</strong>
    ${" "}${host}${visible(first)}</p>${
    others.map((sentence) => html`<p key=${sentence}>${visible(sentence)}</p>`)
  }</div>`;
}
