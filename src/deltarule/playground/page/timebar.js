/** Time along the bottom: every update of every branch; dragged, stepped by keys, branched, compared. */

import { el, setAttribute, setText, svgEl, watchedSize } from "./dom.js";
import { speak } from "./notices.js";
import { act, actLatest, store, subscribe } from "./store.js";
import { say } from "./texts.js";

/** @typedef {import("./types").Branch} Branch */

const LANE = 16;
const strip = svgEl("svg", { class: "strip", role: "slider", tabindex: "0", id: "timebar", "aria-valuemin": "0" });
const whereText = el("output", { class: "where", for: "timebar" });
const tools = el("div", { class: "timetools" });
let drawnBranches = "";
let drawnChoices = "";
let dragging = false;
let stripSize = { width: 0, height: 0 };
/** The branch that the time bar goes along. */
let held = 0;
/** The update that is asked for and not there yet. @type {number | null} */
let sought = null;

/** @param {HTMLElement} place */
export function startTimebar(place) {
  place.append(whereText, el("div", { class: "stripbox" }, strip), tools);
  setAttribute(strip, "aria-label", say("time.bar"));
  strip.addEventListener("pointerdown", (event) => {
    dragging = true;
    strip.setPointerCapture(event.pointerId);
    goTo(updateAt(event), branchAt(event));
  });
  strip.addEventListener("pointermove", (event) => dragging && goTo(updateAt(event), held));
  for (const kind of ["pointerup", "pointercancel"]) strip.addEventListener(kind, () => (dragging = false));
  strip.addEventListener("keydown", onTimeKey);
  stripSize = watchedSize(strip, drawTimebar);
  subscribe(drawTimebar);
}

/** The last update of any branch, and at least some room before there are any. */
function lastUpdate() {
  return Math.max(20, ...(store.state?.branches ?? []).map((branch) => branch.last));
}

/** @param {number} update */
function across(update) {
  return 10 + (update / lastUpdate()) * (stripSize.width - 20);
}

/** @param {PointerEvent} event */
function updateAt(event) {
  const box = strip.getBoundingClientRect();
  return Math.round(((event.clientX - box.left - 10) / (box.width - 20)) * lastUpdate());
}

/** The branch whose line is under the pointer. @param {PointerEvent} event */
function branchAt(event) {
  const branch = store.state?.branches[Math.round((event.clientY - strip.getBoundingClientRect().top - LANE) / LANE)];
  const update = updateAt(event);
  return branch && branch.start <= update && update <= branch.last ? branch.id : undefined;
}

/** The branch along which time goes: that which was left for its past, as long as one is in its past. */
function lineOfTime() {
  const { branches, position } = /** @type {import("./types").State} */ (store.state);
  let branch = branches.find((one) => one.id === held);
  while (branch && branch.id !== position.branch && position.update < branch.start) branch = branches.find((one) => one.id === branch?.parent);
  return branch?.id === position.branch ? held : position.branch;
}

/** Go to an update of a branch, where none is named of the line of time. @param {number} update @param {number} [branch] */
function goTo(update, branch) {
  const { state } = store;
  if (!state) return;
  store.playing = false;
  held = branch ?? lineOfTime();
  const last = state.branches.find((one) => one.id === held)?.last ?? state.position.last;
  const target = Math.max(0, Math.min(last, update));
  sought = target;
  actLatest({ do: "seek", update: target, branch: held }).then(() => (sought = null));
  speak(say("time.at", { update: target }));
}

/** Go some updates on or back, from where one is on the way to. @param {number} updates */
export function goBy(updates) {
  goTo((sought ?? store.state?.position.update ?? 0) + updates);
}

/** @param {KeyboardEvent} event */
function onTimeKey(event) {
  const position = store.state?.position;
  if (!position) return;
  const step = event.shiftKey ? 10 : 1;
  const steps = { ArrowLeft: -step, ArrowRight: step, PageUp: -position.n_batches, PageDown: position.n_batches, Home: -Infinity, End: Infinity };
  const by = steps[/** @type {keyof typeof steps} */ (event.key)];
  if (by !== undefined) goBy(by);
  else if (event.key === "ArrowUp" || event.key === "ArrowDown") otherBranch(event.key === "ArrowUp" ? -1 : 1);
  else return;
  event.preventDefault();
  event.stopPropagation();
}

