
// How cells are read: what stands for a missing one; numbers in all clothes, with decimal points or commas.
// __TOKENS__
const AROUND = new RegExp(__AROUND__, "iu");
const GROUPED = {
    point: new RegExp(__POINT__, "u"),
    comma: new RegExp(__COMMA__, "u"),
};
const BEFORE_UNIT = new RegExp(__UNIT__, "u"); // if has_units
const DATES = __DATES__; // if has_dates
const PLACES = __PLACES__; // if has_dates
const MONTHS = __MONTHS__; // if has_dates
const CTIME = new RegExp(__CTIME__); // if has_dates

/** A text without space around it, nor characters that have no width. */
function bare(text) {
    const blank = "[\\s__INVISIBLE__]+";
    return text.replace(new RegExp(`^${blank}|${blank}$`, "g"), "");
}

/** Whether a text stands for a missing cell. */
function isMissing(text) {
    return MISSING.includes(text.toLowerCase());
}

/** A number, perhaps with thousands apart, a currency, percent, or in parentheses; else not a number. */
function clothed(text, mark) {
    const around = AROUND.exec(text)?.groups;
    const grouped = around && GROUPED[mark].exec(around.core.trim());
    if (!grouped) return NaN;
    const [, whole, part, power] = grouped.map((found) => found ?? "");
    const isMoney = around.money || around.money2 || around.money3;
    const letter = isMoney && around.times === "m" ? "M" : around.times;
    const times = letter.length > 1 ? letter.toLowerCase() : letter;
    const value = Number(`${whole.replace(/\D/g, "")}.${part || "0"}${power}`) * (TIMES.get(times) ?? NaN);
    const signs = [around.minus, around.minus2, around.after];
    const negative = signs.some((sign) => sign && sign !== "+");
    return !Number.isFinite(value) ? NaN : negative ? -value : value;
}

/** The number that a cell is; not a number where it is missing or none. */
function number(cell, kind = "number") {
    const [base, gone] = kind.split(" without "); // if has_sentinels
    if (gone !== undefined) { // if has_sentinels
        const value = number(cell, base); // if has_sentinels
        return value === Number(gone) ? NaN : value; // if has_sentinels
    } // if has_sentinels
    if (typeof cell !== "string") return Number(cell ?? NaN);
    let text = bare(cell);
    if (isMissing(text)) return NaN;
    const lower = text.toLowerCase();
    if (kind === "yes-no" || lower === "true" || lower === "false") return YES_NO.get(lower) ?? NaN;
    if (kind.startsWith("unit ")) text = withoutUnit(text, kind.slice(5)); // if has_units
    const value = clothed(text, kind === "comma" ? "comma" : "point");
    return Number.isNaN(value) ? clothed(text, kind === "comma" ? "point" : "comma") : value;
}
// if has_units

/** A text without this unit behind its number. */
function withoutUnit(text, unit) {
    const found = BEFORE_UNIT.exec(text);
    let its = found ? found[3].toLowerCase().replace(/\.+$/, "") : "";
    if (its.length > 3 && its.endsWith("s")) its = its.slice(0, -1);
    return its === unit && (found[2] || its.length > 1 || __LETTERS__.includes(its)) ? found[1] : text;
}
// endif
// if has_dates

/** The date and time, in UTC, that a text is in one order of year, month and day; null where it is none. */
function readDate(text, form) {
    if (form === "ymd") text = text.replace(/^((?:19|20)\d\d)(\d\d)(\d\d)$/, "$1-$2-$3");
    if (form === "mdy") text = text.replace(CTIME, "$1 $2 $4 $3");
    const found = new RegExp(DATES[form], "u").exec(text);
    if (!found) return null;
    let [year, month, day] = PLACES[form].map((place) => found[place] || "1");
    if (form === "time") year = "1970";
    if (/^Q[1-4]$/.test(month)) month = 3 * Number(month[1]) - 2;
    else if (!/^\d/.test(month)) month = MONTHS[month.slice(0, 4).toLowerCase()] ?? MONTHS[month.slice(0, 3).toLowerCase()] ?? 0;
    let hour = Number(found[4] || 0);
    if (found[7]) hour = (hour % 12) + (/^p/i.test(found[7]) ? 12 : 0);
    const full = Number(year) + (year.length === 4 ? 0 : Number(year) < 30 ? 2000 : 1900);
    const [minute, second] = [Number(found[5] || 0), Number(found[6] || 0)];
    const date = new Date(0);
    date.setUTCFullYear(full, month - 1, Number(day));
    const isDay = date.getUTCMonth() === month - 1 && date.getUTCDate() === Number(day) && full > 0;
    if (!isDay || (hour > 23 && form !== "time") || minute > 59 || second > 59) return null;
    date.setUTCHours(hour, minute, second);
    return date;
}

/** The days since 1970, the month, the day of the week (Monday is 0) or the hour of a date. */
function datePart(text, kind, part) {
    const likely = text.includes("/") ? ["mdy", "dmy"] : ["dmy", "mdy"];
    const forms = kind === "time" ? [kind] : [kind, "ymd", ...likely, "time", "ym", "my"];
    const date = forms.map((form) => readDate(text, form)).find((found) => found !== null);
    if (!date) return NaN;
    if (part === "days") return date / 86400000;
    if (part === "month") return date.getUTCMonth() + 1;
    if (part === "weekday") return (date.getUTCDay() + 6) % 7;
    return kind === "time" ? date / 3600000 : date.getUTCHours() + date.getUTCMinutes() / 60;
}
// endif
// if has_columns

/** What an input takes of a cell; not a number where it is missing. */
function feature(cell, column, kind, part) {
    if (kind === "missing") return Number(Number.isNaN(feature(cell, column, part, "days")));
    const text = bare(String(cell ?? ""));
    if (Object.hasOwn(DATES, kind)) return datePart(text, kind, part); // if has_dates
    if (kind !== "text" && kind !== "other") return number(cell, kind);
    if (isMissing(text)) return NaN;
    if (kind === "text") return Number(text === part);
    return Number(!SOURCES.some(([at, is, known]) => at === column && is === "text" && known === text));
}

/** A number for each input, from the cells of a row. */
function features(row) {
    if (row.length !== COLUMNS.length) {
        throw new RangeError(`expected ${COLUMNS.length} cells, got ${row.length}`);
    }
    return SOURCES.map(([column, kind, part]) => feature(row[column], column, kind, part));
}
// endif
