/** Keys for the whole page, and the list of them. */

import { step, togglePlay } from "./controls.js";
import { el, isTyping } from "./dom.js";
import { closeSide, openSide } from "./side.js";
import { changed, store } from "./store.js";
import { say } from "./texts.js";
import { goBy } from "./timebar.js";

let single = true;

/** Keys in the order of the list, each with what it does; those without are explained only. @type {[string, string, (() => void) | null][]} */
const KEYS = [
  ["Space", "play", togglePlay],
  ["n", "step", step],
  [",", "back", () => goBy(-1)],
  [".", "forth", () => goBy(1)],
  ["d", "direction", () => ((store.direction = store.direction === "values" ? "gradients" : "values"), changed())],
  ["g", "drawing", () => /** @type {HTMLElement | null} */ (document.querySelector("#net [tabindex='0']"))?.focus()],
  ["t", "time", () => document.getElementById("timebar")?.focus()],
  ["?", "help", openHelp],
  ["← → ↑ ↓", "arrows", null],
  ["Enter", "enter", null],
  ["F2, 0 … 9", "typeover", null],
  ["Esc", "escape", null],
];

/** @param {HTMLElement} menu */
export function startKeyboard(menu) {
  menu.append(el("button", { type: "button", id: "open-help", "aria-label": say("keys.title"), onclick: openHelp }, "?"));
  document.addEventListener("keydown", onAnyKey);
}

/** @param {KeyboardEvent} event */
function onAnyKey(event) {
  if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === "Escape" && !document.querySelector("dialog[open]")) return closeSide();
  if (!single || isTyping() || document.querySelector("dialog[open]")) return;
  const pressed = event.key === " " ? "Space" : event.key;
  if (pressed === "Space" && document.activeElement?.closest("button, summary, [role='button'], a")) return;
  const act = KEYS.find(([key]) => key === pressed)?.[2];
  if (!act) return;
  event.preventDefault();
  act();
}

function openHelp() {
  const rows = KEYS.map(([key, what]) => el("tr", {}, el("th", { scope: "row" }, el("kbd", {}, key)), el("td", {}, say(`keys.${what}`))));
  const box = el("input", { type: "checkbox", id: "single-keys", checked: single, onchange: () => (single = box.checked) });
  openSide(say("keys.title"), [el("table", { class: "keys" }, ...rows), el("label", { class: "check" }, box, say("keys.single"))]);
}
