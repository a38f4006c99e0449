/** A typed number: first one's guess of what it does to the loss, then what it does. */

import { byId, el, number, typedNumber } from "./dom.js";
import { tell } from "./notices.js";
import { act, store } from "./store.js";
import { say } from "./texts.js";
import { ask } from "./transport.js";

/** Changes of the loss by less than this share count as hardly any. */
const HARDLY = 0.005;

/**
 * Take a typed number for a weight, bias, input or target.
 * @param {string} name as in the drawing
 * @param {string} text
 */
export function proposeValue(name, text) {
  const value = typedNumber(text);
  if (value === null) return tell(say("edit.nonumber", { text }), "error");
  const [kind, index] = name.split(":");
  if (kind === "input") return void act({ do: "edit", input: Number(index), value: inNetworkUnits(Number(index), value) });
  if (kind === "target") return void act({ do: "edit", target: Number(index), value });
  predict(name, value);
}

/** The network's own number for one in the units of the data. @param {number} index @param {number} value */
function inNetworkUnits(index, value) {
  const input = store.state?.source.inputs[index];
  return store.view.units === "data" && input && input.scale ? (value - input.mean) / input.scale : value;
}

/** @param {string} name @param {number} value */
function predict(name, value) {
  const guesses = ["rise", "fall", "hardly"].map((guess) => el("button", { type: "button", onclick: () => reveal(name, value, guess) }, say(`edit.${guess}`)));
  const without = el("button", { type: "button", class: "quiet", onclick: () => set(name, value) }, say("edit.justset"));
  showDialog(say("edit.title", { name, value: number(value, 6) }), [el("p", {}, say("edit.question")), el("div", { class: "choices" }, ...guesses), without]);
}

/** @param {string} name @param {number} value @param {string} guess */
async function reveal(name, value, guess) {
  const { ok, before, after, error } = await ask({ do: "try", parameter: name, value });
  if (!ok || !before || !after) return tell(error ?? "", "error");
  const change = after.cost - before.cost;
  const truth = Math.abs(change) <= HARDLY * Math.abs(before.cost) ? "hardly" : change > 0 ? "rise" : "fall";
  const { digits } = store.view;
  const outputs = after.outputs.map((output, index) => `${number(before.outputs[index], digits)} → ${number(output, digits)}`).join(", ");
  showDialog(say("edit.title", { name, value: number(value, 6) }), [
    el("p", { class: truth === guess ? "right" : "wrong" }, say(truth === guess ? "edit.yes" : "edit.no")),
    el("p", {}, say(`edit.${truth}s`, { before: number(before.cost, digits), after: number(after.cost, digits) })),
    el("p", { class: "soft" }, say("edit.outputs", { outputs })),
    el("div", { class: "choices" }, el("button", { type: "button", class: "main", onclick: () => set(name, value) }, say("edit.keep")), el("button", { type: "button", onclick: closeDialog }, say("edit.leave"))),
  ]);
}

/** @param {string} name @param {number} value */
function set(name, value) {
  closeDialog();
  act({ do: "edit", parameter: name, value });
}

/** @param {string} title @param {Node[]} content */
export function showDialog(title, content) {
  const dialog = /** @type {HTMLDialogElement} */ (byId("dialog"));
  dialog.replaceChildren(el("h2", { id: "dialog-title" }, title), ...content);
  if (!dialog.open) dialog.showModal();
  dialog.querySelector("button")?.focus();
}

/** Close the dialog. */
export function closeDialog() {
  /** @type {HTMLDialogElement} */ (byId("dialog")).close();
}
