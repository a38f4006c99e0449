/** Link and files: the address that restores everything, models, programs and sheets, and the drawing as a picture. */

import { writeAddress } from "./address.js";
import { whatOf } from "./derivation.js";
import { bytesOf, download, el } from "./dom.js";
import { drawingAsSvg } from "./network.js";
import { tell } from "./notices.js";
import { openSide } from "./side.js";
import { store } from "./store.js";
import { say } from "./texts.js";
import { ask } from "./transport.js";

/** The thing whose derivation was open when the panel took its place. @type {string | null} */
let lookedAt = null;

/** @param {HTMLElement} menu */
export function startSave(menu) {
  menu.append(el("button", { type: "button", id: "open-save", onclick: openSave }, say("save.title")));
}

/** Open the panel. */
export function openSave() {
  lookedAt = store.selected;
  const field = el("input", { type: "text", id: "link", readonly: true, "aria-label": say("save.link") });
  const make = el("button", { type: "button", class: "main", id: "make-link", onclick: () => makeLink(field) }, say("save.makelink"));
  const files = (store.catalogue?.formats ?? []).map((format) => el("button", { type: "button", class: "file", "data-format": format.name, onclick: () => saveAs(format.name) }, el("strong", {}, format.title), el("span", { class: "soft" }, format.ending)));
  const svg = el("button", { type: "button", class: "file", "data-format": "svg", onclick: () => saveDrawing("svg") }, el("strong", {}, say("save.drawing")), el("span", { class: "soft" }, ".svg"));
  const png = el("button", { type: "button", class: "file", "data-format": "png", onclick: () => saveDrawing("png") }, el("strong", {}, say("save.drawing")), el("span", { class: "soft" }, ".png"));
  openSide(say("save.title"), [el("h3", {}, say("save.link")), el("p", {}, say("save.linkwords")), el("div", { class: "linkrow" }, field, make), el("h3", {}, say("save.files")), el("div", { class: "files" }, ...files, svg, png)]);
}

/** @param {HTMLInputElement} field */
async function makeLink(field) {
  const reply = await ask({ do: "link" });
  if (!reply.ok || !reply.link) return tell(reply.error ?? "", "error");
  writeAddress(reply.link, lookedAt);
  field.value = location.href.replace(/[?&]token=[^&#]*/, "");
  field.select();
  await navigator.clipboard?.writeText(field.value).then(() => tell(say("save.copied")), () => tell(say("save.copyit")));
}

/** @param {string} format */
async function saveAs(format) {
  const reply = await ask({ do: "save", format, ...(lookedAt ? { what: whatOf(lookedAt) } : {}), notation: store.notation, digits: store.view.digits });
  if (!reply.ok || reply.base64 === undefined) return tell(reply.error ?? "", "error");
  download(new Blob([bytesOf(reply.base64)], { type: reply.type }), reply.name ?? `deltarule.${format}`);
  tell(say("save.saved", { name: reply.name ?? "" }));
}

/** @param {"svg" | "png"} kind */
async function saveDrawing(kind) {
  const { text, width, height } = drawingAsSvg();
  const name = `network.${kind}`;
  const blob = new Blob([text], { type: "image/svg+xml" });
  download(kind === "svg" ? blob : await asPng(text, width, height), name);
  tell(say("save.saved", { name }));
}

/** @param {string} text of an SVG @param {number} width @param {number} height @returns {Promise<Blob>} */
async function asPng(text, width, height) {
  const picture = new Image();
  picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await picture.decode();
  const canvas = el("canvas", { width: 2 * width, height: 2 * height });
  canvas.getContext("2d")?.drawImage(picture, 0, 0, 2 * width, 2 * height);
  return new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("png")))));
}
