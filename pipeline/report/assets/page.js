// The page: what is chosen, and every figure that follows from it.

const report = JSON.parse(document.getElementById("report-data").textContent);
const { cells, words } = report;
const sums = Object.fromEntries(
  Object.entries(cells.sums).map(([key, packed]) => [key, decodeSums(packed)]),
);
const DAY = 86400000;
const firstDay = Date.parse(cells.first);
const lastDay = firstDay + cells.day.reduce((last, day) => Math.max(last, day), 0) * DAY;
const KEYS = ["platform", "target_audience"];
const state = {};

function toText(time) {
  return new Date(time).toISOString().slice(0, 10);
}

function writeDay(time) {
  const day = new Date(time);
  return fill(report.day, {
    day: day.getUTCDate(),
    month: report.months[day.getUTCMonth()],
    year: day.getUTCFullYear(),
  });
}

function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, key) => values[key]);
}

function number(form, text) {
  return writeNumber(FORMS[form](text), report.marks);
}

function choose(start, end) {
  const from = (start - firstDay) / DAY;
  const until = (end - firstDay) / DAY;
  const chosen = [];
  for (let cell = 0; cell < cells.day.length; cell++) {
    if (
      cells.day[cell] >= from &&
      cells.day[cell] <= until &&
      cells.currency.places[cell] === state.currency &&
      KEYS.every((key) => state[key].has(cells[key].places[cell]))
    ) {
      chosen.push(cell);
    }
  }
  return chosen;
}

function group(chosen, find) {
  const groups = new Map();
  for (const cell of chosen) {
    const key = find(cell);
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(cell);
  }
  return groups;
}

// Cells of a table: { text, why }, or a name.
function figure(key, totals, whole) {
  if (key === "share") {
    const rule = { over: "spend", less: "", under: "whole", times: 1 };
    const value = measure({ spend: totals.spend, whole: whole.spend }, rule);
    return show(value, "percent", words.no_value);
  }
  const rule = report.measures[key];
  return show(measure(totals, rule), rule.form, rule.why);
}

function show(value, form, why) {
  return value === null ? { text: "\u2013", why } : { text: number(form, value), why: "" };
}

function writeTable(name, rows) {
  const body = document.querySelector(`[data-table="${name}"] tbody`);
  body.replaceChildren(...rows.map(writeRow));
  const table = body.closest("table");
  if (!rows.length) body.append(writeEmpty(table));
  writeReasons(table, rows);
}

// Below the table, for paper: why there are dashes, a reason a column.
function writeReasons(table, rows) {
  const reasons = [...table.tHead.rows[0].cells].flatMap((head, place) => {
    const dash = rows.map((row) => row[place]).find(({ why }) => why);
    return dash ? [`\u2013 ${head.textContent.trim()}: ${dash.why}`] : [];
  });
  const lines = reasons.map((reason) => {
    const line = document.createElement("span");
    line.textContent = reason;
    return line;
  });
  table.parentNode.nextElementSibling.replaceChildren(...lines);
}

function writeRow([name, ...figures]) {
  const row = document.createElement("tr");
  const head = document.createElement("th");
  head.scope = "row";
  const shown = document.createElement("bdi");
  shown.textContent = name;
  head.append(shown);
  row.append(head, ...figures.map(writeCell));
  return row;
}

function writeCell({ text, why }) {
  const cell = document.createElement("td");
  cell.append(explain(text, why));
  return cell;
}

// A text, which tells its reason where it is a dash; see charts.js.
function explain(text, why) {
  if (!why) return text;
  const dash = document.createElement("span");
  dash.className = "dash";
  dash.textContent = text;
  dash.tabIndex = 0;
  dash.dataset.about = why;
  dash.title = why;
  return dash;
}

function writeEmpty(table) {
  const row = document.createElement("tr");
  const cell = document.createElement("td");
  cell.colSpan = table.tHead.rows[0].cells.length;
  cell.className = "empty";
  cell.textContent = words.no_rows;
  row.append(cell);
  return row;
}

function writeHeadline(totals, before) {
  for (const card of document.querySelectorAll("[data-figure]")) {
    const key = card.dataset.figure;
    const rule = report.measures[key];
    const value = measure(totals, rule);
    const shown = show(value, rule.form, rule.why);
    card.querySelector(".value").replaceChildren(explain(shown.text, shown.why));
    card.querySelector(".reasons").textContent = shown.why;
    writeChange(card, rule, value, before && measure(before, rule));
  }
}

function writeChange(card, rule, value, before) {
  const change = before === null ? null : findChange(value, before);
  const pill = card.querySelector(".change");
  const sign = change === null ? 0 : Math.sign(Number(change));
  const percent = change === null ? null : round(timesHundred(change), 1);
  const mark = ["\u25bc ", "", "\u25b2 +"][sign + 1];
  pill.replaceChildren(
    percent === null
      ? explain("\u2013", words.no_change)
      : `${mark}${writeNumber(percent.replace("-", "\u2212"), report.marks)} %`,
  );
  pill.dataset.good = String(sign * rule.better);
  const was = card.querySelector(".before");
  was.textContent = before === null ? "" : fill(words.before, { value: number(rule.form, before) });
}

