/**
 * Cells that run: below a block of code marked as live stands a button, which has Python, in a worker of this page, run
 * the block or check it. Python is read from beside the page when the first button is pressed; nothing comes from elsewhere.
 */
(() => {
  const HAS_PYTHON = false; // the build says so where it puts Python beside the pages
  const SOURCE = new URL("python.js", document.currentScript.src).href;
  const SECONDS = 60;
  let python = null;

  /** The bytes of a text in base 64. */
  function bytesOf(text) {
    return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  }

  /** Read Python, once for the page. */
  function readPython() {
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = SOURCE;
      script.onload = () => resolve(globalThis.deltarulePython);
      script.onerror = () => reject(new Error("Python is not beside these pages"));
      document.head.append(script);
    });
  }

  /** Start a worker; `tell` is given what it is at. */
  async function start(tell) {
    tell("reading Python …");
    const { site, worker: text, files } = globalThis.deltarulePython ?? (await readPython());
    const address = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
    const worker = new (window.nativeWorker ?? Worker)(address);
    const inside = Object.fromEntries(Object.entries(files).map(([name, base64]) => [name, bytesOf(base64)]));
    return new Promise((resolve, reject) => {
      worker.onerror = (event) => reject(new Error(event.message));
      worker.onmessage = ({ data }) => {
        if (data.failed) reject(new Error(data.failed));
        else if (data.progress === "ready") resolve(worker);
        else tell("starting Python …");
      };
      worker.postMessage({ boot: site, base: "https://page.invalid/", files: inside });
    });
  }

  /** Ask Python; a program that never ends is ended, and Python with it. */
  async function ask(message, tell) {
    python ??= start(tell);
    const worker = await python;
    tell("running …");
    return new Promise((resolve) => {
      const ended = (reply) => (clearTimeout(clock), resolve(reply));
      const clock = setTimeout(() => {
        worker.terminate();
        python = null;
        ended({ printed: `It did not end within ${SECONDS} seconds.\n`, failed: true });
      }, SECONDS * 1000);
      worker.onmessage = ({ data }) => ended(JSON.parse(data));
      worker.onerror = (event) => ended({ printed: `${event.message}\n`, failed: true });
      worker.postMessage(JSON.stringify(message));
    });
  }

  /** Give a block its button and a place for what it prints. */
  function equip(block) {
    const code = block.querySelector("code");
    const check = block.classList.contains("live-check");
    const bar = Object.assign(document.createElement("div"), { className: "live-bar" });
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: check ? "Check it here" : "Run it here" });
    const status = document.createElement("span");
    const output = Object.assign(document.createElement("pre"), { className: "live-output", hidden: true });
    status.setAttribute("role", "status");
    code.contentEditable = "plaintext-only";
    code.spellcheck = false;
    code.classList.add("live-code");
    status.textContent = "You can change the program.";
    bar.append(button, status);
    block.after(bar, output);
    button.onclick = async () => {
      const tell = (text) => (status.textContent = text);
      button.disabled = true;
      try {
        const reply = await ask({ code: code.textContent, check }, tell);
        output.textContent = reply.printed || "(nothing printed)";
        output.classList.toggle("failed", reply.failed);
        tell("");
      } catch (error) {
        output.textContent = `Python could not be started: ${error.message}`;
        python = null;
        tell("");
      }
      output.hidden = false;
      button.disabled = false;
    };
  }

  if (HAS_PYTHON) document.querySelectorAll(".live, .live-check").forEach(equip);
})();
