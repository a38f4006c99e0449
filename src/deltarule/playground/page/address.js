/** What stands behind the # of the page's address: the link to data, network and moment, then what is looked at; either may be missing. */

import { el } from "./dom.js";
import { select, store } from "./store.js";

/** What of the page an address may say, and which values it takes. @type {Record<string, () => string[]>} */
const LOOKS = {
  show: () => (store.state?.network?.layers ?? []).flatMap((layer) => [...layer.neurons.flatMap(({ name, bias }) => [name, ...(bias ? [bias.name] : [])]), ...layer.weights.map(({ name }) => name)]),
  notation: () => store.catalogue?.notations ?? [],
  detail: () => ["chain", "delta"],
  direction: () => ["values", "gradients"],
};

/** @returns {{ link: string, looks: URLSearchParams }} */
export function readAddress() {
  const parts = location.hash.slice(1).split("&");
  const link = parts[0].includes("=") ? "" : parts.shift() ?? "";
  return { link, looks: new URLSearchParams(parts.join("&")) };
}

/** Look at what an address says; what is not there is passed over. @param {URLSearchParams} looks */
export function lookAt(looks) {
  const known = Object.entries(LOOKS).filter(([key, values]) => values().includes(looks.get(key) ?? ""));
  const { show, ...rest } = Object.fromEntries(known.map(([key]) => [key, looks.get(key) ?? ""]));
  Object.assign(store, rest);
  if (show) select(show);
}

/** Put a link, what is shown of the derivations and how into the address. @param {string} link @param {string | null} show */
export function writeAddress(link, show) {
  const { notation, detail, direction } = store;
  const looks = new URLSearchParams({ ...(show ? { show } : {}), notation, detail, direction });
  history.replaceState(null, "", `#${link}&${looks}`);
}

/** Keep the page from counting as loaded: a browser that takes a picture or prints waits for it. @returns {() => void} what ends it */
export function holdLoad() {
  const frame = el("iframe", { hidden: true });
  document.body.append(frame);
  frame.contentDocument?.open(); // a document that is being written is not loaded, nor is the one it stands in
  return () => (frame.contentDocument?.close(), frame.remove());
}
