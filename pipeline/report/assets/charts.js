// Charts: gives rows to the specifications and draws them with Vega-Lite, without eval.

const MAX_CHART_ROWS = 24;
const views = new Map();

async function drawChart(place, spec, rows, locale) {
  if (!window.vegaEmbed) return;
  views.get(place)?.finalize();
  views.delete(place);
  place.replaceChildren();
  if (rows.every(({ value }) => value === null)) {
    const note = document.createElement("p");
    note.textContent = report.words.no_value;
    place.append(note);
    return;
  }
  const shown = spec.layer ? rows.slice(0, MAX_CHART_ROWS) : rows;
  const height = spec.height ?? shown.length * report.row_height;
  const made = await window.vegaEmbed(
    place,
    { ...spec, height, data: { values: shown } },
    {
      actions: false,
      ast: true,
      defaultStyle: false,
      formatLocale: locale,
      mode: "vega-lite",
      renderer: "svg",
      tooltip: showTip,
    },
  );
  views.set(place, made);
}

function showTip(handler, event, item, value) {
  if (value === null || value === undefined || value === "") hideNote();
  else showNote(String(value), event.clientX, event.clientY);
}

// One note for the page: a chart's figure, or what a word means.
function showNote(text, x, y) {
  const note = document.getElementById("note");
  note.textContent = text;
  note.hidden = false;
  const { width, height } = note.getBoundingClientRect();
  const left = Math.max(8, Math.min(x - width / 2, document.documentElement.clientWidth - width - 8));
  const top = y - height - 14 > 8 ? y - height - 14 : y + 18;
  note.style.left = `${left}px`;
  note.style.top = `${top}px`;
}

function hideNote() {
  document.getElementById("note").hidden = true;
}

// What has `data-about` explains itself. The page listens for all of it, as cells come and go; in
// <main>, since Safari on a phone tells the document of no click on what is neither link nor button.
function explainWords() {
  const listen = (happens, act) =>
    document.querySelector("main").addEventListener(happens, ({ target }) => {
      const word = target.closest("[data-about]");
      if (word) act(word);
    });
  const show = (word) => {
    const box = word.getBoundingClientRect();
    if (box.bottom < 0 || box.top > window.innerHeight) hideNote();
    else showNote(word.dataset.about, box.left + box.width / 2, box.top);
  };
  for (const happens of ["mouseover", "focusin", "click"]) listen(happens, show);
  for (const happens of ["mouseout", "focusout"]) listen(happens, hideNote);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hideNote();
  });
  // To reach a word with the keyboard may scroll to it: its note goes with it.
  const follow = () => {
    const word = document.activeElement.closest("[data-about]");
    if (word && !document.getElementById("note").hidden) show(word);
    else hideNote();
  };
  window.addEventListener("scroll", follow, { passive: true, capture: true });
}
