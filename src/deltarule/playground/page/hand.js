/** Do it by hand: the moment's numbers become blanks; answers are marked, a wrong one is followed through, hints are given. */

import { safe } from "./derivation.js";
import { el, number } from "./dom.js";
import { openSide } from "./side.js";
import { changed, store } from "./store.js";
import { say } from "./texts.js";
import { ask } from "./transport.js";

/** @typedef {import("./types").Blank} Blank */
/** @typedef {import("./types").Mark} Mark */

const GROUPS = ["forward", "loss", "deltas", "gradients", "update"];
/** @type {Map<string, { input: HTMLInputElement, words: HTMLElement }>} */
const blanks = new Map();

/** @param {HTMLElement} menu */
export function startHand(menu) {
  menu.append(el("button", { type: "button", id: "open-hand", onclick: openHand }, say("hand.title")));
}

/** Ask which numbers, then give the sheet. */
export function openHand() {
  const boxes = GROUPS.map((group) => el("input", { type: "checkbox", id: `hand-${group}`, value: group, checked: group === "forward" }));
  const labels = boxes.map((box) => el("label", { class: "check" }, box, say(`hand.${box.value}`)));
  const go = () => giveSheet(boxes.filter((box) => box.checked).map((box) => box.value));
  const sheet = el("div", { id: "hand" });
  openSide(say("hand.title"), [el("p", {}, say("hand.words")), el("fieldset", { class: "checks" }, el("legend", {}, say("hand.which")), ...labels), el("button", { type: "button", class: "main", id: "hand-start", onclick: go }, say("hand.start")), sheet], showNumbers);
}

/** The drawing shows again what was asked for. */
function showNumbers() {
  store.blanks = [];
  changed();
}

/** @param {string[]} groups */
async function giveSheet(groups) {
  const place = /** @type {HTMLElement} */ (document.getElementById("hand"));
  const reply = await ask({ do: "hand", start: { groups } });
  if (!reply.ok) return place.replaceChildren(el("p", { class: "wrong" }, reply.error ?? ""));
  store.blanks = groups;
  changed();
  const result = el("p", { id: "hand-result", role: "status" });
  place.replaceChildren(sheetOf(reply), el("button", { type: "button", class: "main", id: "hand-mark", onclick: () => markAnswers(result) }, say("hand.mark")), result);
  blanks.values().next().value?.input.focus();
}

/** The sheet as it is printed, with a field in the place of each blank. @param {import("./types").Reply} reply */
function sheetOf(reply) {
  const page = new DOMParser().parseFromString(reply.html ?? "", "text/html").body;
  for (const paragraph of page.querySelectorAll("p")) if (paragraph.textContent?.includes("____")) paragraph.remove();
  const sheet = el("div", { class: "deltarule", lang: "en" }, ...safe(page));
  const lines = sheet.querySelectorAll(".line");
  blanks.clear();
  (reply.blanks ?? []).forEach((blank, index) => lines[index]?.querySelector(".sides")?.replaceChildren(...blankField(blank)));
  return sheet;
}

/** @param {Blank} blank */
function blankField(blank) {
  const input = el("input", { type: "text", inputmode: "decimal", size: "9", "aria-label": blank.name, "data-blank": blank.name });
  const words = el("div", { class: "words", role: "status" });
  const hint = el("button", { type: "button", class: "quiet", "aria-label": say("hand.hintfor", { name: blank.name }), "data-hint": blank.name, onclick: () => giveHint(blank.name, words) }, say("hand.hint"));
  blanks.set(blank.name, { input, words });
  return [el("span", {}, "= "), input, hint, words];
}

/** @param {string} name @param {HTMLElement} words */
async function giveHint(name, words) {
  const reply = await ask({ do: "hand", hint: name, answers: answers() });
  words.textContent = reply.hint ?? reply.error ?? "";
}

/** What stands in the blanks. */
function answers() {
  return Object.fromEntries([...blanks].map(([name, { input }]) => [name, input.value.trim().replace("−", "-").replace(",", ".")]));
}

/** @param {HTMLElement} result */
async function markAnswers(result) {
  const reply = await ask({ do: "hand", answers: answers() });
  if (!reply.ok) return result.replaceChildren(reply.error ?? "");
  for (const mark of reply.marks ?? []) {
    const blank = blanks.get(mark.name);
    if (!blank) continue;
    blank.input.className = mark.verdict === "empty" || mark.verdict === "right" ? mark.verdict : mark.counts ? "follows" : "wrong";
    blank.words.textContent = mark.verdict === "empty" ? "" : `${say(`hand.is.${blank.input.className}`)} ${mark.words}`;
  }
  result.textContent = say("hand.points", { points: number(reply.points, 4), of: number(reply.of, 4) });
}
