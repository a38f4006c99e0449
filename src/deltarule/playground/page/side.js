/** The panel at the side, which one thing at a time has: a derivation, questions, a program, files, help. Narrow pages have it slide over. */

import { byId, el } from "./dom.js";
import { say } from "./texts.js";

/** @type {((hadFocus: boolean) => void) | null} */
let whenClosed = null;
/** @type {Element | null} */
let opener = null;

/**
 * Open the panel with a title and content.
 * @param {string} title
 * @param {Node[]} content
 * @param {(hadFocus: boolean) => void} [closed] is called when the panel closes, or shows something else
 */
export function openSide(title, content, closed) {
  const side = byId("side");
  if (whenClosed && whenClosed !== closed) whenClosed(false);
  whenClosed = closed ?? null;
  if (side.hidden) opener = document.activeElement;
  const close = el("button", { class: "quiet", type: "button", "aria-label": say("side.close"), onclick: closeSide }, "✕");
  side.replaceChildren(el("header", {}, el("h2", { id: "side-title", tabindex: "-1" }, title), close), ...content);
  side.hidden = false;
  document.body.classList.add("with-side");
}

/** Close it, and give the focus back to where it came from. */
export function closeSide() {
  const side = byId("side");
  if (side.hidden) return;
  const hadFocus = side.contains(document.activeElement);
  side.hidden = true;
  document.body.classList.remove("with-side");
  if (hadFocus && opener instanceof HTMLElement && opener.isConnected) opener.focus();
  whenClosed?.(hadFocus);
  whenClosed = null;
}

/** Whether the panel shows what this function closes. @param {(hadFocus: boolean) => void} closed */
export function sideShows(closed) {
  return whenClosed === closed;
}
