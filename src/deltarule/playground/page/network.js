/** The drawing in the middle: values forwards, or δ and gradients backwards; every part can be reached, read and changed. */

import { cleanPen, divergingImage, drawImages } from "./colours.js";
import { bytesOf, el, number, setAttribute, setText, svgEl, watchedSize } from "./dom.js";
import { proposeValue } from "./edit.js";
import { curveBetween, labelPlaces, layoutOf, pointBetween } from "./layout.js";
import { select, store, subscribe } from "./store.js";
import { say } from "./texts.js";

/** @typedef {import("./types").NetworkPart} NetworkPart */
/** @typedef {import("./types").Parameter} Parameter */
/** @typedef {import("./types").Neuron} Neuron */
/** @typedef {import("./types").Input} Input */
/** What can be reached: its shapes, what is written at it, and where the arrow keys find it. @typedef {{ group: SVGGElement, words: SVGGElement, line?: SVGPathElement, text?: SVGTextElement, sub?: SVGTextElement, column: number, order: number }} Item */

/** Items of the drawing by name. @type {Map<string, Item>} */
const items = new Map();
let shape = "";
/** @type {import("./layout.js").Layout | null} */
let layout = null;
let focused = "";
let hovered = "";
let size = { width: 0, height: 0 };
const svg = svgEl("svg", { class: "net", role: "group", id: "net" });
const tiles = el("canvas", { class: "tiles", "aria-hidden": "true" });

/** @param {HTMLElement} place */
export function startNetwork(place) {
  place.append(tiles, svg);
  svg.addEventListener("click", onClick);
  svg.addEventListener("dblclick", (event) => beginEdit(nameAt(event)));
  svg.addEventListener("keydown", onKey);
  svg.addEventListener("focusin", (event) => (focused = nameAt(event) ?? focused));
  for (const kind of ["pointerover", "focusin"]) svg.addEventListener(kind, (event) => light(nameAt(event)));
  for (const kind of ["pointerout", "focusout"]) svg.addEventListener(kind, () => light(null));
  size = watchedSize(place, drawNetwork);
  subscribe(drawNetwork);
}

/** @param {Event} event */
function nameAt(event) {
  const group = event.target instanceof Element ? event.target.closest("[data-name], [data-of]") : null;
  return group && (group.getAttribute("data-name") ?? group.getAttribute("data-of"));
}

/** Light up, in drawing and derivation, what belongs to a colour. @param {string | null} name */
function light(name) {
  items.get(hovered)?.words.classList.toggle("shown", store.selected === hovered);
  hovered = name ?? "";
  items.get(hovered)?.words.classList.add("shown");
  const tag = name === null ? undefined : store.tags[name];
  document.documentElement.dataset.lit = tag === undefined ? "" : String(tag);
}

/** @param {Event} event */
function onClick(event) {
  const name = nameAt(event);
  if (name === null || isInput(name)) return;
  focusItem(name);
  select(name);
}

/** @param {string} name */
function isInput(name) {
  return name.startsWith("input:") || name.startsWith("target:");
}

// ------------------------------------------------------------------ drawing

/** Draw the state at hand. */
export function drawNetwork() {
  const network = store.state?.network;
  if (!network || !size.width) return;
  const room = [size.width, Math.max(size.height, 330)];
  const wanted = JSON.stringify([room, network.inputs.map((input) => input.name), network.layers.map((layer) => [layer.neurons.length, layer.left_out, layer.activation]), network.targets.length]);
  if (wanted !== shape) {
    shape = wanted;
    build(network, room[0], room[1]);
  }
  refresh(network);
  drawTiles();
}

