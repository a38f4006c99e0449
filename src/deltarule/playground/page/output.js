/** The column on the right: the plane with its tools, curves, and on request confusion, gradient flow and health. */

import { classColour, css } from "./colours.js";
import { byId, el, number, setText } from "./dom.js";
import { startCurves } from "./curves.js";
import { startPlane, tool } from "./plane.js";
import { changed, changeView, store, subscribe, wantPart } from "./store.js";
import { say, word } from "./texts.js";
import { ask } from "./transport.js";

/** @typedef {import("./types").State} State */

const EXTRAS = ["confusion", "flow"];
let drawnTools = "";
let healthAt = "";

/** @param {HTMLElement} place */
export function startOutput(place) {
  const box = el("div", { class: "planebox" });
  place.append(box, el("div", { id: "plane-tools", class: "planetools" }), meters(), el("h3", {}, say("curves.title")), legend(), el("div", { class: "curvebox", id: "curvebox" }));
  startPlane(box);
  box.append(el("span", { id: "axis-x" }), el("span", { id: "axis-y" }));
  startCurves(byId("curvebox"));
  place.append(...EXTRAS.map(extra), el("details", { id: "extra-health", ontoggle: () => void refreshHealth() }, el("summary", {}, say("health.title")), el("div", { class: "body" })));
  subscribe(drawOutput);
}

function legend() {
  const key = (/** @type {string} */ name, /** @type {string} */ kind) => el("span", { class: `key ${kind}`, id: `legend-${name}` }, say(`curves.${name}`));
  return el("p", { class: "legend" }, key("train", "solid"), key("test", "dashed"), key("other", "dotted"));
}

function meters() {
  const meter = (/** @type {string} */ id) => el("div", { class: "meter" }, el("span", { class: "soft" }, say(`meter.${id}`)), el("output", { id: `meter-${id}` }, "–"));
  return el("div", { class: "meters" }, ...["train", "test", "metric"].map(meter));
}

/** @param {State["loss"]} loss */
function drawMeters(loss) {
  setText(byId("meter-train"), number(loss.train, 4));
  setText(byId("meter-test"), number(loss.test, 4));
  const { metric } = loss;
  setText(/** @type {Element} */ (byId("meter-metric").previousElementSibling), metric ? word(metric.name) : say("meter.metric"));
  const value = metric?.test ?? metric?.train;
  setText(byId("meter-metric"), metric?.name === "accuracy" && typeof value === "number" ? `${number(100 * value, 3)} %` : number(value, 4));
}

/** @param {string} part */
function extra(part) {
  const details = el("details", { id: `extra-${part}`, ontoggle: () => wantPart(part, details.open) }, el("summary", {}, say(`${part}.title`)), el("div", { class: "body" }));
  return details;
}

function drawOutput() {
  const { state } = store;
  if (!state) return;
  drawPlaneTools(state);
  drawMeters(state.loss);
  setText(byId("legend-other"), state.other ? say("curves.other", { label: state.other.label ?? "" }) : "");
  byId("legend-other").hidden = !state.other;
  fillExtra("confusion", () => confusion(state));
  fillExtra("flow", () => flow(state));
  refreshHealth();
  byId("extra-confusion").hidden = state.source.task !== "classes";
}

/** A closed part is empty, so that opening it never shows what was true before. @param {string} part @param {() => Node[]} content */
function fillExtra(part, content) {
  const details = /** @type {HTMLDetailsElement} */ (byId(`extra-${part}`));
  /** @type {Element} */ (details.lastElementChild).replaceChildren(...(details.open ? content() : []));
}

// ------------------------------------------------------------------ tools of the plane

/** @param {State} state */
function drawPlaneTools(state) {
  const { inputs, classes, task } = state.source;
  const wanted = JSON.stringify([inputs.map((input) => input.name), classes, task, store.view.axes, tool.now, state.plane?.n_outputs, store.view.output, css("ink")]);
  if (wanted === drawnTools) return;
  drawnTools = wanted;
  byId("axis-x").textContent = inputs[store.view.axes[0]]?.name ?? "";
  byId("axis-y").textContent = inputs[store.view.axes[1]]?.name ?? "";
  const focused = document.activeElement?.id;
  byId("plane-tools").replaceChildren(toolSwitch(state), ...(inputs.length > 2 ? [axesChooser(state), el("p", { class: "soft" }, say("plane.others"))] : []), ...outputChooser(state));
  if (focused?.startsWith("tool-")) byId(focused)?.focus();
}

