/** The curves of the loss: training and test rows, and another branch beside them. */

import { cleanPen, css } from "./colours.js";
import { el, number, watchedSize } from "./dom.js";
import { actLatest, store, subscribe } from "./store.js";
import { say } from "./texts.js";

/** @typedef {import("./types").Curve} Curve */

const chart = el("canvas", { class: "curves", role: "img" });
let chartSize = { width: 0, height: 0 };
const edge = { left: 40, right: 8, top: 8, bottom: 18 };

/** @param {HTMLElement} place */
export function startCurves(place) {
  place.append(chart);
  chart.addEventListener("click", (event) => {
    const [low, high] = updateRange();
    const share = (event.offsetX - edge.left) / (chart.clientWidth - edge.left - edge.right);
    actLatest({ do: "seek", update: Math.round(low + Math.max(0, Math.min(1, share)) * (high - low)) });
  });
  chartSize = watchedSize(chart, drawCurves);
  subscribe(drawCurves);
}

/** @returns {[number, number]} */
function updateRange() {
  const { curves, other } = store.state ?? {};
  const updates = [...(curves?.update ?? []), ...(other?.update ?? [])];
  return [0, Math.max(1, ...updates)];
}

/** Draw the curves of the state at hand. */
export function drawCurves() {
  const { curves, other, loss, position } = store.state ?? {};
  const { width, height } = chartSize;
  if (!curves || !loss || !position || !width) return;
  chart.setAttribute("aria-label", say("curves.words", { train: number(loss.train, 4), test: number(loss.test, 4) }));
  const pen = cleanPen(chart, width, height);
  const values = [curves, ...(other ? [other] : [])].flatMap((curve) => [...curve.train, ...curve.test]).filter((value) => value !== null);
  const most = niceCeiling(Math.max(1e-9, .../** @type {number[]} */ (values)));
  const [low, high] = updateRange();
  const x = (/** @type {number} */ update) => edge.left + ((update - low) / (high - low)) * (width - edge.left - edge.right);
  const y = (/** @type {number} */ value) => edge.top + (1 - value / most) * (height - edge.top - edge.bottom);
  drawAxes(pen, x, y, most, high);
  if (other) drawCurve(pen, other.update, other.train, x, y, css("k2"), 1.4, [2, 3]);
  drawCurve(pen, curves.update, curves.test, x, y, css("soft"), 1.6, [6, 4]);
  drawCurve(pen, curves.update, curves.train, x, y, css("ink"), 1.8, []);
  pen.strokeStyle = css("accent");
  stroke(pen, x(position.update), edge.top, x(position.update), height - edge.bottom);
}

/** @param {number} value */
function niceCeiling(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 1.5, 2, 3, 5, 7.5, 10].find((step) => step * power >= value) ?? 10);
}

/** @param {CanvasRenderingContext2D} pen @param {(u: number) => number} x @param {(v: number) => number} y @param {number} most @param {number} last */
function drawAxes(pen, x, y, most, last) {
  pen.font = "11px system-ui, sans-serif";
  pen.fillStyle = css("soft");
  pen.strokeStyle = css("line");
  pen.lineWidth = 1;
  pen.textAlign = "right";
  for (const share of [0, 0.5, 1]) {
    stroke(pen, x(0), y(most * share), x(last), y(most * share));
    pen.fillText(number(most * share, 2), edge.left - 5, y(most * share) + 4);
  }
  pen.fillText(String(last), x(last), y(0) + 14);
  pen.textAlign = "left";
  pen.fillText("0", x(0), y(0) + 14);
}

/** @param {CanvasRenderingContext2D} pen @param {number} x1 @param {number} y1 @param {number} x2 @param {number} y2 */
function stroke(pen, x1, y1, x2, y2) {
  pen.setLineDash([]);
  pen.beginPath();
  pen.moveTo(x1, y1);
  pen.lineTo(x2, y2);
  pen.stroke();
}

/**
 * @param {CanvasRenderingContext2D} pen @param {number[]} updates @param {(number | null)[]} values
 * @param {(u: number) => number} x @param {(v: number) => number} y @param {string} colour @param {number} width @param {number[]} dashes
 */
function drawCurve(pen, updates, values, x, y, colour, width, dashes) {
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.setLineDash(dashes);
  pen.beginPath();
  updates.forEach((update, index) => {
    const value = values[index];
    if (value !== null && value !== undefined) pen.lineTo(x(update), y(value));
  });
  pen.stroke();
  pen.setLineDash([]);
}
