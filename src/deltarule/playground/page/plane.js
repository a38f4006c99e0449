/** The plane: what the network says everywhere, under the data; points are chosen, dragged, painted and erased. */

import { classColour, classImage, cleanPen, css, divergingImage, drawImages } from "./colours.js";
import { el, floatsOf, number, watchedSize } from "./dom.js";
import { speak } from "./notices.js";
import { act, changeView, store, subscribe } from "./store.js";
import { say } from "./texts.js";

/** @typedef {import("./types").Point} Point */
/** @typedef {import("./types").PlanePart} PlanePart */

/** Which tool is in hand: "move", "erase", or the number of the class to paint. */
export const tool = { now: "move" };

const canvas = el("canvas", { class: "plane", tabindex: "0", role: "application" });
const near = 12;
let planeSize = { width: 0, height: 0 };
/** @type {{ point: Point, moved: boolean } | null} */
let dragged = null;
/** @type {{ x: number, y: number } | null} */
let painted = null;
/** @type {[number, number]} */
let cursor = [0.5, 0.5];
let cursorShown = false;

/** @param {HTMLElement} place */
export function startPlane(place) {
  place.append(canvas);
  canvas.addEventListener("pointerdown", onDown);
  canvas.addEventListener("pointermove", onMove);
  canvas.addEventListener("pointerup", onUp);
  canvas.addEventListener("pointercancel", () => ((dragged = null), (painted = null)));
  canvas.addEventListener("keydown", onPlaneKey);
  canvas.addEventListener("blur", () => ((cursorShown = false), drawPlane()));
  planeSize = watchedSize(canvas, drawPlane);
  subscribe(drawPlane);
}

// ------------------------------------------------------------------ drawing

/** Draw the plane of the state at hand. */
export function drawPlane() {
  const { plane, source, network } = store.state ?? {};
  const side = planeSize.width;
  if (!plane || !source || !side) return;
  canvas.setAttribute("aria-label", planeInWords(plane));
  const pen = cleanPen(canvas, side, side);
  drawImages(pen, [{ picture: imageOf(plane), x: 0, y: 0 }], side);
  drawPoints(pen, plane, side);
  const chosen = network?.row.kind === "row" ? plane.points.find((point) => point.row === network.row.number) : null;
  if (chosen) ring(pen, place(chosen.x, plane, side), css("ink"));
  if (cursorShown) cross(pen, cursor[0] * side, (1 - cursor[1]) * side);
}

/** @param {PlanePart} plane */
function imageOf(plane) {
  const values = floatsOf(plane.values);
  const size = plane.resolution;
  if (plane.n_outputs > 1 && store.state?.source.task === "classes") return classImage(values, size, plane.n_outputs);
  const one = values.subarray(store.view.output * size * size, (store.view.output + 1) * size * size);
  const [low, high] = store.state?.source.task === "classes" ? outputRange() : valueRange(plane);
  const [middle, half] = [(low + high) / 2, (high - low) / 2 || 1];
  return divergingImage(one.map((value) => value - middle), size, half, 0.55);
}

/** The range of a single output of a classifier. */
function outputRange() {
  const output = store.state?.config.output ?? "";
  return output === "sigmoid" || output === "softmax" ? [0, 1] : [-1, 1];
}

/** @param {PlanePart} plane @returns {[number, number]} */
function valueRange(plane) {
  const values = plane.points.map((point) => point.y);
  return [Math.min(...values), Math.max(...values)];
}

/** @param {[number, number]} x @param {PlanePart} plane @param {number} side @returns {[number, number]} */
function place(x, plane, side) {
  const part = (/** @type {0 | 1} */ axis) => (x[axis] - plane.low[axis]) / (plane.high[axis] - plane.low[axis] || 1);
  return [part(0) * side, (1 - part(1)) * side];
}

