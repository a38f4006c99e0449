/** What is told: errors and steps in a line that is read aloud too, and loading in a bar. */

import { byId, el } from "./dom.js";
import { say } from "./texts.js";

let timer = 0;

/** Tell something once, on the page and to those who listen. @param {string} sentence @param {"info" | "error"} [kind] */
export function tell(sentence, kind = "info") {
  const box = byId("notice");
  box.replaceChildren(el("p", { class: kind }, sentence));
  box.dataset.shown = "yes";
  clearTimeout(timer);
  timer = setTimeout(() => delete box.dataset.shown, kind === "error" ? 12000 : 5000);
}

/** Say that Python is at work, if it is for long. @template T @param {Promise<T>} reply @returns {Promise<T>} */
export async function tellIfLong(reply) {
  const box = byId("notice");
  const words = say("working");
  const later = setTimeout(() => {
    tell(words);
    clearTimeout(timer);
  }, 2000);
  const found = await reply;
  clearTimeout(later);
  if (box.textContent === words) delete box.dataset.shown;
  return found;
}

let spoken = 0;

/** Tell only those who listen, and not while the last is still being read. @param {string} sentence @param {number} [pause] in milliseconds */
export function speak(sentence, pause = 1000) {
  if (performance.now() - spoken < pause) return;
  spoken = performance.now();
  byId("spoken").textContent = sentence;
}
