/** The page's colours as numbers, for canvases: read from the style sheet, so that dark and light are one place. */

/** @typedef {[number, number, number]} Rgb */

/** @type {Record<string, Rgb>} */
let known = {};

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => (known = {}));

/** @param {string} name of a custom property without its dashes @returns {Rgb} */
export function rgb(name) {
  return (known[name] ??= parsed(getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()));
}

/** @param {string} text "#2166ac" @returns {Rgb} */
function parsed(text) {
  const value = parseInt(text.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/** @param {string} name @param {number} [alpha] */
export function css(name, alpha = 1) {
  const [red, green, blue] = rgb(name);
  return `rgba(${red}, ${green}, ${blue}, ${alpha})`;
}

/** How many classes have a colour of their own. */
export const N_COLOURS = 8;

/** The colour of a class: of two, orange and blue as in the drawing. @param {number} index */
export function classColour(index) {
  return `k${((index % N_COLOURS) + N_COLOURS) % N_COLOURS}`;
}

/**
 * Paint numbers from −1 (orange) over 0 (paper) to 1 (blue) into an image, the last row on top.
 * @param {ArrayLike<number>} values @param {number} size of a side @param {number} unit what counts as 1 @param {number} depth of the colours, up to 1
 */
export function divergingImage(values, size, unit, depth) {
  const [low, middle, high] = [rgb("neg"), rgb("ground"), rgb("pos")];
  return image(size, (index, data, at) => {
    const value = Math.max(-1, Math.min(1, values[index] / unit));
    const strength = Math.sqrt(Math.abs(value)) * depth;
    mix(data, at, middle, value < 0 ? low : high, strength);
  });
}

/**
 * Paint which of several outputs is the largest, the paler the less sure.
 * @param {Float32Array} values n_outputs × size × size @param {number} size @param {number} outputs
 */
export function classImage(values, size, outputs) {
  const paper = rgb("ground");
  const colours = Array.from({ length: outputs }, (_, index) => rgb(classColour(index)));
  return image(size, (index, data, at) => {
    let best = 0;
    for (let output = 1; output < outputs; output += 1)
      if (values[output * size * size + index] > values[best * size * size + index]) best = output;
    const sure = Math.max(0, Math.min(1, values[best * size * size + index]));
    mix(data, at, paper, colours[best], 0.15 + 0.5 * sure);
  });
}

/** @param {number} size @param {(index: number, data: Uint8ClampedArray, at: number) => void} paint */
function image(size, paint) {
  const picture = new ImageData(size, size);
  for (let row = 0; row < size; row += 1)
    for (let column = 0; column < size; column += 1)
      paint(row * size + column, picture.data, 4 * ((size - 1 - row) * size + column));
  return picture;
}

/** @param {Uint8ClampedArray} data @param {number} at @param {Rgb} from @param {Rgb} to @param {number} share */
function mix(data, at, from, to, share) {
  for (let part = 0; part < 3; part += 1) data[at + part] = from[part] + share * (to[part] - from[part]);
  data[at + 3] = 255;
}

const spare = /** @type {HTMLCanvasElement} */ (document.createElement("canvas"));

/**
 * Draw images into squares, smoothly: all go onto one sheet first, since each change of a sheet costs a copy of it.
 * @param {CanvasRenderingContext2D} pen
 * @param {{ picture: ImageData, x: number, y: number }[]} pictures
 * @param {number} side of a square
 */
export function drawImages(pen, pictures, side) {
  const cell = Math.max(0, ...pictures.map(({ picture }) => picture.width));
  if (spare.width < cell * pictures.length || spare.height < cell) [spare.width, spare.height] = [cell * pictures.length, cell];
  const sheet = /** @type {CanvasRenderingContext2D} */ (spare.getContext("2d"));
  pictures.forEach(({ picture }, index) => sheet.putImageData(picture, index * cell, 0));
  pen.imageSmoothingEnabled = true;
  for (const [index, { picture, x, y }] of pictures.entries()) // the middles of the outer pixels are the corners of the plane
    pen.drawImage(spare, index * cell + 0.5, 0.5, picture.width - 1, picture.height - 1, x, y, side, side);
}

/**
 * A canvas's pen, in CSS pixels, over an empty ground.
 * @param {HTMLCanvasElement} canvas @param {number} width @param {number} height
 */
export function cleanPen(canvas, width, height) {
  const ratio = Math.min(devicePixelRatio || 1, 2);
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  return pen;
}
