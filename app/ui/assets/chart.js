// One node through time as SVG: history, forecast with its bands, last year, earlier forecasts, the sum of the parts.
// Hovering, or the arrow keys, tell the numbers of a month.
(function () {
  "use strict";
  const SVG = "http://www.w3.org/2000/svg";
  const HEIGHT = 340;
  const EDGE = { left: 58, right: 14, top: 14, bottom: 34 };
  const HIDDEN = new Set();

  function element(name, attributes, children) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
    for (const child of children || []) made.append(child);
    return made;
  }

  // The other scripts are loaded after this one.
  const html = (...parts) => window.tonnage.made(...parts);
  const ordinal = (month) => window.tonnage.ordinal(month);

  // Round steps, four to six of them.
  function ticks(top) {
    if (!(top > 0)) return [0, 1];
    const rough = top / 5;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 2.5, 5, 10].map((each) => each * power).find((each) => each >= rough);
    const found = [];
    for (let n = 0; n * step < top + step * 0.999; n += 1) found.push(n * step);
    return found;
  }

  // Everything that is drawn, by month: lines are lists of [ordinal, value].
  function gather(series, sum) {
    const forecast = series.forecast.map((each) => ({ at: ordinal(each.month), ...each }));
    const history = series.history.map((each) => [ordinal(each.month), each.quantity]);
    const lines = [];
    series.earlier.forEach((said, place) => {
      if (said.unit !== series.unit) return;
      lines.push({
        kind: "earlier",
        points: said.months.map((each) => [ordinal(each.month), each.mean]),
        name: `Forecast of ${window.tonnage.month(said.run.origin)}`,
        group: "Earlier forecasts",
        opacity: 0.8 - (0.45 * place) / Math.max(1, series.earlier.length - 1),
      });
    });
    const lastYear = series.last_year.map((each) => [ordinal(each.month) + 12, each.quantity]);
    if (lastYear.length) lines.push({ kind: "before", points: lastYear, name: "A year before", group: "A year before" });
    if (history.length) lines.push({ kind: "history", points: history, name: "Bought", group: "Bought" });
    lines.push({ kind: "forecast", points: forecast.map((each) => [each.at, each.mean]), name: "Forecast", group: "Forecast" });
    if (sum) {
      const points = sum.months.map((each) => [ordinal(each.month), each.mean]);
      lines.push({ kind: "sum", points, name: sum.label, group: sum.label });
    }
    // From the last month bought to the first forecast, so that the eye follows.
    const joint = history.length ? [[...history[history.length - 1]], [forecast[0].at, forecast[0].mean]] : [];
    return { forecast, history, lines, joint, bands: series.bands.slice().reverse() };
  }

  function extent(drawn) {
    const months = [];
    const values = [];
    for (const line of drawn.lines) {
      if (HIDDEN.has(line.kind)) continue;
      for (const [at, value] of line.points) {
        months.push(at);
        values.push(value);
      }
    }
    for (const each of drawn.forecast) {
      months.push(each.at);
      values.push(...drawn.bands.map((band) => each[band.high]));
    }
    return { first: Math.min(...months), last: Math.max(...months), top: Math.max(...values) };
  }

  function path(points, x, y) {
    return points.map(([at, value], place) => `${place ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`).join("");
  }

  function yearMarks(first, last, x, width) {
    const marks = [];
    const room = width / (last - first + 1);
    const every = room > 34 ? 1 : room > 17 ? 3 : room > 7 ? 6 : 12;
    for (let at = first; at <= last; at += 1) {
      if (at % 12 === 0) marks.push({ at, label: String(Math.floor(at / 12)), year: true });
      else if (at % every === 0) {
        const date = new Date(Date.UTC(Math.floor(at / 12), at % 12, 1));
        marks.push({ at, label: date.toLocaleDateString(window.tonnage.locale, { month: "short", timeZone: "UTC" }) });
      }
    }
    return marks.map((mark) =>
      element("g", { class: mark.year ? "mark year" : "mark", transform: `translate(${x(mark.at).toFixed(1)} ${HEIGHT - EDGE.bottom})` }, [
        element("line", { y2: 5 }),
        element("text", { y: 19, "text-anchor": "middle" }, [mark.label]),
      ]),
    );
  }

  function legend(host, drawn) {
    const entries = new Map();
    for (const line of drawn.lines) entries.set(line.group, line.kind);
    const list = html("div", { class: "legend", role: "group", "aria-label": "Shown in the chart" });
    const order = ["history", "forecast", "before", "earlier", "sum"];
    const sorted = [...entries].sort((a, b) => order.indexOf(a[1]) - order.indexOf(b[1]));
    for (const [name, kind] of sorted) {
      const fixed = kind === "history" || kind === "forecast";
      const entry = html(fixed ? "span" : "button", { class: `entry ${kind}` }, html("i", { "aria-hidden": "true" }), name);
      if (!fixed) {
        entry.type = "button";
        entry.dataset.kind = kind;
        entry.setAttribute("aria-pressed", String(!HIDDEN.has(kind)));
        entry.addEventListener("click", () => {
          if (HIDDEN.has(kind)) HIDDEN.delete(kind);
          else HIDDEN.add(kind);
          draw(host);
          host.querySelector(`button[data-kind="${kind}"]`).focus();
        });
      }
      list.append(entry);
    }
    for (const band of drawn.bands.slice().reverse()) {
      list.append(html("span", { class: `entry band ${bandClass(drawn, band)}` }, html("i", { "aria-hidden": "true" }), band.label));
    }
    return list;
  }

  const bandClass = (drawn, band) => (drawn.bands.length > 1 && drawn.bands.indexOf(band) === 0 ? "wide" : "narrow");

  // The numbers of a month, in words for the box and for whoever listens.
  function told(drawn, at) {
    const rows = [];
    const find = (line) => line.points.find(([month]) => month === at);
    for (const kind of ["history", "forecast"]) {
      const line = drawn.lines.find((each) => each.kind === kind);
      const point = line && find(line);
      if (point) rows.push([line.name, point[1], kind]);
    }
    const said = drawn.forecast.find((each) => each.at === at);
    if (said) for (const band of drawn.bands.slice().reverse()) rows.push([band.label, [said[band.low], said[band.high]], "band"]);
    for (const line of drawn.lines) {
      if (line.kind === "history" || line.kind === "forecast" || HIDDEN.has(line.kind)) continue;
      const point = find(line);
      if (point) rows.push([line.name, point[1], line.kind]);
    }
    return rows;
  }

  function draw(host) {
    const { series, sum } = host.shown;
    const drawn = gather(series, sum);
    const width = Math.max(280, host.clientWidth);
    const { first, last, top } = extent(drawn);
    const unit = series.unit;
    const steps = ticks(window.tonnage.shown(top, unit));
    const scale = window.tonnage.shown(1, unit);
    const ceiling = steps[steps.length - 1] / scale;
    const inner = width - EDGE.left - EDGE.right;
    const x = (at) => EDGE.left + (last === first ? inner / 2 : (inner * (at - first + 0.5)) / (last - first + 1));
    const y = (value) => EDGE.top + (HEIGHT - EDGE.top - EDGE.bottom) * (1 - value / ceiling);
    const origin = ordinal(series.run.origin) + 0.5;
    const write = (value) => window.tonnage.amount(value, unit, ceiling);

    const svg = element("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, "aria-hidden": "true" });
    for (const step of steps) {
      const at = y(step / scale);
      svg.append(
        element("line", { class: "grid", x1: EDGE.left, x2: width - EDGE.right, y1: at, y2: at }),
        element("text", { class: "tick", x: EDGE.left - 8, y: at + 4, "text-anchor": "end" }, [window.tonnage.number(step, steps[1] < 1 ? 1 : 0)]),
      );
    }
    svg.append(element("rect", { class: "ahead", x: x(origin), y: EDGE.top, width: width - EDGE.right - x(origin), height: HEIGHT - EDGE.top - EDGE.bottom }));
    for (const band of drawn.bands) {
      const upper = drawn.forecast.map((each) => [each.at, each[band.high]]);
      const lower = drawn.forecast.map((each) => [each.at, each[band.low]]).reverse();
      svg.append(element("path", { class: `band ${bandClass(drawn, band)}`, d: `${path([...upper, ...lower], x, y)}Z` }));
    }
    svg.append(element("path", { class: "line joint", d: path(drawn.joint, x, y) }));
    for (const line of drawn.lines) {
      if (HIDDEN.has(line.kind)) continue;
      if (line.kind === "sum") {
        for (const [at, value] of line.points) svg.append(element("circle", { class: "sum", cx: x(at), cy: y(value), r: 3.5 }));
      } else svg.append(element("path", { class: `line ${line.kind}`, d: path(line.points, x, y), "stroke-opacity": line.opacity || 1 }));
    }
    svg.append(element("line", { class: "axis", x1: EDGE.left, x2: width - EDGE.right, y1: y(0), y2: y(0) }));
    svg.append(element("line", { class: "origin", x1: x(origin), x2: x(origin), y1: EDGE.top, y2: HEIGHT - EDGE.bottom }));
    svg.append(...yearMarks(first, last, x, inner));
    const cursor = element("g", { class: "cursor", visibility: "hidden" });
    svg.append(cursor);

    const box = html("div", { class: "box", hidden: "" });
    const spoken = html("p", { class: "hidden-for-eyes", "aria-live": "polite" });
    const plot = html(
      "div",
      {
        class: "plot", tabindex: "0", role: "application", "aria-roledescription": "chart",
        "aria-label": `${series.name} in ${window.tonnage.unitName(unit)} by month; left and right tell the numbers of a month`,
      },
      svg, box, spoken,
    );

    function show(at, speak) {
      host.at = at;
      const rows = told(drawn, at);
      cursor.setAttribute("visibility", "visible");
      cursor.replaceChildren(element("line", { x1: x(at), x2: x(at), y1: EDGE.top, y2: HEIGHT - EDGE.bottom }));
      const words = (value) => (Array.isArray(value) ? value.map(write).join(" – ") : write(value));
      for (const [, value, kind] of rows)
        if (kind === "history" || kind === "forecast") cursor.append(element("circle", { class: kind, cx: x(at), cy: y(value), r: 4 }));
      const title = `${window.tonnage.month(window.tonnage.monthAt(at))} · ${window.tonnage.unitName(unit)}`;
      box.replaceChildren(html("b", {}, title));
      const list = html("dl", {});
      for (const [name, value, kind] of rows) list.append(html("dt", { class: kind }, html("i", {}), name), html("dd", {}, words(value)));
      box.append(list);
      box.hidden = false;
      const right = x(at) + 14 + box.offsetWidth > width;
      box.style.left = `${right ? Math.max(0, x(at) - 14 - box.offsetWidth) : x(at) + 14}px`;
      if (speak) spoken.textContent = `${title}: ${rows.map(([name, value]) => `${name} ${words(value)}`).join(", ")}`;
    }

    function hide() {
      box.hidden = true;
      cursor.setAttribute("visibility", "hidden");
    }

    plot.addEventListener("pointermove", (event) => {
      const spot = event.clientX - plot.getBoundingClientRect().left;
      const at = Math.floor(first + ((spot - EDGE.left) / inner) * (last - first + 1));
      if (at >= first && at <= last) show(at, false);
      else hide();
    });
    plot.addEventListener("pointerleave", hide);
    plot.addEventListener("blur", hide);
    plot.addEventListener("keydown", (event) => {
      const steps = { ArrowLeft: -1, ArrowRight: 1 };
      const now = host.at === undefined || host.at < first || host.at > last ? Math.ceil(origin) - 1 : host.at;
      let at;
      if (event.key in steps) at = Math.min(last, Math.max(first, now + steps[event.key]));
      else if (event.key === "Home") at = first;
      else if (event.key === "End") at = last;
      else if (event.key === "Escape") return hide();
      else return undefined;
      event.preventDefault();
      return show(at, true);
    });
    host.replaceChildren(legend(host, drawn), plot);
  }

  const resized = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (target.shown && target.clientWidth !== target.drawnAt) {
        target.drawnAt = target.clientWidth;
        draw(target);
      }
    }
  });

  window.tonnage = Object.assign(window.tonnage || {}, {
    // A series as /v1/series answers it, with its name and bands; `sum` is that of its parts, if it is known.
    drawSeries(host, series, sum) {
      if (!series) {
        host.replaceChildren();
        host.shown = null;
        return;
      }
      const same = host.shown && host.shown.series === series;
      if (!same) host.at = undefined;
      host.shown = { series, sum };
      host.drawnAt = host.clientWidth;
      draw(host);
      resized.observe(host);
    },
  });

  document.addEventListener("tonnage-unit", () => {
    for (const host of document.querySelectorAll(".chart")) if (host.shown) draw(host);
  });
})();
