/** Where everything of the drawing stands, in CSS pixels: from the network's part of a state and the room there is. */

/** @typedef {import("./types").NetworkPart} NetworkPart */
/** @typedef {{ name: string, kind: "input" | "neuron", layer: number, index: number, x: number, y: number }} Place */
/** @typedef {{ width: number, height: number, tile: number, columns: number[], places: Place[], top: number, roomy: boolean, tight: boolean, beside: boolean, named: boolean[], more: { x: number, y: number, count: number }[] }} Layout */

const TOP = 74;
const BOTTOM = 52;

/**
 * @param {NetworkPart} network
 * @param {number} room width of the place for the drawing
 * @param {number} tall height of it
 * @returns {Layout}
 */
export function layoutOf(network, room, tall) {
  const sizes = [network.inputs.length, ...network.layers.map((layer) => layer.neurons.length)];
  const leftOut = [network.left_out, ...network.layers.map((layer) => layer.left_out)];
  const most = Math.max(...sizes.map((size, column) => size + (leftOut[column] ? 0.6 : 0)));
  const narrow = room < 480;
  const width = Math.max(room, (narrow ? 62 : 96) * sizes.length + 80);
  const pitch = Math.max(42, Math.min(124, (tall - TOP - BOTTOM) / most));
  const tile = Math.round(Math.max(26, Math.min(48, pitch * 0.5)));
  const height = Math.max(TOP + BOTTOM + pitch * most, tall);
  const tight = pitch < 58;
  const long = network.inputs.some((input) => input.name.length > 4);
  const beside = tight || !long; // names of inputs, rather than above them
  const [left, right] = tight && long ? [88 + tile / 2, 104 + tile / 2] : narrow ? [34 + tile / 2, 66 + tile / 2] : [54 + tile / 2, 104 + tile / 2];
  const columns = sizes.map((_, column) => left + ((width - left - right) * column) / Math.max(1, sizes.length - 1));
  const middle = TOP + (height - TOP - BOTTOM) / 2;
  /** @type {Place[]} */
  const places = [];
  /** @type {Layout["more"]} */
  const more = [];
  sizes.forEach((size, column) => {
    const first = middle - (pitch * (size - 1 + (leftOut[column] ? 0.6 : 0))) / 2;
    for (let index = 0; index < size; index += 1) {
      const name = column === 0 ? network.inputs[index].name : network.layers[column - 1].neurons[index].name;
      places.push({ name, kind: column === 0 ? "input" : "neuron", layer: column, index, x: columns[column], y: first + pitch * index });
    }
    if (leftOut[column]) more.push({ x: columns[column], y: first + pitch * (size - 0.25), count: leftOut[column] });
  });
  const gap = columns.length > 1 ? columns[1] - columns[0] - tile : 0;
  const named = network.layers.map((layer) => layer.weights.length <= 12 && gap >= 96);
  return { width, height, tile, columns, places, top: TOP, roomy: pitch >= 76, tight, beside, named, more };
}

/** The curve of a weight. @param {Place} from @param {Place} to @param {number} tile */
export function curveBetween(from, to, tile) {
  const [x1, x2] = [from.x + tile / 2 + 1, to.x - tile / 2 - 1];
  const bend = (x2 - x1) * 0.36;
  return `M${x1} ${from.y}C${x1 + bend} ${from.y} ${x2 - bend} ${to.y} ${x2} ${to.y}`;
}

/** A point of that curve, for its label. @param {Place} from @param {Place} to @param {number} tile @param {number} share */
export function pointBetween(from, to, tile, share) {
  const [x1, x2] = [from.x + tile / 2 + 1, to.x - tile / 2 - 1];
  const bend = (x2 - x1) * 0.36;
  const [s, r] = [share, 1 - share];
  const x = r ** 3 * x1 + 3 * r * r * s * (x1 + bend) + 3 * r * s * s * (x2 - bend) + s ** 3 * x2;
  const y = (r ** 3 + 3 * r * r * s) * from.y + (3 * r * s * s + s ** 3) * to.y;
  return { x, y };
}

/**
 * Where the labels of a layer's weights stand: each on its curve, and off the labels placed before it.
 * @param {{ from: Place, to: Place }[]} curves @param {number} tile @param {number} width of a label
 */
export function labelPlaces(curves, tile, width) {
  /** @type {{ x: number, y: number }[]} */
  const placed = [];
  for (const { from, to } of curves) {
    const choices = [0.34, 0.26, 0.42, 0.5, 0.58, 0.66, 0.74, 0.18].map((share) => pointBetween(from, to, tile, share));
    const crowd = (/** @type {{ x: number, y: number }} */ at) =>
      placed.reduce((sum, other) => sum + Math.max(0, width - Math.abs(at.x - other.x)) * Math.max(0, 15 - Math.abs(at.y - other.y)), 0);
    placed.push(choices.reduce((best, one) => (crowd(one) < crowd(best) ? one : best)));
  }
  return placed;
}