/** @param {NetworkPart} network @param {number} width @param {number} height */
function build(network, width, height) {
  layout = layoutOf(network, width, height);
  const found = layout;
  const hadFocus = svg.contains(document.activeElement);
  items.clear();
  svg.replaceChildren(svgEl("title", {}, say("net.title", { sizes: [network.inputs.length + network.left_out, ...network.layers.map((layer) => layer.neurons.length + layer.left_out)].join(" – ") })));
  setAttribute(svg, "viewBox", `0 0 ${found.width} ${found.height}`);
  setAttribute(svg, "width", String(found.width));
  setAttribute(svg, "height", String(found.height));
  const of = (/** @type {number} */ column) => found.places.filter((place) => place.layer === column);
  network.layers.forEach((layer, index) => buildWeights(layer, of(index), of(index + 1), index));
  for (const place of found.places) buildNode(network, place);
  network.targets.forEach((_, index) => buildTarget(of(network.layers.length)[index], index));
  svg.append(svgEl("g", { "aria-hidden": "true" }, ...[...items.values()].map((item) => item.words)));
  for (const { x, y, count } of found.more) svg.append(svgEl("text", { class: "soft middle", x, y }, say("net.more", { count })));
  const next = items.get(items.has(focused) ? focused : items.keys().next().value ?? "");
  next?.group.setAttribute("tabindex", "0");
  if (hadFocus) next?.group.focus();
}

/** @param {string} name @param {string} kind @param {number} column @param {number} order @param {Partial<Item>} parts @param {Element[]} shapes @param {Element[]} written */
function addItem(name, kind, column, order, parts, shapes, written) {
  const group = svgEl("g", { class: kind, role: "button", tabindex: "-1", "data-name": name }, ...shapes);
  const words = svgEl("g", { class: "words", "data-of": name }, ...written);
  items.set(name, { group, words, column, order, ...parts });
  svg.append(group);
}

/** @param {import("./types").Layer} layer @param {import("./layout.js").Place[]} from @param {import("./layout.js").Place[]} to @param {number} index */
function buildWeights(layer, from, to, index) {
  const { tile, named } = /** @type {import("./layout.js").Layout} */ (layout);
  const curves = layer.weights.map((weight) => ({ from: from[weight.from], to: to[weight.to] }));
  const labels = named[index] ? labelPlaces(curves, tile, 62) : curves.map(({ from: start, to: end }) => pointBetween(start, end, tile, 0.4));
  layer.weights.forEach((weight, place) => {
    const d = curveBetween(curves[place].from, curves[place].to, tile);
    const line = svgEl("path", { class: "line", d });
    const text = svgEl("text", { class: named[index] ? "label middle" : "label middle asked", x: labels[place].x, y: labels[place].y + 3.5 });
    addItem(weight.name, "edge", 2 * index + 1, weight.to * 1000 + weight.from, { line, text }, [svgEl("path", { class: "glow", d }), line, svgEl("path", { class: "hit", d })], [text]);
  });
}

/** @param {NetworkPart} network @param {import("./layout.js").Place} place */
function buildNode(network, place) {
  const { tile, roomy, tight, beside } = /** @type {import("./layout.js").Layout} */ (layout);
  const [x, y, half] = [place.x, place.y, tile / 2];
  const frame = svgEl("rect", { class: "frame", x: x - half, y: y - half, width: tile, height: tile, rx: 5 });
  const isIn = place.kind === "input";
  const at = isIn && beside ? { class: "name end", x: x - half - 6, y: y + 4 } : isIn ? { class: "name", x: Math.max(6, x - half - 40), y: y - half - 5 } : { class: "name middle", x, y: y - half - 5 };
  const name = svgEl("text", at, shortened(place.name, tight ? 11 : 16));
  const kept = roomy || (!tight && (isIn || place.layer === network.layers.length));
  const text = svgEl("text", kept ? { class: "number middle", x, y: y + half + 13 } : { class: "number asked", x: x + half + 5, y: y + 4 });
  const sub = svgEl("text", { class: "number soft middle", x, y: y + half + 26 });
  addItem(isIn ? `input:${place.index}` : place.name, `node ${place.kind}`, 2 * place.layer, 10 * place.index, { text, sub }, [frame], roomy ? [name, text, sub] : [name, text]);
  const bias = isIn ? null : network.layers[place.layer - 1].neurons[place.index].bias;
  if (bias && !items.has(bias.name)) {
    const square = svgEl("rect", { class: "line", x: x - half - 4, y: y + half - 6, width: 10, height: 10, rx: 2 });
    const room = tile < 40 ? 16 : 22;
    const hit = svgEl("rect", { class: "hit", x: x + 1 - half - room / 2, y: y - 1 + half - room / 2, width: room, height: room });
    addItem(bias.name, "bias", 2 * place.layer, 10 * place.index + 1, {}, [square, hit], []);
  }
}

/** Long names of columns do not fit. @param {string} name @param {number} most */
function shortened(name, most) {
  return name.length > most ? `${name.slice(0, most - 1)}…` : name;
}

