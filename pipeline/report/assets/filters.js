// Filters: read what a person chooses, and show the page for it.

const form = document.getElementById("filters");
let opening = null;
const dates = { start: document.getElementById("start"), end: document.getElementById("end") };

function reset() {
  form.reset();
  readForm();
}

function readForm(changed) {
  if (changed === dates.start || changed === dates.end) form.elements.days.value = "own";
  const days = form.elements.days.value;
  if (days === "own") {
    const [start, end] = [dates.start, dates.end].map(({ value }) => Date.parse(value));
    state.start = clamp(Number.isNaN(start) ? firstDay : start);
    state.end = clamp(Number.isNaN(end) ? lastDay : end);
    if (state.start > state.end) [state.start, state.end] = [state.end, state.start];
  } else {
    state.end = lastDay;
    state.start = days === "all" ? firstDay : clamp(lastDay - (Number(days) - 1) * DAY);
    dates.start.value = toText(state.start);
    dates.end.value = toText(state.end);
  }
  const currency = form.elements.currency;
  state.currency = currency ? Number(currency.value) : report.currency;
  for (const key of KEYS) {
    const boxes = [...form.querySelectorAll(`input[name="${key}"]`)];
    const chosen = boxes.filter((box) => box.checked);
    state[key] = new Set(chosen.map((box) => Number(box.value)));
    sayChosen(key, chosen.length, boxes.length);
  }
  showPage();
}

function clamp(time) {
  return Math.min(Math.max(time, firstDay), lastDay);
}

function sayChosen(key, chosen, all) {
  const place = form.querySelector(`[data-chosen="${key}"]`);
  if (chosen === all) place.textContent = words.all;
  else if (!chosen) place.textContent = words.none;
  else place.textContent = fill(words.chosen, { chosen, all });
}

function showPage() {
  const { start, end } = state;
  const chosen = choose(start, end);
  const whole = addUp(sums, chosen);
  const length = end - start + DAY;
  const [from, until] = [start - length, start - DAY];
  const before = from >= firstDay ? addUp(sums, choose(from, until)) : null;
  const note = before
    ? fill(words.compared, { start: writeDay(from), end: writeDay(until) })
    : words.not_compared;
  document.getElementById("shown").textContent = fill(words.shown, {
    start: writeDay(start),
    end: writeDay(end),
  });
  document.getElementById("compared").textContent = note;
  document.getElementById("nothing").hidden = chosen.length > 0;
  for (const place of document.querySelectorAll("[data-currency]")) {
    place.textContent = cells.currency.names[state.currency];
  }
  hideNote();
  writeHeadline(whole, before);
  writeTime(chosen);
  for (const key of KEYS) writeGroups(key, chosen, whole);
  writeFunnel(whole);
  markCampaigns();
}

// The tables of campaigns show what the page opens with: said louder where that is not chosen.
function markCampaigns() {
  const chosen = JSON.stringify([state.start, state.end, state.currency, ...KEYS.map((key) => [...state[key]])]);
  opening ??= chosen;
  document.getElementById("campaigns-note")?.classList.toggle("notice", chosen !== opening);
}

if (cells.first) {
  form.hidden = false;
  form.addEventListener("change", (event) => readForm(event.target));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.querySelector('[type="reset"]').addEventListener("click", (event) => {
    event.preventDefault();
    reset();
  });
  for (const button of form.querySelectorAll("[data-choose]")) {
    button.addEventListener("click", () => {
      const [key, value] = button.dataset.choose.split(" ");
      for (const box of form.querySelectorAll(`input[name="${key}"]`)) box.checked = value === "all";
      readForm();
    });
  }
  document.addEventListener("click", (event) => {
    for (const menu of form.querySelectorAll("details[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  reset();
}
explainWords();