/** Points that look alike are drawn in one go. @param {CanvasRenderingContext2D} pen @param {PlanePart} plane @param {number} side */
function drawPoints(pen, plane, side) {
  const [low, high] = valueRange(plane);
  const classes = store.state?.source.task === "classes";
  /** @type {Map<string, Point[]>} */
  const alike = new Map();
  for (const point of plane.points) {
    const kind = classes ? point.y : Math.round((20 * (point.y - low)) / (high - low || 1));
    const look = `${kind} ${point.test}`;
    alike.get(look)?.push(point) ?? alike.set(look, [point]);
  }
  const radius = plane.points.length > 250 ? 2.8 : 4;
  pen.lineWidth = 1.2;
  for (const [look, points] of alike) {
    const kind = Number(look.split(" ")[0]);
    pen.fillStyle = classes ? css(classColour(kind)) : kind < 10 ? css("neg", 1 - kind / 20) : css("pos", kind / 20);
    pen.strokeStyle = points[0].test ? css("ink") : css("paper");
    pen.beginPath();
    for (const point of points) shapePath(pen, classes ? kind : 0, ...place(point.x, plane, side), radius);
    pen.fill();
    pen.stroke();
  }
}

/** Classes differ in shape too: circle, square, triangle, diamond. @param {CanvasRenderingContext2D} pen @param {number} kind @param {number} x @param {number} y @param {number} size */
function shapePath(pen, kind, x, y, size) {
  const corners = [0, 4, 3, 4][kind % 4];
  pen.moveTo(x + size, y);
  if (corners === 0) return pen.arc(x, y, size, 0, 2 * Math.PI);
  const turn = kind % 4 === 1 ? Math.PI / 4 : -Math.PI / 2;
  for (let corner = 0; corner < corners; corner += 1) {
    const angle = turn + (2 * Math.PI * corner) / corners;
    const to = /** @type {[number, number]} */ ([x + size * 1.25 * Math.cos(angle), y + size * 1.25 * Math.sin(angle)]);
    corner ? pen.lineTo(...to) : pen.moveTo(...to);
  }
  pen.closePath();
}

/** @param {CanvasRenderingContext2D} pen @param {[number, number]} at @param {string} colour */
function ring(pen, at, colour) {
  pen.strokeStyle = colour;
  pen.lineWidth = 2;
  pen.beginPath();
  pen.arc(at[0], at[1], 9, 0, 2 * Math.PI);
  pen.stroke();
}

/** @param {CanvasRenderingContext2D} pen @param {number} x @param {number} y */
function cross(pen, x, y) {
  pen.strokeStyle = css("ink");
  pen.lineWidth = 1.5;
  pen.beginPath();
  for (const [dx, dy] of [[9, 0], [0, 9]]) {
    pen.moveTo(x - dx, y - dy);
    pen.lineTo(x + dx, y + dy);
  }
  pen.stroke();
}

/** @param {PlanePart} plane */
function planeInWords(plane) {
  const { inputs } = /** @type {import("./types").Source} */ (store.state?.source);
  const names = plane.axes.map((axis) => inputs[axis]?.name ?? "");
  return say("plane.words", { count: plane.points.length, across: names[0], up: names[1] });
}

// ------------------------------------------------------------------ pointer

/** @param {[number, number]} share of the plane's sides, from below @returns {[number, number]} */
function dataAt(share) {
  const { low, high } = /** @type {PlanePart} */ (store.state?.plane);
  return [low[0] + share[0] * (high[0] - low[0]), low[1] + share[1] * (high[1] - low[1])];
}

/** @param {PointerEvent} event @returns {[number, number]} */
function shareAt(event) {
  const box = canvas.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width, 1 - (event.clientY - box.top) / box.height];
}

