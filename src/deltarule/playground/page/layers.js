/** Above the drawing: forwards or backwards, the row shown, the phase at hand, and the layers with their neurons. */

import { byId, el, setText, typedNumber } from "./dom.js";
import { drawnColumns } from "./network.js";
import { changed, changeView, configure, store, subscribe } from "./store.js";
import { say, word } from "./texts.js";

/** @typedef {import("./types").Config} Config */

const MOST_LAYERS = 6;
const heads = el("div", { class: "heads" });
let drawnHeads = "";

/** @param {HTMLElement} toolbar @param {HTMLElement} place of the drawing */
export function startLayers(toolbar, place) {
  toolbar.append(directionSwitch(), rowChooser(), phases());
  place.append(heads);
  new ResizeObserver(() => ((drawnHeads = ""), drawLayers())).observe(place);
  subscribe(drawLayers);
}

function directionSwitch() {
  const option = (/** @type {"values" | "gradients"} */ direction) => {
    const input = el("input", { type: "radio", name: "direction", id: `direction-${direction}`, value: direction, onchange: () => ((store.direction = direction), changed()) });
    return el("label", {}, input, el("span", {}, say(`direction.${direction}`)));
  };
  return el("fieldset", { class: "switch" }, el("legend", { class: "unseen" }, say("direction")), option("values"), option("gradients"));
}

function rowChooser() {
  const kind = el("select", { id: "row-kind", "aria-label": say("row.kind"), onchange: () => changeView({ row: kind.value === "batch" ? "batch" : (store.state?.network?.row.rows[0] ?? 0) }) });
  kind.append(...["row", "batch", "own"].map((name) => el("option", { value: name }, say(`row.${name}`))));
  const go = (/** @type {number | null} */ row) => row !== null && changeView({ row: Math.max(0, Math.min((store.state?.source.rows ?? 1) - 1, Math.round(row))) });
  const input = el("input", { id: "row-number", type: "text", inputmode: "numeric", size: "4", "aria-label": say("row.number"), onchange: () => go((typedNumber(input.value) ?? 1) - 1) });
  const move = (/** @type {number} */ by) => go((store.state?.network?.row.number ?? 0) + by);
  const button = (/** @type {string} */ key, /** @type {string} */ sign, /** @type {number} */ by) => el("button", { type: "button", id: key, "aria-label": say(`row.${key}`), onclick: () => move(by) }, sign);
  return el("div", { class: "group row" }, kind, button("previous", "‹", -1), input, button("next", "›", 1));
}

function phases() {
  const list = el("ol", { class: "phases", "aria-label": say("phases"), id: "phases" });
  list.append(...["forward", "loss", "backward", "update"].map((phase) => el("li", { "data-phase": phase }, say(`phase.name.${phase}`))));
  return list;
}

function drawLayers() {
  const { state } = store;
  const network = state?.network;
  if (!state || !network) return;
  for (const direction of ["values", "gradients"]) /** @type {HTMLInputElement} */ (byId(`direction-${direction}`)).checked = store.direction === direction;
  /** @type {HTMLSelectElement} */ (byId("row-kind")).value = network.row.kind;
  const input = /** @type {HTMLInputElement} */ (byId("row-number"));
  if (input !== document.activeElement) input.value = network.row.number === null ? "–" : String(network.row.number + 1);
  input.disabled = network.row.kind !== "row";
  for (const item of byId("phases").children) item.setAttribute("aria-current", String(item.getAttribute("data-phase") === state.position.phase));
  drawHeads(state.config);
}

// ------------------------------------------------------------------ layers

/** @param {Config} config */
function drawHeads(config) {
  const { columns, width } = drawnColumns();
  const wanted = JSON.stringify([config.hidden, config.output, columns]);
  if (wanted === drawnHeads || columns.length !== config.hidden.length + 2) return;
  drawnHeads = wanted;
  heads.style.width = `${width}px`;
  heads.style.setProperty("--room", `${columns[1] - columns[0] - 6}px`);
  const focused = document.activeElement?.id;
  const inner = config.hidden.map((layer, index) => placedAt(head(config, layer, index), columns[index + 1]));
  heads.replaceChildren(placedAt(el("div", { class: "head" }, el("strong", {}, say("layer.inputs"))), columns[0]), ...inner, placedAt(lastHead(config), columns[columns.length - 1]));
  if (focused && heads.querySelector(`#${focused}`)) byId(focused).focus();
}

/** @param {HTMLElement} element @param {number} x */
function placedAt(element, x) {
  element.style.left = `${x}px`;
  return element;
}

/** @param {Config} config @param {{ units: number, activation: string }} layer @param {number} index */
function head(config, layer, index) {
  const change = (/** @type {{ units: number, activation: string } | null} */ other) => configure({ hidden: config.hidden.flatMap((one, place) => (place === index ? other ?? [] : one)) });
  const resize = (/** @type {string} */ key, /** @type {string} */ sign, /** @type {number} */ by) =>
    el("button", { type: "button", id: `${key}-${index + 1}`, "aria-label": say(`layer.${key}`, { number: index + 1 }), onclick: () => change(layer.units + by < 1 ? null : { ...layer, units: layer.units + by }) }, sign);
  const names = store.catalogue?.activations ?? [layer.activation];
  const activation = el("select", { id: `activation-${index + 1}`, "aria-label": say("layer.activation", { number: index + 1 }), onchange: () => change({ ...layer, activation: activation.value }) });
  activation.append(...(names.includes(layer.activation) ? names : [layer.activation, ...names]).map((name) => el("option", { value: name }, word(name))));
  activation.value = layer.activation;
  return el("div", { class: "head" }, el("div", { class: "units" }, resize("fewer", "−", -1), el("strong", {}, String(layer.units)), resize("more", "+", 1)), activation);
}

/** @param {Config} config */
function lastHead(config) {
  const { hidden } = config;
  const add = () => configure({ hidden: [...hidden, { ...(hidden[hidden.length - 1] ?? { units: 4, activation: "tanh" }) }] });
  const remove = () => configure({ hidden: hidden.slice(0, -1) });
  const layers = el("div", { class: "units", title: say("layer.count") });
  layers.append(
    el("button", { type: "button", id: "layer-fewer", disabled: hidden.length === 0, "aria-label": say("layer.remove"), onclick: remove }, "−"),
    el("span", {}, say("layer.layers", { count: hidden.length })),
    el("button", { type: "button", id: "layer-more", disabled: hidden.length >= MOST_LAYERS, "aria-label": say("layer.add"), onclick: add }, "+"),
  );
  setText(byId("layers-control"), "");
  byId("layers-control").append(layers);
  return el("div", { class: "head" }, el("strong", {}, say("layer.output")), el("span", { class: "soft" }, word(config.output)));
}
