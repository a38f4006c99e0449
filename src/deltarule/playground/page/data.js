/** The data on the left: bundled sets, a table that is dropped or pasted, points of one's own, a function. */

import { byId, bytesOf, el, typedNumber } from "./dom.js";
import { tell } from "./notices.js";
import { act, store, subscribe } from "./store.js";
import { say } from "./texts.js";

/** @typedef {import("./types").Reply} Reply */
/** @typedef {import("./types").State} State */

/** More text than this, in characters, is not sent. */
const LARGEST = 20_000_000;
/** The table at hand, for when another column becomes the target. @type {{ text: string, name: string } | null} */
let table = null;
let drawnSource = "";

/** @param {HTMLElement} place */
export function startData(place) {
  const source = el("section", { id: "source", "aria-label": say("data.source") });
  const picture = el("figure", { id: "picture", hidden: true }, el("canvas", { "aria-hidden": "true" }), el("figcaption", { class: "soft" }));
  place.append(source, picture, el("div", { id: "fault", role: "alert" }), ownData(), functionForm(), el("div", { id: "sets" }));
  document.addEventListener("dragover", (event) => (event.preventDefault(), document.body.classList.add("dropping")));
  for (const kind of ["dragleave", "drop"]) document.addEventListener(kind, () => document.body.classList.remove("dropping"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    const file = event.dataTransfer?.files[0];
    if (file) openFile(file);
  });
  document.addEventListener("paste", onPaste);
  subscribe(drawData);
}

/** A table that is pasted anywhere but into a field. @param {ClipboardEvent} event */
function onPaste(event) {
  const text = event.clipboardData?.getData("text/plain") ?? "";
  if (event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement || text.trim().split("\n").length < 2) return;
  openTable(text, say("data.pasted"));
}

/** Open a set, rewound. @param {string} name */
export function openSet(name) {
  table = null;
  return open({ set: name });
}

/** @param {Record<string, unknown>} what */
async function open(what) {
  store.playing = false;
  store.selected = null;
  const reply = await act({ do: "open", ...what });
  showFault(reply);
  if (reply.ok) tell(say("data.opened", { title: reply.state?.source.title ?? "", rows: reply.state?.source.rows ?? 0 }));
  return reply;
}

/** A file: a table as text, or a saved model. @param {File} file */
export async function openFile(file) {
  if (file.size > LARGEST) return tell(say("data.toolarge", { name: file.name }), "error");
  if (/\.(csv|tsv|txt|data|dat)$/i.test(file.name)) return openTable(await file.text(), file.name);
  const bytes = new Uint8Array(await file.arrayBuffer());
  const letters = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return open({ model: btoa(letters), name: file.name });
}

/** @param {string} text @param {string} name @param {string | null} [target] */
function openTable(text, name, target = null) {
  table = { text, name };
  return open({ table: text, name, target });
}

// ------------------------------------------------------------------ forms

function ownData() {
  const file = el("input", { type: "file", id: "file", class: "unseen", onchange: () => file.files?.[0] && openFile(file.files[0]) });
  const area = el("textarea", { id: "paste", rows: "5", spellcheck: "false", placeholder: say("data.example"), "aria-label": say("data.paste") });
  const use = el("button", { type: "button", id: "use-paste", onclick: () => openTable(area.value, say("data.pasted")) }, say("data.use"));
  return el("details", { id: "own" }, el("summary", {}, say("data.own")), el("label", { class: "drop", for: "file" }, say("data.drop")), file, area, use, el("p", {}, el("button", { type: "button", id: "empty-plane", onclick: emptyPlane }, say("data.empty"))));
}

/** Two points, one of each class, as a start for painting. */
function emptyPlane() {
  table = null;
  open({ points: { x: [[-0.5, -0.5], [0.5, 0.5]], y: [0, 1] } });
}

function functionForm() {
  const formula = el("input", { type: "text", id: "formula", value: "sin(3*x1) + x2", spellcheck: "false" });
  const noise = el("input", { type: "text", id: "noise", value: "0.1", size: "4", inputmode: "decimal" });
  const rows = el("input", { type: "text", id: "function-rows", value: "200", size: "4", inputmode: "numeric" });
  const task = el("select", { id: "task" }, el("option", { value: "regression" }, say("data.regression")), el("option", { value: "classification" }, say("data.classification")));
  const make = () => {
    const [noisy, count] = [typedNumber(noise.value), typedNumber(rows.value)];
    if (noisy === null || count === null) return tell(say("edit.nonumber", { text: noisy === null ? noise.value : rows.value }), "error");
    table = null;
    open({ function: formula.value, noise: noisy, rows: Math.round(count), task: task.value });
  };
  const label = (/** @type {string} */ key, /** @type {HTMLElement} */ input) => el("label", {}, say(key), input);
  return el("details", { id: "function" }, el("summary", {}, say("data.function")), label("data.formula", formula), el("div", { class: "pair" }, label("data.noise", noise), label("data.rows", rows)), label("data.task", task), el("button", { type: "button", id: "use-function", onclick: make }, say("data.make")));
}

