// The view Predict in the browser: takes the file, and shows a forecast that has come.
(function () {
  "use strict";
  const GRID = "predict-grid";
  const HISTORY = 36;
  let taken = 0;

  const nothing = () => window.dash_clientside.no_update;
  const made = (...parts) => window.tonnage.made(...parts);

  function size(bytes) {
    const [unit, by, digits] = bytes < 1e3 ? ["bytes", 1, 0] : bytes < 1e6 ? ["kB", 1e3, 1] : ["MB", 1e6, 1];
    return `${window.tonnage.number(bytes / by, bytes % by ? digits : 0)} ${unit}`;
  }

  function hand(told) {
    taken += 1;
    window.dash_clientside.set_props("predict-file", { data: { taken, ...told } });
  }

  // What is too large is not even read: the service is told its size, and says what to do.
  function take(host, files) {
    if (!files || !files.length) return;
    const file = files[0];
    if (files.length > 1) return hand({ files: files.length });
    const told = { name: file.name, size: file.size };
    host.querySelector(".named").textContent = `${file.name} · ${size(file.size)}`;
    host.classList.add("filled");
    if (file.size > Number(host.dataset.most)) return hand(told);
    const reader = new FileReader();
    reader.onload = () => hand({ ...told, content: reader.result.slice(reader.result.indexOf(",") + 1) });
    reader.onerror = () => hand(told);
    return reader.readAsDataURL(file);
  }

  function fill(host) {
    if (host.firstChild) return;
    const input = made("input", { type: "file", id: "predict-input", accept: ".csv,.txt,.tsv,.xlsx,text/csv", "aria-describedby": "predict-hint" });
    const limit = size(Number(host.dataset.most));
    host.append(
      made("label", { for: "predict-input" }, made("strong", {}, "Choose a file"), made("span", {}, " or drop it here"), input),
      made("p", { id: "predict-hint" }, `CSV or Excel (.xlsx), up to ${limit}: a row for each key and month, or day, with its quantity.`),
      made("p", { class: "named", role: "status" }),
    );
    input.addEventListener("change", () => {
      take(host, input.files);
      input.value = ""; // so that the same file can be chosen again, corrected
    });
    for (const [event, over] of [["dragenter", true], ["dragover", true], ["dragleave", false], ["drop", false]])
      host.addEventListener(event, (dragged) => {
        dragged.preventDefault();
        host.classList.toggle("over", over);
        if (event === "drop") take(host, dragged.dataTransfer.files);
      });
  }

  const nameOf = (node) => Object.values(node.keys).filter((value) => value !== null).join(" · ") || "Total";
  const levelOf = (node) => node.level.replaceAll(",", " × ");
  const sumOf = (node) => node.months.reduce((sum, each) => sum + each.mean, 0);

  function historyOf(shown, place) {
    const [first, quantities] = shown.histories[place];
    return quantities.map((quantity, at) => ({ month: window.tonnage.monthAt(first + at), quantity }));
  }

  // As /v1/series would answer it.
  function seriesOf(shown, place) {
    const node = shown.answer.forecasts[place];
    const history = historyOf(shown, place);
    const bought = new Map(history.map((each) => [each.month, each]));
    const yearBefore = (month) => window.tonnage.monthAt(window.tonnage.ordinal(month) - 12);
    return {
      run: { origin: shown.answer.origin },
      unit: shown.unit,
      name: nameOf(node),
      bands: shown.bands,
      history: history.slice(-HISTORY),
      forecast: node.months,
      last_year: node.months.map((each) => bought.get(yearBefore(each.month))).filter(Boolean),
      earlier: [],
    };
  }

  function show(shown, place) {
    const node = shown.answer.forecasts[place];
    const empty = shown.answer.empty_quantities;
    const series = seriesOf(shown, place);
    // numbers.js writes the unit, as it writes that of the table.
    const unit = made("span", { class: "unit", "data-unit": shown.unit }, shown.unit);
    const about = [`, up to ${window.tonnage.month(shown.answer.origin)}`, `recipe ${shown.answer.recipe}`];
    if (node.fallback) about.push(node.fallback);
    if (empty) about.push(`${window.tonnage.number(empty, 0)} rows without a quantity, taken as zero`);
    document.getElementById("predict-name").textContent = series.name;
    document.getElementById("predict-about").replaceChildren(`${levelOf(node)} · `, unit, about.join(" · "));
    window.tonnage.tabulate(document.getElementById("predict-numbers"), series);
    window.tonnage.drawSeries(document.getElementById("predict-chart"), series, null);
  }

  function columns(shown) {
    const numbers = { type: "rightAligned", width: 96, valueFormatter: { function: "tonnageAmount(params)" } };
    const months = shown.answer.forecasts[0].months.map((each, at) => ({
      ...numbers, field: `m${at}`, headerName: window.tonnage.month(each.month),
    }));
    return [
      { field: "name", headerName: "Series", minWidth: 150, width: 220, pinned: window.innerWidth > 720 ? "left" : null, tooltipField: "name" },
      { field: "level", headerName: "Level", width: 150 },
      { ...numbers, field: "sum", headerName: `Next ${months.length} months`, width: 150 },
      ...months,
    ];
  }

  function rows(shown) {
    return shown.answer.forecasts.map((node, place) => {
      const row = { place: String(place), name: nameOf(node), level: levelOf(node), sum: sumOf(node), unit: shown.unit };
      node.months.forEach((each, at) => (row[`m${at}`] = each.mean));
      row.largest = Math.max(...node.months.map((each) => each.mean));
      return row;
    });
  }

  window.dash_clientside = Object.assign(window.dash_clientside || {}, {
    predict: {
      arrive() {
        fill(document.getElementById("predict-drop"));
        return nothing();
      },

      show(shown) {
        if (!shown) return [true, [], [], []];
        const all = rows(shown);
        // As high as its rows, up to fourteen of them.
        document.getElementById(GRID).style.height = `${52 + 28 * Math.min(all.length, 14)}px`;
        return [false, columns(shown), all, [all[0]]];
      },

      choose(selected, shown) {
        if (shown && selected && selected.length)
          window.requestAnimationFrame(() => show(shown, Number(selected[0].place)));
        return nothing();
      },
    },
  });

  // In the grid Enter chooses, as a click does.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.closest(`#${GRID} .ag-row`)) return;
    window.dash_ag_grid.getApiAsync(GRID).then((api) => {
      const cell = api.getFocusedCell();
      const row = cell && api.getDisplayedRowAtIndex(cell.rowIndex);
      if (row) row.setSelected(true, true);
    });
  });
})();