/** The nearest point, if it is near enough. @param {[number, number]} share */
function pointAt(share) {
  const plane = store.state?.plane;
  if (!plane) return null;
  const side = canvas.clientWidth;
  let [best, least] = [/** @type {Point | null} */ (null), near];
  for (const point of plane.points) {
    const [x, y] = place(point.x, plane, side);
    const distance = Math.hypot(x - share[0] * side, y - (1 - share[1]) * side);
    if (distance < least) [best, least] = [point, distance];
  }
  return best;
}

/** @param {PointerEvent} event */
function onDown(event) {
  if (!store.state?.plane) return;
  canvas.setPointerCapture(event.pointerId);
  const share = shareAt(event);
  const point = pointAt(share);
  if ((tool.now === "move" || store.state.source.editable === false) && point) dragged = { point, moved: false };
  else if (tool.now === "erase" && point) act({ do: "points", remove: [point.row] });
  else if (isPaint()) paintAt(share, event);
}

/** Whether a class is in hand, to be painted. */
function isPaint() {
  return tool.now !== "move" && tool.now !== "erase" && store.state?.source.editable !== false;
}

/** @param {[number, number]} share @param {{ clientX: number, clientY: number }} event */
function paintAt(share, event) {
  painted = { x: event.clientX, y: event.clientY };
  const point = pointAt(share);
  if (point && point.y !== Number(tool.now)) act({ do: "points", relabel: [{ row: point.row, y: Number(tool.now) }] });
  else if (!point) act({ do: "points", add: [{ x: dataAt(share), y: Number(tool.now) }] });
}

/** @param {PointerEvent} event */
function onMove(event) {
  const share = shareAt(event);
  if (dragged && store.state?.source.editable !== false) {
    dragged.moved = true;
    dragged.point.x = dataAt(share);
    drawPlane();
  } else if (painted && Math.hypot(event.clientX - painted.x, event.clientY - painted.y) > 14) {
    paintAt(share, event);
  } else canvas.style.cursor = tool.now === "move" ? (pointAt(share) ? "grab" : "default") : "crosshair";
}

/** @param {PointerEvent} event */
function onUp(event) {
  painted = null;
  if (!dragged) return;
  const { point, moved } = dragged;
  dragged = null;
  if (moved) act({ do: "points", move: [{ row: point.row, x: dataAt(shareAt(event)) }] });
  else changeView({ row: point.row });
}

// ------------------------------------------------------------------ keys

/** @param {KeyboardEvent} event */
function onPlaneKey(event) {
  const step = event.shiftKey ? 0.1 : 0.02;
  const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
  const move = moves[/** @type {keyof typeof moves} */ (event.key)];
  if (move) {
    cursor = [Math.max(0, Math.min(1, cursor[0] + move[0])), Math.max(0, Math.min(1, cursor[1] + move[1]))];
    if (dragged) dragged.point.x = dataAt(cursor);
  } else if (event.key === "Enter" || event.key === " ") useTool();
  else if (event.key === "Delete" || event.key === "Backspace") erase();
  else return;
  event.preventDefault();
  event.stopPropagation();
  cursorShown = true;
  drawPlane();
  const [x, y] = dataAt(cursor);
  const point = pointAt(cursor);
  speak(say(point ? "plane.atpoint" : "plane.at", { x: number(x, 3), y: number(y, 3), row: point ? point.row + 1 : 0 }));
}

/** Enter: choose a point, take it, and lay it down; or paint. */
function useTool() {
  const point = pointAt(cursor);
  if (dragged) {
    act({ do: "points", move: [{ row: dragged.point.row, x: dataAt(cursor) }] });
    dragged = null;
  } else if (isPaint()) paintAt(cursor, { clientX: 0, clientY: 0 }), (painted = null);
  else if (tool.now === "erase") erase();
  else if (point && store.state?.network?.row.number === point.row) dragged = { point, moved: true };
  else if (point) changeView({ row: point.row });
}

/** Take away the point under the cross. */
function erase() {
  const point = pointAt(cursor);
  if (point) act({ do: "points", remove: [point.row] });
}
