/**
 * The worker in which Python runs. It takes every file from beside the page, or from the page itself where
 * that is a single file, answers messages of the page in order, and asks nobody else for anything.
 */

/** @type {any} */
const scope = self;
/** @type {Record<string, Uint8Array> | null} */
let inside = null;
let base = "";
/** @type {Record<string, string>} */
let renamed = {};
/** @type {(text: string) => string} */
let answer = () => "";

/** @param {string} progress @param {number} share */
const tell = (progress, share) => scope.postMessage({ progress, share });

/** The name beside the page of a file that Pyodide asks for. @param {string} address */
function siteName(address) {
  const last = new URL(address, base).pathname.split("/").pop() ?? "";
  return `pyodide/${renamed[last] ?? last}`;
}

/** @param {string} name @returns {Promise<Uint8Array>} */
async function fileOf(name) {
  if (inside) return inside[name];
  const reply = await nativeFetch(new URL(name, base));
  if (!reply.ok) throw new Error(`${name}: ${reply.status}`);
  return new Uint8Array(await reply.arrayBuffer());
}

/** @type {Record<string, string>} */
const TYPES = { wasm: "application/wasm", js: "text/javascript", json: "application/json" };
const nativeFetch = scope.fetch.bind(scope);
const nativeImport = scope.importScripts.bind(scope);

scope.fetch = async (/** @type {any} */ asked) => {
  const name = siteName(String(asked.url ?? asked));
  const type = TYPES[name.split(".").pop() ?? ""] ?? "application/octet-stream";
  return new Response(/** @type {any} */ (await fileOf(name)), { headers: { "content-type": type } });
};

scope.importScripts = (/** @type {string} */ address) => {
  const name = siteName(address);
  if (!inside) return nativeImport(new URL(name, base).href);
  const made = URL.createObjectURL(new Blob([/** @type {any} */ (inside[name])], { type: "text/javascript" }));
  nativeImport(made);
  URL.revokeObjectURL(made);
};

/** @param {import("./types").Site} site */
async function boot(site) {
  tell("runtime", 0.1);
  scope.importScripts("pyodide.js");
  const python = await scope.loadPyodide({ indexURL: new URL("pyodide/", base).href, lockFileURL: new URL("pyodide/pyodide-lock.json", base).href });
  for (const [index, name] of site.wheels.entries()) {
    tell("packages", 0.5 + (0.3 * index) / site.wheels.length);
    python.unpackArchive(await fileOf(name), "wheel");
  }
  tell("session", 0.8);
  inside = null;
  answer = python.runPython(site.answer ?? "from deltarule.playground import Session\nSession().answer");
  tell("ready", 1);
}

scope.onmessage = async (/** @type {MessageEvent} */ { data }) => {
  if (typeof data === "string") return scope.postMessage(answer(data));
  ({ base, files: inside } = data);
  renamed = data.boot.renamed ?? {};
  await boot(data.boot).catch((error) => scope.postMessage({ failed: String(error.message ?? error) }));
};
