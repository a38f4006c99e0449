/** What the page knows, who wants to hear of changes, and the two ways to ask Python for one. */

import { tellIfLong } from "./notices.js";
import { ask } from "./transport.js";

/** @typedef {import("./types").State} State */
/** @typedef {import("./types").Reply} Reply */
/** @typedef {import("./types").Message} Message */

export const store = {
  /** @type {State | null} */
  state: null,
  /** @type {import("./types").Catalogue | null} */
  catalogue: null,
  /** The name of the weight, bias or neuron whose derivation is shown. @type {string | null} */
  selected: null,
  /** @type {Record<string, number>} the colour of each thing in the derivation */
  tags: {},
  /** @type {"values" | "gradients"} */
  direction: "values",
  playing: false,
  unit: "batch",
  speed: 4,
  notation: "tutorial",
  detail: "chain",
  /** What is to be worked out by hand, and not to be seen in the drawing. @type {string[]} */
  blanks: [],
  /** @type {import("./types").View} */
  view: { parts: ["network", "plane", "maps", "curves"], row: null, axes: [0, 1], resolution: 50, output: 0, units: "scaled", digits: 4 },
  };

/** @type {(() => void)[]} */
const listeners = [];
let frame = 0;

/** @param {() => void} listener called once a frame at most, after changes */
export function subscribe(listener) {
  listeners.push(listener);
}

/** Have all views drawn in the next frame. */
export function changed() {
  frame ||= requestAnimationFrame(() => {
    frame = 0;
    for (const listener of listeners) listener();
  });
}

/** A promise that is kept when the next frame is drawn. @returns {Promise<void>} */
export function drawn() {
  return new Promise((resolve) => requestAnimationFrame(() => resolve()));
}

/** @type {(reply: Reply) => void} */
let complain = () => {};

/** @param {(reply: Reply) => void} listener hears of replies that are errors */
export function onError(listener) {
  complain = listener;
}

/** @param {State} state */
export function useState(state) {
  store.state = state;
  if (state.view) store.view = { ...state.view, output: store.view.output, parts: store.view.parts };
  changed();
}

/**
 * Ask Python for a change, and show the state that comes of it.
 * @param {Message} message
 * @returns {Promise<Reply>}
 */
export async function act(message) {
  const reply = await tellIfLong(ask(message));
  if (reply.state) useState(reply.state);
  else if (!reply.ok && reply.error !== "ended") complain(reply);
  return reply;
}

/** @type {Message | null} */
let next = null;
/** @type {Promise<void> | null} */
let underway = null;

/** As `act`, for what follows itself quickly, as a drag does: only the newest is asked. @param {Message} message @returns {Promise<void>} kept when the last is shown */
export function actLatest(message) {
  next = message;
  return (underway ??= actInTurn());
}

async function actInTurn() {
  while (next) {
    const now = next;
    next = null;
    await act(now);
    await drawn();
  }
  underway = null;
}

/** Change what is shown of the same moment. @param {Partial<import("./types").View>} changes */
export function changeView(changes) {
  Object.assign(store.view, changes);
  return act({ do: "view", ...changes });
}

/** Change the network or its training. @param {Record<string, unknown>} changes */
export function configure(changes) {
  return act({ do: "configure", changes });
}

/** @param {string} part @param {boolean} wanted */
export function wantPart(part, wanted) {
  const parts = store.view.parts.filter((name) => name !== part);
  if (wanted) parts.push(part);
  if (parts.length !== store.view.parts.length) changeView({ parts });
}

/** Show or hide the derivation of something in the drawing. @param {string | null} name */
export function select(name) {
  store.selected = name;
  if (name === null) store.tags = {};
  changed();
}
