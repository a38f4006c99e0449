/** The derivation beside the drawing: the moment's numbers, coloured as in the drawing, lit up both ways. */

import { el, number } from "./dom.js";
import { proposeValue } from "./edit.js";
import { focusItem, labelOf, valueOf } from "./network.js";
import { speak } from "./notices.js";
import { closeSide, openSide, sideShows } from "./side.js";
import { changed, changeView, select, store, subscribe } from "./store.js";
import { say } from "./texts.js";
import { ask } from "./transport.js";

/** @typedef {import("./types").Reply} Reply */

/** What the panel shows: the derivation, why the last update was what it was, or the sum over the samples. */
let tab = "derivation";
let asText = false;
let shown = "";
let shownName = "";
let asked = 0;
const body = el("div", { class: "derivation", id: "derivation" });
const chips = el("div", { class: "chips", role: "group" });
const heading = el("div", { class: "value" });

/** Follow what is selected, and the moment. */
export function startDerivation() {
  subscribe(follow);
  for (const kind of ["pointerover", "focusin"]) body.addEventListener(kind, (event) => lightTag(tagOf(event)));
  for (const kind of ["pointerout", "focusout"]) body.addEventListener(kind, () => lightTag(""));
}

/** @param {Event} event */
function tagOf(event) {
  const part = event.target instanceof Element ? event.target.closest("[class*='t0'],[class*='t1'],[class*='t2'],[class*='t3'],[class*='t4'],[class*='t5'],[class*='t6'],[class*='t7']") : null;
  return /\bt([0-7])\b/.exec(part?.getAttribute("class") ?? "")?.[1] ?? "";
}

/** @param {string} tag */
function lightTag(tag) {
  document.documentElement.dataset.lit = tag;
}

/** The panel was closed, or shows something else. @param {boolean} hadFocus */
function closed(hadFocus) {
  if (hadFocus) focusItem(shownName);
  shown = shownName = "";
  select(null);
}

function follow() {
  const name = store.selected;
  if (name === null) {
    if (sideShows(closed)) closeSide();
    return;
  }
  if (!store.state?.network) return;
  const { position, network } = store.state;
  if (name !== shownName) openPanel(name);
  const moment = JSON.stringify([name, tab, position.update, position.branch, position.phase === "update", network.row, store.notation, store.detail, store.view.digits, store.view.units, network.inputs, network.layers[0].weights[0]]);
  if (moment === shown || (store.playing && performance.now() - asked < 250)) return;
  shown = moment;
  asked = performance.now();
  refreshPanel(name, moment);
}

/** @param {string} name */
function openPanel(name) {
  const fresh = shownName === "";
  if (fresh) tab = "derivation";
  body.replaceChildren();
  shownName = name;
  openSide(say("derivation.title", { name }), [tabs(), heading, options(), chips, body], closed);
  if (fresh) document.getElementById("side-title")?.focus({ preventScroll: false });
}

function tabs() {
  const option = (/** @type {string} */ key) => {
    const input = el("input", { type: "radio", name: "tab", id: `tab-${key}`, checked: tab === key, onchange: () => ((tab = key), changed()) });
    return el("label", {}, input, el("span", {}, say(`derivation.${key}`)));
  };
  return el("fieldset", { class: "switch" }, el("legend", { class: "unseen" }, say("derivation.kind")), option("derivation"), option("why"), option("terms"));
}

function options() {
  const notation = choice("notation", store.catalogue?.notations ?? ["tutorial", "matrix", "column"], store.notation, (value) => (store.notation = value));
  const detail = choice("detail", ["chain", "delta"], store.detail, (value) => (store.detail = value));
  const digits = choice("digits", ["2", "3", "4", "6", "9"], String(store.view.digits), (value) => changeView({ digits: Number(value) }));
  const units = choice("units", ["scaled", "data"], store.view.units, (value) => changeView({ units: value === "data" ? "data" : "scaled" }));
  const text = el("input", { type: "checkbox", id: "as-text", checked: asText, onchange: () => ((asText = text.checked), (shown = ""), changed()) });
  return el("div", { class: "options" }, notation, detail, digits, units, el("label", { class: "check" }, text, say("derivation.astext")));
}

/** @param {string} key @param {string[]} values @param {string} now @param {(value: string) => void} take */
function choice(key, values, now, take) {
  const pick = el("select", { id: `choose-${key}`, onchange: () => (take(pick.value), changed()) }, ...values.map((value) => el("option", { value }, say(`${key}.${value}`))));
  pick.value = now;
  return el("label", {}, say(`derivation.${key}`), pick);
}

/** @param {string} name @param {string} moment in words that no other moment has */
async function refreshPanel(name, moment) {
  drawHeading(name);
  const common = { what: whatOf(name), notation: store.notation, digits: store.view.digits, detail: store.detail };
  const reply = await ask(tab === "terms" ? { do: "terms", what: name } : { do: tab === "why" ? "why" : "explain", ...common });
  if (shown !== moment) return;
  if (!reply.ok) return body.replaceChildren(el("p", { class: "soft" }, reply.error ?? ""));
  if (tab === "terms") drawTerms(reply);
  else drawDerivation(reply);
  speak(say("derivation.spoken", { name }));
  changed();
}