/** @param {State} state */
function toolSwitch(state) {
  if (state.source.editable === false) return el("p", { class: "soft" }, say("tool.none"));
  const names = ["move", "erase", ...(state.source.task === "classes" ? state.source.classes.map((_, index) => String(index)) : [])];
  const options = names.map((name) => {
    const input = el("input", { type: "radio", name: "tool", id: `tool-${name}`, checked: tool.now === name, onchange: () => ((tool.now = name), changed()) });
    const isClass = name !== "move" && name !== "erase";
    const words = isClass ? state.source.classes[Number(name)] : say(`tool.${name}`);
    return el("label", isClass ? { class: `class ${classColour(Number(name))}`, title: say("tool.paint", { name: words }) } : {}, input, el("span", {}, words));
  });
  return el("fieldset", { class: "switch" }, el("legend", { class: "unseen" }, say("tool")), ...options);
}

/** @param {State} state */
function axesChooser(state) {
  const chooser = (/** @type {0 | 1} */ axis) => {
    const select = el("select", { id: `choose-axis-${axis}`, onchange: () => changeView({ axes: axis === 0 ? [Number(select.value), store.view.axes[1]] : [store.view.axes[0], Number(select.value)] }) });
    select.append(...state.source.inputs.map((input, index) => el("option", { value: String(index) }, input.name)));
    select.value = String(store.view.axes[axis]);
    return el("label", {}, say(axis === 0 ? "plane.across" : "plane.up"), select);
  };
  return el("div", { class: "axes" }, chooser(0), chooser(1));
}

/** Of several numbers as outputs, the one to be shown. @param {State} state @returns {HTMLElement[]} */
function outputChooser(state) {
  const count = state.plane?.n_outputs ?? 1;
  if (count < 2 || state.source.task === "classes") return [];
  const select = el("select", { id: "choose-output", onchange: () => changeView({ output: Number(select.value) }) });
  select.append(...Array.from({ length: count }, (_, index) => el("option", { value: String(index) }, state.network?.targets[index]?.name ?? String(index + 1))));
  select.value = String(store.view.output);
  return [el("label", {}, say("plane.output"), select)];
}

// ------------------------------------------------------------------ on request

/** @param {State} state @returns {Node[]} */
function confusion(state) {
  const { confusion: found } = state;
  if (!found) return [el("p", { class: "soft" }, say("wait"))];
  const most = Math.max(1, ...found.counts.flat());
  const head = el("tr", {}, el("td"), ...found.classes.map((name) => el("th", { scope: "col" }, name)));
  const rows = found.counts.map((row, index) => {
    const cells = row.map((count, other) => {
      const cell = el("td", { class: index === other ? "hit" : "miss" }, String(count));
      cell.style.setProperty("--share", String(count / most));
      return cell;
    });
    return el("tr", {}, el("th", { scope: "row" }, found.classes[index]), ...cells);
  });
  return [el("p", { class: "soft" }, say("confusion.words")), el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": say("confusion.title") }, el("table", { class: "confusion" }, head, ...rows))];
}

/** @param {State} state @returns {Node[]} */
function flow(state) {
  const layers = state.flow ?? [];
  const most = Math.max(1e-300, ...layers.map((layer) => layer.gradient ?? 0));
  const bars = layers.map((layer) => {
    const bar = el("span", { class: "bar" });
    bar.style.setProperty("--share", String((layer.gradient ?? 0) / most));
    return el("div", { class: "flowrow" }, el("span", {}, say("flow.layer", { number: layer.layer })), bar, el("span", { class: "number" }, number(layer.gradient, 3)));
  });
  return [el("p", { class: "soft" }, say("flow.words")), ...bars];
}

/** Ask for the health of the moment, in words, while it is shown and nothing plays. */
async function refreshHealth() {
  const details = /** @type {HTMLDetailsElement} */ (byId("extra-health"));
  const { position, source } = /** @type {State} */ (store.state);
  const moment = JSON.stringify([position.update, position.branch, source.title]);
  if (!details.open || store.playing || moment === healthAt) return;
  healthAt = moment;
  const { findings = [], error } = await ask({ do: "health" });
  const texts = findings.map((finding) => el("div", { class: `finding ${finding.severity}` }, el("strong", {}, finding.title), el("p", {}, finding.text)));
  const content = error ? [el("p", { class: "soft" }, error)] : texts.length ? texts : [el("p", {}, say("health.well"))];
  /** @type {Element} */ (details.lastElementChild).replaceChildren(...content);
}
