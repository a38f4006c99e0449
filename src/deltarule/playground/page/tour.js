/** The tour of two minutes, and the five tutorials as scenes: each step says a few sentences, does something and shows where. */

import { openCode } from "./code.js";
import { openSet } from "./data.js";
import { byId, el } from "./dom.js";
import { openHand } from "./hand.js";
import { closeSide, openSide } from "./side.js";
import { act, changed, changeView, configure, select, store } from "./store.js";
import { say } from "./texts.js";

/** @typedef {{ text: string, show?: string, do?: () => unknown }} Step */

const gradients = () => ((store.direction = "gradients"), changed());
const values = () => ((store.direction = "values"), changed());
const train = (/** @type {number} */ count, unit = "epoch") => act({ do: "train", unit, count });

/** @type {Record<string, Step[]>} */
const SCENES = {
  tour: [
    { text: "tour.1", show: "#network", do: () => openSet("circles") },
    { text: "tour.2", show: "#play-controls", do: () => train(20) },
    { text: "tour.3", show: "#output" },
    { text: "tour.4", show: "#side", do: () => select("w5") },
    { text: "tour.5", show: "#network", do: () => (select(null), gradients()) },
    { text: "tour.6", show: "#time", do: () => (values(), act({ do: "seek", update: 10 })) },
    { text: "tour.7", show: "#data", do: () => act({ do: "rewind" }) },
    { text: "tour.8", show: "#menu" },
  ],
  T1: [
    { text: "t1.1", show: "#network", do: () => openSet("T1") },
    { text: "t1.2", show: "#side", do: () => select("h1") },
    { text: "t1.3", show: "#side", do: () => (gradients(), select("w5")) },
    { text: "t1.4", show: "#side", do: () => select("w1") },
    { text: "t1.5", show: "#time", do: () => (select(null), values(), train(100, "updates")) },
  ],
  T2: [
    { text: "t2.1", show: "#network", do: () => openSet("T2") },
    { text: "t2.2", show: "#output", do: () => train(200) },
    { text: "t2.3", show: "#menu", do: openCode },
  ],
  T3: [
    { text: "t3.1", show: "#network", do: () => openSet("T3") },
    { text: "t3.2", show: "#side", do: () => (changeView({ row: "batch" }), (store.notation = "matrix"), select("w1")) },
    { text: "t3.3", show: "#time", do: () => (select(null), (store.notation = "tutorial"), train(300)) },
  ],
  T4: [
    { text: "t4.1", show: "#network", do: () => openSet("T4") },
    { text: "t4.2", show: "#side", do: openHand },
    { text: "t4.3", show: "#side" },
  ],
  T5: [
    { text: "t5.1", show: "#network", do: () => openSet("iris") },
    { text: "t5.2", show: "#output", do: () => train(30) },
    { text: "t5.3", show: "#network", do: () => configure({ hidden: [{ units: 8, activation: "relu" }, { units: 6, activation: "relu" }] }) },
    { text: "t5.4", show: "#output", do: () => train(30) },
  ],
};

let scene = "tour";
let at = 0;

/** @param {HTMLElement} menu */
export function startTour(menu) {
  menu.append(el("button", { type: "button", id: "open-tour", onclick: openTours }, say("tour.title")));
}

function openTours() {
  const buttons = Object.keys(SCENES).map((name) => el("button", { type: "button", class: "file", "data-scene": name, onclick: () => begin(name) }, el("strong", {}, say(`scene.${name}`)), el("span", { class: "soft" }, say(`scene.${name}.words`))));
  openSide(say("tour.title"), [el("p", {}, say("tour.words")), el("div", { class: "files" }, ...buttons)]);
}

/** @param {string} name */
function begin(name) {
  [scene, at] = [name, 0];
  closeSide();
  showStep();
}

async function showStep() {
  const steps = SCENES[scene];
  const now = steps[at];
  const card = byId("tour");
  for (const element of document.querySelectorAll(".toured")) element.classList.remove("toured");
  const back = el("button", { type: "button", disabled: at === 0, onclick: () => ((at -= 1), showStep()) }, say("tour.back"));
  const last = at === steps.length - 1;
  const next = el("button", { type: "button", class: "main", id: "tour-next", onclick: () => (last ? endTour() : ((at += 1), showStep())) }, say(last ? "tour.end" : "tour.next"));
  const leave = el("button", { type: "button", class: "quiet", "aria-label": say("tour.leave"), onclick: endTour }, "✕");
  card.replaceChildren(el("header", {}, el("strong", {}, say(`scene.${scene}`)), el("span", { class: "soft" }, `${at + 1} / ${steps.length}`), leave), el("p", {}, say(now.text)), el("div", { class: "choices" }, back, next));
  card.hidden = false;
  next.focus({ preventScroll: true });
  await now.do?.();
  const place = now.show ? document.querySelector(now.show) : null;
  place?.classList.add("toured");
  place?.scrollIntoView({ block: innerWidth < 900 ? "start" : "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
}

function endTour() {
  byId("tour").hidden = true;
  for (const element of document.querySelectorAll(".toured")) element.classList.remove("toured");
  byId("open-tour").focus();
}