/** @param {number} step */
function otherBranch(step) {
  const { branches, position } = /** @type {import("./types").State} */ (store.state);
  const place = branches.findIndex((branch) => branch.id === position.branch) + step;
  if (branches[place]) act({ do: "switch", branch: branches[place].id });
}

/** Draw the lines, the place at hand and the words. */
export function drawTimebar() {
  const state = store.state;
  if (!state || !stripSize.width) return;
  const { position, branches } = state;
  const wanted = JSON.stringify([branches, position.branch, stripSize.width]);
  if (wanted !== drawnBranches) drawBranches(branches, position.branch);
  drawnBranches = wanted;
  const choices = JSON.stringify([branches.map((branch) => [branch.id, branch.change]), position.branch, state.other?.label]);
  if (choices !== drawnChoices) drawTools(branches, position.branch);
  drawnChoices = choices;
  const lane = branches.findIndex((branch) => branch.id === position.branch);
  const head = strip.querySelector(".grip");
  if (head) setAttribute(head, "transform", `translate(${across(position.update)} ${LANE * (lane + 1)})`);
  setAttribute(strip, "aria-valuemax", String(position.last));
  setAttribute(strip, "aria-valuenow", String(position.update));
  const words = say("time.words", { update: position.update, last: position.last, epoch: position.epoch, batch: position.batch + 1, of: position.n_batches });
  setAttribute(strip, "aria-valuetext", words);
  setText(whereText, words);
}

/** @param {Branch[]} branches @param {number} current */
function drawBranches(branches, current) {
  setAttribute(strip, "height", String(LANE * (branches.length + 1)));
  const lines = branches.map((branch, lane) => {
    const y = LANE * (lane + 1);
    const parent = branches.findIndex((one) => one.id === branch.parent);
    const fork = parent < 0 ? "" : `M${across(branch.start)} ${LANE * (parent + 1)}V${y}`;
    const path = svgEl("path", { d: `${fork}M${across(branch.start)} ${y}H${Math.max(across(branch.last), across(branch.start) + 1)}` });
    const title = svgEl("title", {}, say("time.branch", { label: branch.label, start: branch.start, change: branch.change || "–" }));
    return svgEl("g", { class: branch.id === current ? "branch current" : "branch" }, title, path);
  });
  const grip = svgEl("g", { class: "grip" }, svgEl("path", { class: "stem", d: "M0 -11V11" }), svgEl("circle", { r: 6.5 }));
  strip.replaceChildren(svgEl("path", { class: "ground", d: `M10 ${LANE}H${stripSize.width - 10}` }), ...lines, grip);
}

/** @param {Branch[]} branches @param {number} current */
function drawTools(branches, current) {
  const option = (/** @type {Branch} */ branch) => el("option", { value: String(branch.id) }, branch.change ? `${branch.label}: ${branch.change}` : branch.label);
  const pick = el("select", { id: "branch", onchange: () => act({ do: "switch", branch: Number(pick.value) }) }, ...branches.map(option));
  pick.value = String(current);
  const compare = el("select", { id: "compare", onchange: () => act({ do: "compare", branch: compare.value === "" ? null : Number(compare.value) }) });
  compare.append(el("option", { value: "" }, say("time.nobody")), ...branches.filter((branch) => branch.id !== current).map(option));
  compare.value = String(branches.find((branch) => branch.label === store.state?.other?.label)?.id ?? "");
  const many = branches.length > 1;
  tools.replaceChildren(
    el("button", { type: "button", id: "branch-here", title: say("time.branchtitle"), onclick: () => act({ do: "branch" }) }, say("time.branchhere")),
    ...(many ? [el("label", {}, say("time.branchlabel"), pick), el("label", {}, say("time.compare"), compare)] : []),
  );
}
