// The view Predict in the browser: takes the file, and shows a forecast that has come.
(function () {
  "use strict";
  const GRID = "predict-grid";
  const HISTORY = 36;
  let taken = 0;

  const nothing = () => window.dash_clientside.no_update;

  function say(name, size) {
    const [unit, by, digits] = size < 1e3 ? ["bytes", 1, 0] : size < 1e6 ? ["kB", 1e3, 1] : ["MB", 1e6, 1];
    return `${name} · ${window.tonnage.number(size / by, digits)} ${unit}`;
  }

  function made(name, attributes, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) element.setAttribute(key, value);
    element.append(...children);
    return element;
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
    host.querySelector(".named").textContent = say(file.name, file.size);
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
    const limit = window.tonnage.number(Number(host.dataset.most) / 1e6, 0);
    host.append(
      made("label", { for: "predict-input" }, made("strong", {}, "Choose a file"), made("span", {}, " or drop it here"), input),
      made("p", { id: "predict-hint" }, `CSV or Excel (.xlsx), up to ${limit} MB: a row for each key and month, or day, with its quantity.`),
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

  const monthOf = (at) => `${String(Math.floor(at / 12)).padStart(4, "0")}-${String((at % 12) + 1).padStart(2, "0")}`;
  const nameOf = (node) => Object.values(node.keys).filter((value) => value !== null).join(" · ") || "Total";
  const sumOf = (node) => node.months.reduce((sum, each) => sum + each.mean, 0);

  function historyOf(shown, place) {
    const [first, quantities] = shown.histories[place];
    return quantities.map((quantity, at) => ({ month: monthOf(first + at), quantity }));
  }

  // As /v1/series would answer it.
  function seriesOf(shown, place) {
    const node = shown.answer.forecasts[place];
    const history = historyOf(shown, place);
    const bought = new Map(history.map((each) => [each.month, each]));
    const yearBefore = (month) => `${String(Number(month.slice(0, 4)) - 1).padStart(4, "0")}${month.slice(4)}`;
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

  function table(shown, node) {
    const largest = Math.max(...node.months.flatMap((each) => shown.bands.map((band) => each[band.high]).concat(each.mean)));
    const write = (value) => {
      const digits = window.tonnage.digitsFor(largest);
      return made("data", { class: "n", value, "data-digits": digits }, window.tonnage.number(value, digits));
    };
    const right = (...inside) => made("td", { class: "right" }, ...inside);
    const heads = ["Month", "Forecast", ...shown.bands.map((band) => band.label), "Median"];
    const rows = node.months.map((each) =>
      made(
        "tr",
        {},
        made("th", { scope: "row" }, made("time", { class: "month", datetime: each.month }, window.tonnage.month(each.month))),
        right(write(each.mean)),
        ...shown.bands.map((band) => right(write(each[band.low]), " – ", write(each[band.high]))),
        right(write(each.p50)),
      ),
    );
    return made(
      "table",
      { class: "numbers" },
      made("caption", { class: "hidden-for-eyes" }, `Forecast of ${nameOf(node)} in ${shown.unit} by month`),
      made("thead", {}, made("tr", {}, ...heads.map((head, at) => made("th", { scope: "col", class: at ? "right" : "" }, head)))),
      made("tbody", {}, ...rows),
    );
  }

  function show(shown, place) {
    const node = shown.answer.forecasts[place];
    const empty = shown.answer.empty_quantities;
    const about = [
      node.level.replaceAll(",", " × "),
      `${shown.unit}, up to ${window.tonnage.month(shown.answer.origin)}`,
      `recipe ${shown.answer.recipe}`,
    ];
    if (node.fallback) about.push(node.fallback);
    if (empty) about.push(`${window.tonnage.number(empty, 0)} rows without a quantity, taken as zero`);
    document.getElementById("predict-name").textContent = nameOf(node);
    document.getElementById("predict-about").textContent = about.join(" · ");
    document.getElementById("predict-numbers").replaceChildren(table(shown, node));
    window.tonnage.drawSeries(document.getElementById("predict-chart"), seriesOf(shown, place), null);
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
      const row = { place: String(place), name: nameOf(node), level: node.level.replaceAll(",", " × "), sum: sumOf(node), unit: shown.unit };
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