/** What explains a thing of the drawing: of a neuron its three numbers. @param {string} name */
export function whatOf(name) {
  const isNeuron = store.state?.network?.layers.some((layer) => layer.neurons.some((neuron) => neuron.name === name));
  return isNeuron ? [`net_${name}`, `out_${name}`, `delta_${name}`] : name;
}

/** The number itself, to be typed over. @param {string} name */
function drawHeading(name) {
  const value = valueOf(name);
  heading.hidden = value === null;
  if (heading.contains(document.activeElement)) return;
  const onEnter = (/** @type {KeyboardEvent} */ event) => event.key === "Enter" && (event.preventDefault(), proposeValue(name, input.value));
  const input = el("input", { type: "text", inputmode: "decimal", size: "9", value: number(value, 6), id: "new-value", onkeydown: onEnter });
  heading.replaceChildren(el("label", {}, `${name} =`, input), el("button", { type: "button", onclick: () => proposeValue(name, input.value) }, say("derivation.change")));
}

/** @param {Reply} reply */
function drawDerivation(reply) {
  const page = new DOMParser().parseFromString(reply.html ?? "", "text/html");
  store.tags = Object.fromEntries(Object.entries(reply.tags ?? {}).map(([name, tag]) => [name.replace(/^i(\d+)$/, (_, place) => `input:${place - 1}`), tag]));
  const text = el("pre", { tabindex: "0", role: "region", "aria-label": say("derivation.astext") }, reply.text ?? "");
  body.replaceChildren(asText ? text : el("div", { class: "deltarule", lang: "en" }, ...safe(page.body)));
  drawChips(asText ? null : body);
}

const FORBIDDEN = "script, style, link, iframe, object, embed, form, input, button, base, meta, foreignObject, figure, h1";

/** What may be shown of it: no scripts, no addresses, no handlers; the drawing stands beside already. @param {HTMLElement} found */
export function safe(found) {
  for (const element of found.querySelectorAll(FORBIDDEN)) element.remove();
  for (const element of found.querySelectorAll("*"))
    for (const { name } of [...element.attributes]) if (name.startsWith("on") || ["href", "src", "style", "xlink:href", "id"].includes(name)) element.removeAttribute(name);
  return [...found.childNodes];
}

/** One chip for each colour: what it stands for, to be reached by keyboard. @param {Element | null} found */
function drawChips(found) {
  const made = [0, 1, 2, 3, 4, 5, 6, 7].flatMap((tag) => {
    const math = found?.querySelector(`.left .t${tag}, .side .t${tag}`);
    if (!math) return [];
    const label = Object.keys(store.tags).find((name) => store.tags[name] === tag);
    const copy = document.createElementNS("http://www.w3.org/1998/Math/MathML", "math");
    copy.append(math.cloneNode(true));
    const chip = el("button", { type: "button", class: `chip t${tag}`, onfocus: () => lightTag(String(tag)), onblur: () => lightTag(""), onpointerenter: () => lightTag(String(tag)), onpointerleave: () => lightTag("") }, copy);
    if (label) chip.append(el("span", { class: "soft" }, say("derivation.chip", { name: labelOf(label) })));
    return [chip];
  });
  chips.setAttribute("aria-label", say("derivation.factors"));
  chips.hidden = made.length === 0;
  chips.replaceChildren(...made);
}

/** The sum over the batch, term by term. @param {Reply} reply */
function drawTerms(reply) {
  const rows = reply.rows ?? [];
  store.tags = {};
  drawChips(null);
  const most = Math.max(1e-300, ...rows.map((row) => Math.abs(row.value)));
  const { digits } = store.view;
  const lines = rows.map((row) => {
    const bar = el("span", { class: `bar ${row.value < 0 ? "neg" : "pos"}` });
    bar.style.setProperty("--share", String(Math.abs(row.value) / most));
    const show = el("button", { type: "button", class: "quiet", onclick: () => changeView({ row: row.row }) }, say("terms.row", { number: row.row + 1 }));
    const factors = row.factors ? `${row.factors.map((factor) => number(factor, digits)).join(" · ")} =` : "";
    return el("tr", {}, el("th", { scope: "row" }, show), el("td", { class: "soft" }, factors), el("td", {}, number(row.value, digits)), el("td", { class: "barcell" }, bar));
  });
  const sum = el("tr", { class: "sum" }, el("th", { scope: "row" }, say("terms.sum")), el("td"), el("td", {}, number(reply.sum, digits)), el("td"));
  body.replaceChildren(el("p", {}, say("terms.words")), el("table", { class: "terms" }, ...lines, sum));
}
