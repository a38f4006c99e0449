/** The controls on top: play and steps of every size, speed, start, and the settings of network and training. */

import { byId, el, number, setText, svgEl, typedNumber } from "./dom.js";
import { tell } from "./notices.js";
import { act, changed, configure, drawn, store, subscribe } from "./store.js";
import { say, word } from "./texts.js";
import { goBy } from "./timebar.js";

/** @typedef {import("./types").Config} Config */
/** @typedef {{ key: keyof Config, kind: "number" | "choice", choices?: "optimizers" | "outputs" | "losses" | "initializers" | "scales" | string[], low?: number, high?: number, main?: boolean }} Setting */

/** @type {Setting[]} */
const SETTINGS = [
  { key: "learning_rate", kind: "number", low: 0, main: true },
  { key: "optimizer", kind: "choice", choices: "optimizers", main: true },
  { key: "batch_size", kind: "number", low: 1, main: true },
  { key: "output", kind: "choice", choices: "outputs", main: true },
  { key: "loss", kind: "choice", choices: "losses", main: true },
  { key: "l2", kind: "number", low: 0, main: true },
  { key: "l1", kind: "number", low: 0 },
  { key: "dropout", kind: "number", low: 0, high: 0.95 },
  { key: "initializer", kind: "choice", choices: "initializers" },
  { key: "bias", kind: "choice", choices: ["neuron", "shared", "none"] },
  { key: "scale", kind: "choice", choices: "scales" },
  { key: "test_share", kind: "number", low: 0, high: 0.9 },
];

/** Steps a second for each place of the speed control; the last is as fast as it goes. */
const SPEEDS = [0.5, 1, 2, 4, 8, 16, 30, Infinity];
const UNITS = ["phase", "sample", "batch", "epoch"];

/** @type {Map<keyof Config, HTMLInputElement | HTMLSelectElement>} */
const fields = new Map();

/** @param {HTMLElement} place of the buttons @param {HTMLElement} settings place of the fields */
export function startControls(place, settings) {
  place.append(...playButtons(), seedField());
  const [main, more] = [SETTINGS.filter((one) => one.main), SETTINGS.filter((one) => !one.main)];
  settings.append(...main.map(field), el("details", { class: "more" }, el("summary", {}, say("set.more")), el("div", {}, ...more.map(field))));
  subscribe(drawControls);
}

/** Signs on the buttons, as paths in a square of 16. */
const ICONS = {
  rewind: "M3 3h2v10H3zM13.5 3v10L6 8z",
  back: "M11 3v10H9V3zM8 3v10L2 8z",
  play: "M4 2.5v11L13 8z",
  pause: "M4 3h3v10H4zM9 3h3v10H9z",
  step: "M3 3v10L9.5 8zM10 3h2.5v10H10z",
};

/** @param {keyof typeof ICONS} name */
function icon(name) {
  return svgEl("svg", { class: "icon", viewBox: "0 0 16 16", "aria-hidden": "true" }, svgEl("path", { d: ICONS[name] }));
}

/** @param {"rewind" | "back" | "play" | "step"} key @param {() => void} press */
function button(key, press) {
  return el("button", { type: "button", id: key, "aria-label": say(`play.${key}`), title: say(`play.${key}`), onclick: press }, icon(key));
}

/** @returns {HTMLElement[]} */
function playButtons() {
  const unit = el("select", { id: "unit", "aria-label": say("play.unit"), onchange: () => ((store.unit = unit.value), changed()) }, ...UNITS.map((name) => el("option", { value: name }, say(`unit.${name}`))));
  unit.value = store.unit;
  const speed = el("input", { id: "speed", type: "range", min: "0", max: String(SPEEDS.length - 1), step: "1", value: String(store.speed), oninput: () => ((store.speed = Number(speed.value)), changed()) });
  const buttons = el("div", { class: "group" }, button("rewind", rewind), button("back", () => goBy(-1)), button("play", togglePlay), button("step", stepOnce), unit);
  return [buttons, el("div", { class: "group" }, el("label", { class: "speed" }, say("play.speed"), speed, el("output", { id: "speed-words", for: "speed" })))];
}

/** Pause, and take one step. */
function stepOnce() {
  store.playing = false;
  step();
}

/** Back to update 0 of the same start. */
function rewind() {
  store.playing = false;
  act({ do: "rewind" });
}

function seedField() {
  const seed = el("input", { id: "seed", type: "text", inputmode: "numeric", size: "4", onchange: () => newStart(typedNumber(seed.value)) });
  const fresh = el("button", { type: "button", id: "new-start", title: say("play.newtitle"), onclick: () => newStart(null) }, say("play.new"));
  return el("div", { class: "group" }, el("label", {}, say("play.seed"), seed), fresh);
}

