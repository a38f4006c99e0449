/** Check my code: a pasted backprop is run, compared and diagnosed by Python; what never ends can be ended. */

import { el } from "./dom.js";
import { openSide } from "./side.js";
import { act } from "./store.js";
import { say } from "./texts.js";
import { ask, restartPython } from "./transport.js";

const SAMPLE = "import numpy as np\n\ndef backprop(x, y, W1, W2):\n    h = 1 / (1 + np.exp(-x @ W1))\n    out = 1 / (1 + np.exp(-h @ W2))\n    d_out = (out - y) * out * (1 - out)\n    d_h = d_out @ W2.T\n    return x.T @ d_h, h.T @ d_out\n";
let code = SAMPLE;
/** The link to come back to, should Python have to be ended. */
let back = "";

/** @param {HTMLElement} menu */
export function startCode(menu) {
  menu.append(el("button", { type: "button", id: "open-code", onclick: openCode }, say("code.title")));
}

/** Open the panel. */
export function openCode() {
  const area = el("textarea", { id: "code", rows: "14", spellcheck: "false", "aria-label": say("code.paste"), oninput: () => (code = area.value) });
  area.value = code;
  const result = el("div", { id: "code-result", role: "status" });
  const run = el("button", { type: "button", class: "main", id: "code-run", onclick: () => check(area, run, end, result) }, say("code.run"));
  const end = el("button", { type: "button", id: "code-end", hidden: true, onclick: endIt }, say("code.end"));
  openSide(say("code.title"), [el("p", {}, say("code.words")), area, el("div", { class: "choices" }, run, end), result]);
}

/** @param {HTMLTextAreaElement} area @param {HTMLButtonElement} run @param {HTMLButtonElement} end @param {HTMLElement} result */
async function check(area, run, end, result) {
  back = (await ask({ do: "link" })).link ?? "";
  run.disabled = true;
  end.hidden = false;
  result.replaceChildren(el("p", {}, say("code.running")));
  const reply = await ask({ do: "check", code: area.value });
  run.disabled = false;
  end.hidden = true;
  if (!reply.ok) return result.replaceChildren(el("p", { class: "wrong" }, reply.error === "ended" ? say("code.ended") : reply.error ?? ""));
  const kind = reply.verdict === "right" ? "right" : reply.verdict === "wrong" ? "wrong" : "soft";
  result.replaceChildren(el("p", { class: kind }, say(`code.${kind}`)), el("pre", { tabindex: "0", role: "region", "aria-label": say("code.report") }, reply.text ?? ""), ...lineShown(area.value, reply.line));
}

/** @param {string} text @param {number | null | undefined} line @returns {HTMLElement[]} */
function lineShown(text, line) {
  if (!line) return [];
  return [el("p", { class: "cell" }, el("span", { class: "soft" }, say("data.line", { line })), el("code", {}, el("mark", {}, text.split("\n")[line - 1] ?? "")))];
}

/** End Python, and come back to the same moment with another. */
async function endIt() {
  await restartPython();
  if (back) await act({ do: "open", link: back });
}