/** Name the bad cell, and show its line. @param {Reply} reply */
function showFault(reply) {
  const box = byId("fault");
  box.replaceChildren();
  if (reply.ok) return;
  box.append(el("p", {}, reply.error ?? ""));
  for (const fault of reply.faults ?? []) box.append(el("p", {}, fault));
  if (reply.where) box.append(...cellShown(reply.where.line, reply.where.column));
}

/** A line of the table at hand, with one field marked. @param {number} line @param {number | null | undefined} field */
function cellShown(line, field) {
  if (!table) return [];
  const text = table.text.split(/\r?\n/)[line - 1] ?? "";
  const parts = text.split(/([,;\t])/);
  const cells = parts.map((part, index) => (field && index === 2 * (field - 1) ? el("mark", {}, part || " ") : part));
  return [el("p", { class: "cell" }, el("span", { class: "soft" }, say("data.line", { line })), el("code", {}, ...cells))];
}

// ------------------------------------------------------------------ what is open

function drawData() {
  const { state, catalogue } = store;
  drawPicture();
  const wanted = JSON.stringify([catalogue?.sets, state?.source]);
  if (!state || wanted === drawnSource) return;
  drawnSource = wanted;
  byId("sets").replaceChildren(...["plane", "table", "worked"].map((kind) => setGroup(kind, state)));
  drawSource(state);
}

/** @param {string} kind @param {State} state */
function setGroup(kind, state) {
  const sets = (store.catalogue?.sets ?? []).filter((one) => one.kind === kind);
  const buttons = sets.map((one) => el("button", { type: "button", class: "set", "aria-pressed": String(state.source.title === one.title), "data-set": one.name, onclick: () => openSet(one.name) }, one.title));
  return el("div", { class: "setgroup", role: "group", "aria-label": say(`data.${kind}`), hidden: sets.length === 0 }, el("h3", {}, say(`data.${kind}`)), ...buttons);
}

/** @param {State} state */
function drawSource(state) {
  const { source } = state;
  const facts = say(source.task === "classes" ? "data.classes" : "data.numbers", { count: say(source.rows === 1 ? "data.count.one" : "data.count", { rows: source.rows.toLocaleString("en") }), inputs: source.n_inputs, classes: source.classes.length });
  const decisions = source.decisions.length ? [el("details", { id: "decisions", open: source.decisions.some((one) => one.line) }, el("summary", {}, say("data.decisions", { count: source.decisions.length })), el("ul", {}, ...source.decisions.map(decisionItem)))] : [];
  byId("source").replaceChildren(el("h3", {}, source.title), el("p", { class: "soft" }, facts), ...targetChooser(source), ...decisions);
}

/** The inputs of the rows that are shown, where they are a picture. */
function drawPicture() {
  const { picture, row } = store.state?.network ?? { picture: null };
  const figure = byId("picture");
  figure.hidden = !picture;
  if (!picture || !row) return;
  const [canvas, caption] = /** @type {[HTMLCanvasElement, HTMLElement]} */ (/** @type {unknown} */ (figure.children));
  caption.textContent = say(`data.picture.${row.kind}`, { row: row.number ?? 0 });
  Object.assign(canvas, { width: picture.width, height: picture.height });
  const image = new ImageData(picture.width, picture.height);
  bytesOf(picture.values).forEach((grey, at) => image.data.set([grey, grey, grey, 255], 4 * at));
  canvas.getContext("2d")?.putImageData(image, 0, 0);
}

/** A decision, with the cell that it is about. @param {import("./types").Source["decisions"][number]} decision */
function decisionItem(decision) {
  return el("li", {}, decision.text, ...(decision.line ? cellShown(decision.line, decision.field) : []));
}

/** @param {import("./types").Source} source @returns {HTMLElement[]} */
function targetChooser(source) {
  const columns = source.columns ?? [];
  if (!table || columns.length < 2) return [];
  const { text, name } = table;
  const select = el("select", { id: "target", onchange: () => openTable(text, name, select.value) }, ...columns.map((column) => el("option", { value: column }, column)));
  select.value = source.target;
  return [el("label", {}, say("data.target"), select)];
}