/** @param {number | null} seed */
function newStart(seed) {
  store.playing = false;
  act({ do: "restart", ...(seed === null ? {} : { seed: Math.round(seed) }) });
}

// ------------------------------------------------------------------ playing

/** One step of the size that is chosen. */
export function step() {
  const message = store.unit === "phase" ? { do: "phase" } : { do: "train", unit: store.unit, count: 1 };
  return act(message).then((reply) => {
    if (store.unit === "phase" && reply.state) followPhase(reply.state.position.phase);
    return reply;
  });
}

/** The drawing turns backwards with the backward phase. @param {string} phase */
function followPhase(phase) {
  store.direction = phase === "backward" || phase === "update" ? "gradients" : "values";
  tell(say(`phase.${phase}`));
  changed();
}

/** Play, or pause. */
export function togglePlay() {
  store.playing = !store.playing;
  changed();
  if (store.playing) play();
}

/** Steps, until somebody pauses or the training stops: the next is computed while the last is drawn. */
async function play() {
  while (store.playing) {
    const pause = new Promise((resolve) => setTimeout(resolve, SPEEDS[store.speed] === Infinity ? 0 : 1000 / SPEEDS[store.speed]));
    const fastest = SPEEDS[store.speed] === Infinity && store.unit !== "phase";
    const asked = fastest ? act({ do: "train", unit: "updates", count: 100000, milliseconds: 15 }) : step();
    const [reply] = await Promise.all([asked, pause, drawn()]);
    if (!reply.ok || reply.state?.stopped) store.playing = false;
  }
  changed();
}

// ------------------------------------------------------------------ settings

/** @param {Setting} setting */
function field(setting) {
  const input = setting.kind === "choice" ? choiceField(setting) : numberField(setting);
  input.id = `set-${setting.key}`;
  fields.set(setting.key, input);
  return el("label", { class: `setting ${setting.kind}` }, el("span", {}, say(`set.${setting.key}`)), input);
}

/** @param {Setting} setting */
function choiceField(setting) {
  const select = el("select", { onchange: () => configure({ [setting.key]: select.value }) });
  return select;
}

/** @param {Setting} setting */
function numberField(setting) {
  const take = () => {
    const value = typedNumber(input.value);
    const { low = -Infinity, high = Infinity } = setting;
    if (value !== null && value >= low && value <= high) return configure({ [setting.key]: value });
    tell(say("set.wrong", { name: say(`set.${setting.key}`), text: input.value }), "error");
    input.value = number(/** @type {number} */ (store.state?.config[setting.key]), 6);
  };
  const input = el("input", { type: "text", inputmode: "decimal", size: "5", onchange: take });
  return input;
}

/** @param {Setting} setting @param {HTMLSelectElement} select @param {string} now */
function fill(setting, select, now) {
  const known = typeof setting.choices === "string" ? store.catalogue?.[setting.choices] ?? [] : setting.choices ?? [];
  const names = known.map((one) => (typeof one === "string" ? one : one.name));
  const all = names.includes(now) ? names : [now, ...names];
  if (select.options.length !== all.length || select.options[0].value !== all[0]) select.replaceChildren(...all.map((name) => el("option", { value: name }, word(name))));
  select.value = now;
}

function drawControls() {
  const { state } = store;
  if (!state) return;
  const { config } = state;
  for (const setting of SETTINGS) {
    const input = /** @type {HTMLInputElement | HTMLSelectElement} */ (fields.get(setting.key));
    if (input === document.activeElement && input instanceof HTMLInputElement) continue;
    if (input instanceof HTMLSelectElement) fill(setting, input, String(config[setting.key] ?? "automatic"));
    else input.value = number(/** @type {number} */ (config[setting.key]), 6);
  }
  const seed = byId("seed");
  if (seed !== document.activeElement) /** @type {HTMLInputElement} */ (seed).value = String(config.seed);
  const play = byId("play");
  if (play.getAttribute("aria-pressed") !== String(store.playing)) play.replaceChildren(icon(store.playing ? "pause" : "play"));
  play.setAttribute("aria-label", say(store.playing ? "play.pause" : "play.play"));
  play.setAttribute("aria-pressed", String(store.playing));
  setText(byId("speed-words"), SPEEDS[store.speed] === Infinity ? say("play.fastest") : say("play.persecond", { count: String(SPEEDS[store.speed]) }));
  byId("speed").setAttribute("aria-valuetext", byId("speed-words").textContent ?? "");
}