/** @param {import("./layout.js").Place} place @param {number} index */
function buildTarget(place, index) {
  const { tile, tight } = /** @type {import("./layout.js").Layout} */ (layout);
  const x = place.x + tile / 2 + 12;
  const name = svgEl("text", { class: "soft", x, y: place.y - (tight ? 3 : 9) });
  const text = svgEl("text", { class: "number", x, y: place.y + (tight ? 12 : 6) });
  const sub = svgEl("text", { class: `number soft${tight ? " asked" : ""}`, x, y: place.y + (tight ? 26 : 21) });
  const frame = svgEl("rect", { class: "hit", x: x - 4, y: place.y - 23, width: 78, height: 50, rx: 5 });
  addItem(`target:${index}`, "target", 2 * place.layer + 1, index, { text, sub }, [frame], [name, text, sub]);
}

/** Write the numbers, signs and colours of the moment. @param {NetworkPart} network */
function refresh(network) {
  const backward = store.direction === "gradients";
  const quantity = backward ? "gradient" : "value";
  setAttribute(svg, "class", `net ${store.direction} phase-${store.state?.position.phase}`);
  setAttribute(svg, "aria-label", say(backward ? "net.backward" : "net.forward"));
  const all = network.layers.flatMap((layer) => layer.weights);
  const most = Math.max(1e-12, ...all.map((weight) => Math.abs(weight[quantity] ?? 0)));
  const thin = all.length > 150 ? 0.5 : 1;
  network.layers.forEach((layer) => {
    for (const weight of layer.weights) refreshParameter(weight, quantity, most, thin, say("net.weight", ends(network, layer, weight)));
    for (const neuron of layer.neurons) {
      refreshNeuron(neuron, backward);
      if (neuron.bias) refreshParameter(neuron.bias, quantity, most, thin, say("net.bias", { name: neuron.bias.name, of: neuron.name }));
    }
  });
  network.inputs.forEach((input, index) => {
    const written = number(shownInput(input), store.view.digits);
    refreshNumbers(`input:${index}`, written, say("net.input", { name: input.name, value: written }));
  });
  network.targets.forEach((target, index) => refreshTarget(target, index));
}

/** An input as the page's units say: scaled as the network sees it, or as the data have it. @param {{ value: number | null, raw: number | null }} input */
export function shownInput(input) {
  return store.view.units === "data" ? input.raw : input.value;
}

/** @param {NetworkPart} network @param {import("./types").Layer} layer @param {import("./types").Weight} weight */
function ends(network, layer, weight) {
  const before = layer.number === 1 ? network.inputs : network.layers[layer.number - 2].neurons;
  return { name: weight.name, from: before[weight.from].name, to: layer.neurons[weight.to].name };
}

/** @param {Parameter} parameter @param {"value" | "gradient"} quantity @param {number} most @param {number} thin @param {string} words */
function refreshParameter(parameter, quantity, most, thin, words) {
  const item = items.get(parameter.name);
  if (!item) return;
  const value = parameter[quantity];
  const kind = item.group.classList.contains("bias") ? "bias" : "edge";
  mark(item, parameter.name, `${kind} ${(value ?? 0) < 0 ? "neg" : "pos"}`);
  if (item.line) setAttribute(item.line, "stroke-width", (thin * (0.8 + (5.2 * Math.abs(value ?? 0)) / most)).toFixed(2));
  if (item.text) setText(item.text, `${parameter.name} ${quantity === "value" ? number(value, 3) : shownNumber(BACKWARD, value, 3)}`);
  const { digits } = store.view;
  describe(item, say("net.numbers", { words, value: number(parameter.value, digits), gradient: shownNumber(BACKWARD, parameter.gradient, digits) }));
}

/** @param {Item} item @param {string} name @param {string} kind */
function mark(item, name, kind) {
  const tag = store.tags[name] === undefined ? "" : ` tagged t${store.tags[name]}`;
  setAttribute(item.group, "class", `${kind}${tag}${store.selected === name ? " chosen" : ""}`);
  setAttribute(item.words, "class", `words${tag}${name === hovered || store.selected === name ? " shown" : ""}`);
}

