// The months of a forecast as a table: the numbers of the chart for whoever would rather read them.
(function () {
  "use strict";
  const made = (...parts) => window.tonnage.made(...parts);
  const nextYear = (month) => window.tonnage.monthAt(window.tonnage.ordinal(month) + 12);

  function table(series) {
    const largest = Math.max(...series.forecast.map((each) => Math.max(each.mean, ...series.bands.map((band) => each[band.high]))));
    const before = new Map(series.last_year.map((each) => [nextYear(each.month), each.quantity]));
    // numbers.js writes what is in them, and writes it anew when another unit is chosen.
    const amount = (value) => made("data", { class: "n", value, "data-unit": series.unit, "data-largest": largest }, " ");
    const cell = (...inside) => made("td", { class: "right" }, ...inside);
    const change = (mean, bought) =>
      bought > 0 ? made("data", { class: "n", value: mean / bought - 1, "data-digits": 1, "data-style": "signed-percent" }, " ") : "–";

    const heads = ["Month", "Forecast", ...series.bands.map((band) => band.label), "Year before", "Change"];
    const rows = series.forecast.map((each) => {
      const bought = before.get(each.month);
      return made(
        "tr", {},
        made("th", { scope: "row" }, made("time", { class: "month", datetime: each.month }, each.month)),
        cell(amount(each.mean)),
        ...series.bands.map((band) => cell(amount(each[band.low]), " – ", amount(each[band.high]))),
        cell(bought === undefined ? "–" : amount(bought)),
        cell(bought === undefined ? "–" : change(each.mean, bought)),
      );
    });
    return made(
      "table", { class: "numbers" },
      made("caption", {}, "Forecast by month in ", made("span", { class: "unit", "data-unit": series.unit }, series.unit)),
      made("thead", {}, made("tr", {}, ...heads.map((head, place) => made("th", { scope: "col", class: place ? "right" : undefined }, head)))),
      made("tbody", {}, ...rows),
    );
  }

  window.tonnage = Object.assign(window.tonnage || {}, {
    // A series as for drawSeries; nothing where there is none.
    tabulate(host, series) {
      host.replaceChildren(...(series ? [table(series)] : []));
    },
  });
})();
