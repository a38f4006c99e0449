/**
 * One `ask(message)` over two lines: a worker that runs Pyodide, or the WebSocket of the local server.
 * Messages wait for each other, so that Python is never asked two things at once.
 */

import { bytesOf } from "./dom.js";

/** @typedef {import("./types").Message} Message */
/** @typedef {import("./types").Reply} Reply */
/** @typedef {import("./types").Line} Line */
/** @typedef {import("./types").Site} Site */

/** @type {Promise<Line> | null} */
let line = null;
/** @type {Promise<unknown>} */
let before = Promise.resolve();
let lastId = 0;
/** @type {(what: string, share: number) => void} */
let tellProgress = () => {};

/**
 * A file of the site: inside this page, where it is a single file, else beside it.
 * @param {string} name
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
export async function siteFile(name) {
  const find = () => document.querySelector(`script[data-file="${name}"]`);
  const single = document.querySelector("script[data-file]") !== null;
  if (single && !find()) await wholePage();
  const inside = find();
  if (inside) return bytesOf((inside.textContent ?? "").trim());
  const reply = await fetch(name);
  if (!reply.ok) throw new Error(`${name}: ${reply.status}`);
  return new Uint8Array(await reply.arrayBuffer());
}

/** Kept when the whole page is there: the large files stand at its end. @returns {Promise<void>} */
function wholePage() {
  return new Promise((resolve) => (document.readyState === "loading" ? document.addEventListener("DOMContentLoaded", () => resolve()) : resolve()));
}

/** @param {string} name */
export async function siteJson(name) {
  return JSON.parse(new TextDecoder().decode(await siteFile(name)));
}

/** Begin to load Python, or to connect. @param {(what: string, share: number) => void} progress */
export function connect(progress) {
  tellProgress = progress;
  line = siteJson("site.json").then((site) => (site.socket ? socketLine(site.socket) : workerLine(site)));
  line.then(() => tellProgress("ready", 1), (error) => tellProgress(`failed ${error.message}`, 0));
}

/** End what Python is doing, at once, and begin anew; what was asked is answered with `ended`. */
export async function restartPython() {
  const old = line;
  connect(tellProgress);
  before = Promise.resolve();
  (await old)?.close();
}

/**
 * Ask Python; never throws.
 * @param {Message} message
 * @returns {Promise<Reply>}
 */
export function ask(message) {
  const reply = before.then(() => exchange(message));
  before = reply;
  return reply;
}

/** @param {Message} message @returns {Promise<Reply>} */
async function exchange(message) {
  try {
    lastId += 1;
    const here = await /** @type {Promise<Line>} */ (line);
    return JSON.parse(await here.send(JSON.stringify({ id: lastId, ...message })));
  } catch (error) {
    return { ok: false, error: /** @type {Error} */ (error).message };
  }
}

/** What waits for the one reply that is outstanding. */
function waiting() {
  /** @type {{ resolve: (text: string) => void, reject: (error: Error) => void } | null} */
  let one = null;
  return {
    /** @param {() => void} send @returns {Promise<string>} */
    begin: (send) => new Promise((resolve, reject) => ((one = { resolve, reject }), send())),
    /** @param {string} text */
    end: (text) => one?.resolve(text),
    /** @param {string} why */
    fail: (why) => one?.reject(new Error(why)),
  };
}

/** @param {string} name @returns {Promise<Line>} */
function socketLine(name) {
  const reply = waiting();
  let closedByUs = false;
  const socket = new WebSocket(new URL(name, location.href).href.replace(/^http/, "ws").replace(/#.*/, ""));
  socket.onmessage = (event) => reply.end(event.data);
  return new Promise((resolve, reject) => {
    socket.onclose = () => {
      reply.fail("lost");
      reject(new Error("lost"));
      if (!closedByUs) tellProgress("lost", 0);
    };
    const close = () => ((closedByUs = true), reply.fail("ended"), socket.close());
    socket.onopen = () => resolve({ send: (text) => reply.begin(() => socket.send(text)), close });
  });
}

/** @param {Site} site @returns {Promise<Line>} */
async function workerLine(site) {
  const reply = waiting();
  const worker = new Worker(await workerAddress(site.worker));
  const files = document.querySelector("script[data-file]") ? await filesInside([...site.pyodide, ...site.wheels]) : null;
  worker.postMessage({ boot: site, base: new URL(".", location.href).href, files });
  return new Promise((resolve, reject) => {
    worker.onerror = (event) => (reply.fail(event.message), reject(new Error(event.message)));
    worker.onmessage = ({ data }) => {
      if (typeof data === "string") return reply.end(data);
      if (data.failed) return reject(new Error(data.failed));
      tellProgress(data.progress, data.share);
      if (data.progress !== "ready") return;
      const close = () => (worker.terminate(), reply.fail("ended"));
      resolve({ send: (text) => reply.begin(() => worker.postMessage(text)), close });
    };
  });
}

/** @param {string} name */
async function workerAddress(name) {
  if (!document.querySelector(`script[data-file="${name}"]`)) return name;
  return URL.createObjectURL(new Blob([await siteFile(name)], { type: "text/javascript" }));
}

/** @param {string[]} names */
async function filesInside(names) {
  const pairs = names.map(async (name) => /** @type {[string, Uint8Array]} */ ([name, await siteFile(name)]));
  return Object.fromEntries(await Promise.all(pairs));
}