/** A number, but for one that is to be worked out by hand. @param {string[]} groups @param {number | null} value @param {number} digits */
function shownNumber(groups, value, digits) {
  return groups.some((group) => store.blanks.includes(group)) ? "?" : number(value, digits);
}

const FORWARD = ["forward"];
const BACKWARD = ["deltas", "gradients", "update"];

/** @param {Neuron} neuron @param {boolean} backward */
function refreshNeuron(neuron, backward) {
  const { digits } = store.view;
  const words = say("net.neuron", { name: neuron.name, z: shownNumber(FORWARD, neuron.z, digits), a: shownNumber(FORWARD, neuron.a, digits), delta: shownNumber(BACKWARD, neuron.delta, digits) });
  const note = neuron.note ? ` ${say(`net.${neuron.note}`)}` : "";
  refreshNumbers(neuron.name, backward ? `δ ${shownNumber(BACKWARD, neuron.delta, digits)}` : `a ${shownNumber(FORWARD, neuron.a, digits)}`, words + note);
  const item = items.get(neuron.name);
  if (!item) return;
  mark(item, neuron.name, `node neuron ${neuron.note}`);
  if (item.sub) setText(item.sub, backward ? `a ${shownNumber(FORWARD, neuron.a, 3)}` : `z ${shownNumber(FORWARD, neuron.z, 3)}`);
}

/** @param {string} name @param {string} written @param {string} words */
function refreshNumbers(name, written, words) {
  const item = items.get(name);
  if (!item) return;
  if (name.startsWith("input:")) mark(item, name, "node input");
  if (item.text) setText(item.text, written);
  describe(item, words);
}

/** What is read aloud: while the network plays nobody could follow it. @param {Item} item @param {string} words */
function describe(item, words) {
  if (!store.playing || !item.group.hasAttribute("aria-label")) setAttribute(item.group, "aria-label", words);
}

/** @param {NetworkPart["targets"][number]} target @param {number} index */
function refreshTarget(target, index) {
  const { digits } = store.view;
  const share = shownNumber(["loss"], target.share, digits);
  refreshNumbers(`target:${index}`, `y ${number(target.value, digits)}`, say("net.target", { name: target.name, value: number(target.value, digits), share }));
  const item = items.get(`target:${index}`);
  if (!item) return;
  setText(/** @type {Element} */ (item.words.firstElementChild), target.name === "y" ? say("net.targetname") : target.name.length < 3 && store.state?.source.task === "classes" ? say("net.class", { name: target.name }) : target.name);
  if (item.sub) setText(item.sub, `L ${share}`);
}

/** Each neuron's own map, and a ramp for each input. */
function drawTiles() {
  if (!layout) return;
  const pen = cleanPen(tiles, layout.width, layout.height);
  tiles.style.width = `${layout.width}px`;
  tiles.style.height = `${layout.height}px`;
  const { maps } = store.state ?? {};
  const { tile } = layout;
  const pictures = layout.places.flatMap(({ kind, layer, index, x, y }) => {
    const map = kind === "neuron" && maps?.values[layer - 1]?.[index];
    const picture = map ? divergingImage(new Int8Array(bytesOf(map).buffer), maps.resolution, 127, 0.8) : kind === "input" ? ramp(index) : null;
    return picture ? [{ picture, x: x - tile / 2, y: y - tile / 2 }] : [];
  });
  drawImages(pen, pictures, tile);
}

/** The map of an input: itself, along its axis of the plane. @param {number} index */
function ramp(index) {
  const axis = store.view.axes.indexOf(index);
  if (axis < 0 || !store.state?.plane) return null;
  const values = Array.from({ length: 64 }, (_, at) => ((axis === 0 ? at % 8 : Math.floor(at / 8)) - 3.5) / 3.5);
  return divergingImage(values, 8, 1, 0.8);
}

// ------------------------------------------------------------------ keys

/** @param {KeyboardEvent} event */
function onKey(event) {
  const name = nameAt(event);
  if (name === null || event.ctrlKey || event.altKey || event.metaKey) return;
  const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const move = moves[/** @type {keyof typeof moves} */ (event.key)];
  if (move) focusItem(neighbour(name, move[0], move[1]));
  else if (event.key === "Enter" || event.key === " ") isInput(name) ? beginEdit(name) : select(name);
  else if (event.key === "F2" || /^[-−.\d]$/.test(event.key)) beginEdit(name, event.key === "F2" ? undefined : event.key);
  else return;
  event.preventDefault();
  event.stopPropagation();
}

