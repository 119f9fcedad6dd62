// Figures: exact sums of the page's cells, and how a figure is written.
// Sums are whole millionths, so nothing is rounded before it is shown. A ratio is one of two
// floats, as in sql/kpi/, and null where it has no value.

const MILLION = 1000000n;
const PLACES = 6;

function decodeSums(packed) {
  const factor = 10n ** BigInt(PLACES - packed.places);
  return packed.values.map((value) => (value === null ? null : BigInt(value) * factor));
}

function addUp(sums, chosen) {
  const totals = {};
  for (const [key, values] of Object.entries(sums)) {
    let total = null;
    for (const cell of chosen) {
      const value = values[cell];
      if (value !== null) total = total === null ? value : total + value;
    }
    totals[key] = total;
  }
  return totals;
}

function spell(millionths) {
  // The exact decimal, as text.
  const size = millionths < 0n ? -millionths : millionths;
  const places = String(size % MILLION).padStart(PLACES, "0");
  return `${millionths < 0n ? "-" : ""}${size / MILLION}.${places}`;
}

function toFloat(millionths) {
  return Number(spell(millionths));
}

// The decimal text of a measure, or null.
function measure(totals, rule) {
  let over = totals[rule.over];
  if (over === null) return null;
  if (rule.less) {
    if (totals[rule.less] === null) return null;
    over -= totals[rule.less];
  }
  if (!rule.under) return spell(over);
  const under = totals[rule.under];
  if (under === null || under === 0n) return null;
  return writeFloat((rule.times * toFloat(over)) / toFloat(under));
}

// A float's shortest text without an exponent.
function writeFloat(number) {
  if (!Number.isFinite(number)) return null;
  const [digits, power] = String(number).split("e");
  if (power === undefined) return digits;
  const [whole, part = ""] = digits.replace("-", "").split(".");
  const sign = number < 0 ? "-" : "";
  const shift = Number(power);
  if (shift < 0) return `${sign}0.${"0".repeat(-shift - 1)}${whole}${part}`;
  return `${sign}${whole}${part.padEnd(shift, "0")}`;
}

// Rounds a decimal text half to even.
function round(text, places) {
  const negative = text.startsWith("-");
  const [whole, part = ""] = text.replace("-", "").split(".");
  const kept = BigInt(whole + part.slice(0, places).padEnd(places, "0"));
  const rest = part.slice(places).replace(/0+$/, "");
  const up = rest > "5" || (rest === "5" && kept % 2n === 1n);
  const digits = String(up ? kept + 1n : kept).padStart(places + 1, "0");
  const cut = digits.length - places;
  const marked = digits.slice(0, cut).replace(/\B(?=(\d{3})+$)/g, ",");
  const shown = places ? `${marked}.${digits.slice(cut)}` : marked;
  return negative && /[1-9]/.test(shown) ? `-${shown}` : shown;
}

function timesHundred(text) {
  const negative = text.startsWith("-");
  const [whole, part = ""] = text.replace("-", "").split(".");
  const digits = part.padEnd(2, "0");
  return `${negative ? "-" : ""}${whole}${digits.slice(0, 2)}.${digits.slice(2)}`;
}

const FORMS = {
  amount: (text) => round(text, 2),
  count: (text) => round(text, 0),
  quantity: (text) => round(text, 2).replace(/\.00$/, ""),
  percent: (text) => round(timesHundred(text), 2),
};

function writeNumber(text, marks) {
  return text.replace(/[.,]/g, (mark) => marks[mark] ?? mark);
}

// How a figure changed: a relative change as decimal text, or null.
function findChange(value, before) {
  if (value === null || before === null || Number(before) === 0) return null;
  return writeFloat((Number(value) - Number(before)) / Number(before));
}
