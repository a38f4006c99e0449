/** All sentences of the page: keys of texts.json, with {names} to be filled in. */

/** @type {Record<string, string>} */
let sentences = {};

/** @param {Record<string, string>} found */
export function useTexts(found) {
  sentences = found;
}

/**
 * The sentence of a key.
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 */
export function say(key, values = {}) {
  const sentence = sentences[key] ?? key;
  return sentence.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/** The words for a name from Python (a loss, an optimizer), where the catalogue has some. @param {string} name */
export function word(name) {
  return sentences[`name.${name}`] ?? name.replaceAll("_", " ");
}