/** @param {string} name @param {number} across @param {number} down */
function neighbour(name, across, down) {
  const here = items.get(name);
  if (!here) return name;
  const middle = (/** @type {Item} */ item) => item.group.getBBox().y + item.group.getBBox().height / 2;
  const column = [...items].filter(([, item]) => item.column === here.column + across).sort((a, b) => a[1].order - b[1].order);
  if (column.length === 0) return name;
  if (across) return column.reduce((best, one) => (Math.abs(middle(one[1]) - middle(here)) < Math.abs(middle(best[1]) - middle(here)) ? one : best))[0];
  const place = column.findIndex(([other]) => other === name) + down;
  return column[Math.max(0, Math.min(column.length - 1, place))][0];
}

/** @param {string} name */
export function focusItem(name) {
  items.get(focused)?.group.setAttribute("tabindex", "-1");
  const item = items.get(name);
  if (!item) return;
  focused = name;
  item.group.setAttribute("tabindex", "0");
  item.group.focus();
}

// ------------------------------------------------------------------ typing over numbers

/** The number of a name of the drawing. @param {string} name @returns {number | null} */
export function valueOf(name) {
  const network = store.state?.network;
  if (!network) return null;
  if (name.startsWith("input:")) return shownInput(network.inputs[Number(name.slice(6))]);
  if (name.startsWith("target:")) return network.targets[Number(name.slice(7))].value;
  const parameters = network.layers.flatMap((layer) => [...layer.weights, ...layer.neurons.flatMap((neuron) => neuron.bias ?? [])]);
  return parameters.find((parameter) => parameter.name === name)?.value ?? null;
}

/** @param {string | null} name @param {string} [first] what was typed already */
function beginEdit(name, first) {
  const item = items.get(name ?? "");
  if (!item || name === null || item.group.classList.contains("neuron")) return;
  const place = /** @type {HTMLElement} */ (svg.parentElement);
  const box = (item.text ?? item.line ?? item.group).getBoundingClientRect();
  const outer = place.getBoundingClientRect();
  const input = el("input", { class: "typeover", inputmode: "decimal", "aria-label": say("net.typeover", { name: labelOf(name) }), value: first ?? number(valueOf(name), 6) });
  input.style.left = `${box.left + box.width / 2 - outer.left + place.scrollLeft - 40}px`;
  input.style.top = `${box.top + box.height / 2 - outer.top + place.scrollTop - 15}px`;
  let ended = false;
  const end = (/** @type {boolean} */ keep) => {
    if (ended) return;
    ended = true;
    const text = input.value;
    input.remove();
    focusItem(name);
    if (keep) proposeValue(name, text);
  };
  input.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key !== "Enter" && event.key !== "Escape") return;
    event.preventDefault(); // else Enter would also press what gets the focus
    end(event.key === "Enter");
  });
  input.addEventListener("blur", () => end(false));
  place.append(input);
  input.focus();
  if (first === undefined) input.select();
}

/** What a thing of the drawing is called in a sentence. @param {string} name */
export function labelOf(name) {
  const network = store.state?.network;
  if (name.startsWith("input:")) return network?.inputs[Number(name.slice(6))].name ?? name;
  if (name.startsWith("target:")) return say("net.targetname");
  return name;
}

/** Where the columns of the drawing stand, and its width. */
export function drawnColumns() {
  return layout ?? { columns: [], width: 0 };
}

/** The drawing as a file of its own: the style and the maps inside. */
export function drawingAsSvg() {
  const copy = /** @type {SVGSVGElement} */ (svg.cloneNode(true));
  const { width, height } = /** @type {import("./layout.js").Layout} */ (layout);
  const rules = [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules]).map((rule) => rule.cssText);
  const style = rules.filter((rule) => rule.startsWith(":root") || rule.startsWith(".net") || rule.includes("prefers-color-scheme")).join("\n");
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  for (const part of copy.querySelectorAll("[tabindex]")) part.removeAttribute("tabindex");
  copy.prepend(svgEl("style", {}, style), svgEl("image", { href: tiles.toDataURL(), width, height }));
  return { text: new XMLSerializer().serializeToString(copy), width, height };
}

