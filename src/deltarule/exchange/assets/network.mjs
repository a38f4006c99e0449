/*
 * __HEAD__
 *
 * Where this file is called net.mjs:
 *
 *     import { predict, predictOutputs } from "./net.mjs";
 *     __CALLS__
 */

// __ARRAYS__

/** x @ W + b: for each neuron, the sum of the inputs times its column of W, and its bias. */
function weightedSums(x, W, b) {
    return b.map((bias, j) => x.reduce((sum, xi, i) => sum + xi * W[i][j], bias));
}
// __FUNCTIONS__
// __CELLS__
// if has_softmax

/** __FORMULA__, shifted, so that nothing overflows. */
function softmax(z) {
    const top = z.reduce((larger, zk) => Math.max(larger, zk));
    const e = z.map((zk) => Math.exp(zk - top));
    const total = e.reduce((sum, ek) => sum + ek);
    return e.map((ek) => ek / total);
}
// endif

/** A row as layer 1 takes it. */
function inputs(row) {
    row = features(row); // if has_columns
    if (row.length !== FEATURES.length) {
        throw new RangeError(`expected ${FEATURES.length} numbers, got ${row.length}`);
    }
    return FEATURES.map((name, i) => {
        const x = __SCALED__;
        if (!Number.isFinite(x)) throw new RangeError(`${name} is not a finite number`);
        return x;
    });
}

/** The __OUTPUTS__ of the network for a row. */
export function predictOutputs(row) {
    const x = inputs(row);
    // __LAYERS__
    return __LAST__;
}

/** The class of a row: that of the largest output. */ // if largest_class
/** The class of a row: the second where the output is above 0.5, else the first. */ // if second_class
/** The outputs for a row, in their units. */ // if in_units
/** The outputs for a row. */ // if bare_outputs
export function predict(row) {
    const outputs = predictOutputs(row); // if largest_class
    return CLASSES[outputs.reduce((best, y, k) => (y > outputs[best] ? k : best), 0)]; // if largest_class
    return CLASSES[predictOutputs(row)[0] > 0.5 ? 1 : 0]; // if second_class
    return predictOutputs(row).map((y, k) => y * OUT_SCALE[k] + OUT_SHIFT[k]); // if in_units
    return predictOutputs(row); // if bare_outputs
}

// Test cases.
// __CASES__
const TOLERANCE = __TOLERANCE__;

/** Whether numbers are what they should be, but for rounding. */
function close(got, expected) {
    return got.every((g, k) => Math.abs(g - expected[k]) <= TOLERANCE * Math.max(1, Math.abs(expected[k])));
}

/** The exit status: 0 where all test cases give what they should, else 1. */
function test() {
    let failed = 0;
    TEST_ROWS.forEach((row, t) => {
        const outputs = predictOutputs(row);
        if (!__RIGHT__) {
            console.log(`FAILED: test case ${t}: expected ${TEST_OUTPUTS[t]}, got ${outputs}`);
            failed = 1;
        }
    });
    if (!failed) console.log(`ok: ${TEST_ROWS.length} test cases`);
    return failed;
}

// if !reads_cells
/** A text as a number; an empty one is a missing number. */
function number(cell) {
    if (/^\s*(nan)?\s*$/i.test(cell)) return NaN;
    if (Number.isNaN(Number(cell))) throw new RangeError(`not a number: ${cell}`);
    return Number(cell);
}

// endif
/** Print the answer for a row of texts. */
function show(cells) {
    console.log(String(predict(cells))); // if has_columns
    console.log(String(predict(cells.map((cell) => number(cell))))); // if !has_columns
}

/** The lines of a CSV text, each as its cells; cells may be in quotes. */
function linesOf(text) {
    const lines = [[]];
    for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^,\n]*))(,|\r?\n|$)/g)) {
        lines.at(-1).push(quoted?.replaceAll('""', '"') ?? plain.replace(/\r$/, ""));
        if (end === "") break;
        if (end !== ",") lines.push([]);
    }
    return lines.filter((cells) => cells.length > 1 || cells[0].trim() !== "");
}

/** Print the answer for each line of a text; the first may name the columns, in any order. */
function showLines(text) {
    let [places, width] = [__NAMES__.map((_, i) => i), __NAMES__.length];
    linesOf(text.replace(/^\uFEFF/, "")).forEach((cells, line) => {
        if (line === 0 && __NAMES__.every((name) => cells.includes(name))) {
            places = __NAMES__.map((name) => cells.indexOf(name));
            width = cells.length;
        } else if (cells.length !== width) {
            throw new RangeError(`expected ${width} cells in a line, got ${cells.length}`);
        } else {
            show(places.map((place) => cells[place]));
        }
    });
}

/** Check the test cases; or answer the numbers given, or each line of standard input. */
function main(args, read) {
    if (args.length === 0) return test();
    if (args.length === 1 && args[0] === "-") {
        showLines(read(0, "utf8"));
    } else {
        show(args);
    }
    return 0;
}

// Where Node runs this file, and does not import it.
if (typeof process === "object" && process.argv?.[1]) {
    const { existsSync, readFileSync, realpathSync } = await import("node:fs");
    const { pathToFileURL } = await import("node:url");
    const program = process.argv[1];
    if (existsSync(program) && import.meta.url === pathToFileURL(realpathSync(program)).href) {
        try {
            process.exitCode = main(process.argv.slice(2), readFileSync);
        } catch (error) {
            console.error(`error: ${error.message}`);
            process.exitCode = 1;
        }
    }
}