function writeGroups(key, chosen, whole) {
  const groups = [...group(chosen, (cell) => cells[key].places[cell])].map(([place, members]) => ({
    place,
    name: cells[key].names[place],
    totals: addUp(sums, members),
  }));
  groups.sort((one, other) => compareGroups(key, one, other));
  const columns = report.tables[key];
  writeTable(
    key,
    groups.map(({ name, totals }) => [name, ...columns.map((column) => figure(column, totals, whole))]),
  );
  drawGroups(key, groups, whole);
}

function compareGroups(key, one, other) {
  if (key === "target_audience") {
    const rule = report.measures.avg_view_time;
    const [a, b] = [measure(one.totals, rule), measure(other.totals, rule)];
    if (a !== b) return a === null ? 1 : b === null ? -1 : Number(b) - Number(a);
  }
  return one.place - other.place;
}

function drawGroups(key, groups, whole) {
  for (const column of ["spend", "roas"]) {
    const rows = groups.map(({ name, totals }, place) => {
      const { text } = figure(column, totals, whole);
      const share = column === "spend" ? ` \u00b7 ${figure("share", totals, whole).text} %` : "";
      const value = measure(totals, report.measures[column]);
      const label = `${text}${text === "\u2013" ? "" : share}`;
      return { place, name, value: value === null ? null : Number(value), label, tip: `${name}: ${label}` };
    });
    draw(`${key}_${column}`, rows);
  }
}

const STEPS = ["impressions", "clicks", "conversions"];

function writeFunnel(totals) {
  const rates = [null, "ctr", "cvr"];
  const rows = STEPS.map((step, place) => ({
    name: report.names[step],
    value: measure(totals, report.measures[step]),
    shown: figure(step, totals),
    rate: rates[place] ? figure(rates[place], totals) : { text: "", why: "" },
  }));
  writeTable("funnel", rows.map(({ name, shown, rate }) => [name, shown, rate]));
  draw(
    "funnel",
    rows.map(({ name, value, shown, rate }, place) => {
      const label = rate.text && rate.text !== "\u2013" ? `${shown.text} \u00b7 ${rate.text} %` : shown.text;
      return { place, name, value: value === null ? null : Number(value), label, tip: `${name}: ${label}` };
    }),
  );
}

// Days, weeks (from Monday) or months, as many as a chart can show.
const SPANS = [
  { days: 62, word: "by_day", begin: (time) => time },
  { days: 366, word: "by_week", begin: (time) => time - ((new Date(time).getUTCDay() + 6) % 7) * DAY },
  { days: Infinity, word: "by_month", begin: (time) => Date.parse(`${toText(time).slice(0, 7)}-01`) },
];

function writeTime(chosen) {
  const length = (state.end - state.start) / DAY + 1;
  const span = SPANS.find(({ days }) => length <= days);
  const groups = group(chosen, (cell) => span.begin(firstDay + cells.day[cell] * DAY));
  const begins = [];
  for (let time = state.start; time <= state.end; time += DAY) {
    const begin = span.begin(time);
    if (begins.at(-1) !== begin) begins.push(begin);
  }
  const rows = begins.map((begin) => ({ begin, totals: addUp(sums, groups.get(begin) ?? []) }));
  const columns = report.tables.time;
  writeTable(
    "time",
    rows.map(({ begin, totals }) => [nameSpan(begin, span), ...columns.map((key) => figure(key, totals))]),
  );
  document.getElementById("time-span").textContent = words[span.word];
  for (const key of ["spend", "roas"]) {
    draw(
      `${key}_over_time`,
      rows.map(({ begin, totals }) => {
        const value = measure(totals, report.measures[key]);
        const tip = `${nameSpan(begin, span)}: ${report.names[key]} ${figure(key, totals).text}`;
        return { name: nameShort(begin, span), value: value === null ? null : Number(value), tip };
      }),
    );
  }
}

function nameSpan(begin, span) {
  return span.word === "by_month" ? nameShort(begin, span) : writeDay(Math.max(begin, state.start));
}

function nameShort(begin, span) {
  const day = new Date(span.word === "by_month" ? begin : Math.max(begin, state.start));
  const month = report.months[day.getUTCMonth()];
  return span.word === "by_month" ? `${month} ${day.getUTCFullYear()}` : `${day.getUTCDate()} ${month}`;
}

function draw(name, rows) {
  const place = document.querySelector(`[data-chart="${name}"]`);
  drawChart(place, report.charts[name], rows, report.locale);
}
