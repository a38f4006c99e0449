/** Starts the page: texts, views, then Python; what is asked for before Python is there is done as soon as it is. */

import { holdLoad, lookAt, readAddress } from "./address.js";
import { startCode } from "./code.js";
import { startControls } from "./controls.js";
import { startData } from "./data.js";
import { startDerivation } from "./derivation.js";
import { byId, el, setText } from "./dom.js";
import { startHand } from "./hand.js";
import { startKeyboard } from "./keyboard.js";
import { startLayers } from "./layers.js";
import { startNetwork } from "./network.js";
import { speak, tell } from "./notices.js";
import { startOutput } from "./output.js";
import { startSave } from "./save.js";
import { act, changed, onError, store, subscribe, useState } from "./store.js";
import { say, useTexts } from "./texts.js";
import { startTimebar } from "./timebar.js";
import { startTour } from "./tour.js";
import { ask, connect, restartPython, siteJson } from "./transport.js";

/** Where the page starts, if its address says nothing. */
const FIRST_SET = "circles";

/** The page counts as loaded when what its address asks to show is there. */
const loaded = readAddress().looks.has("show") ? holdLoad() : () => {};

async function start() {
  const [texts, first] = await Promise.all([siteJson("texts.json"), siteJson("first.json")]);
  useTexts(texts);
  document.title = say("title");
  for (const element of document.querySelectorAll("[data-say]")) setText(element, say(element.getAttribute("data-say") ?? ""));
  for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", say(element.getAttribute("data-label") ?? ""));
  startViews();
  useCatalogue(first.catalogue);
  useState(first.state);
  connect(showProgress);
  await openFirst();
}

function startViews() {
  /** @type {HTMLDetailsElement} */ (byId("settings")).open = innerWidth >= 560;
  startControls(byId("play-controls"), byId("settings-body"));
  startData(byId("data-body"));
  startNetwork(byId("network"));
  startLayers(byId("network-tools"), byId("network"));
  startOutput(byId("output-body"));
  startTimebar(byId("time"));
  startDerivation();
  startHand(byId("menu"));
  startCode(byId("menu"));
  startSave(byId("menu"));
  startTour(byId("menu"));
  startKeyboard(byId("menu"));
  subscribe(() => document.querySelector("#derivation > *") && loaded());
  onError((reply) => tell(reply.error ?? "", "error"));
  let stopped = "";
  subscribe(() => {
    const now = store.state?.stopped ?? "";
    if (now && now !== stopped) tell(now, "error");
    stopped = now;
    if (store.playing) speak(say("spoken.training", { update: store.state?.position.update ?? 0 }), 6000);
  });
}

/** @param {import("./types").Catalogue} catalogue */
function useCatalogue(catalogue) {
  store.catalogue = catalogue;
  if (!catalogue.style) return; // the first view has none: nothing is derived in it
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(catalogue.style);
  document.adoptedStyleSheets = [sheet];
}

/** What the address says; else what is open already; else the first set. */
async function openFirst() {
  const catalogue = ask({ do: "catalogue" });
  const { link, looks } = readAddress();
  const opened = link ? await act({ do: "open", link }) : await ask({ do: "view", parts: store.view.parts, digits: store.view.digits });
  if (opened.state && !link) useState(opened.state);
  if (link && !opened.ok) await act({ do: "open", set: FIRST_SET });
  const reply = await catalogue;
  if (!reply.ok) return;
  useCatalogue(/** @type {import("./types").Catalogue} */ (/** @type {unknown} */ (reply)));
  lookAt(looks);
  if (store.selected === null) loaded();
  document.documentElement.dataset.ready = "yes";
  changed();
}

/** @param {string} what @param {number} share */
function showProgress(what, share) {
  const box = byId("loading");
  box.hidden = what === "ready";
  if (what === "ready") return;
  if (what === "lost" || what.startsWith("failed")) {
    loaded();
    store.playing = false;
    const again = el("button", { type: "button", onclick: () => (restartPython(), openFirst()) }, say("load.again"));
    return box.replaceChildren(el("p", {}, say(what === "lost" ? "load.lost" : "load.failed", { why: what.slice(7) })), again);
  }
  const bar = el("progress", { max: "1", value: share, "aria-label": say("load.title") });
  box.replaceChildren(el("p", {}, say(`load.${what}`)), bar);
}

start();
