// Numbers, months and moments in the browser's own way of writing them: <data class="n" value="…" data-digits="1">,
// <time class="month" datetime="2026-11">, <time class="moment" datetime="2026-11-03T12:00:00Z">. See app/ui/written.py.
// Amounts have data-unit, the run's unit, and are shown in the unit that was chosen here: t, short tons or kg.
(function () {
  "use strict";
  const locale = navigator.languages && navigator.languages.length ? navigator.languages : [navigator.language];
  const formats = {};

  function number(value, digits, style) {
    const key = digits + "|" + (style || "");
    if (!formats[key]) {
      const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
      if (style && style.endsWith("percent")) options.style = "percent";
      if (style && style.startsWith("signed")) options.signDisplay = "exceptZero";
      formats[key] = new Intl.NumberFormat(locale, options);
    }
    return formats[key].format(value);
  }

  // One short ton is 907.18474 kg, by definition.
  const UNITS = { t: { factor: 1, name: "t" }, st: { factor: 1000 / 907.18474, name: "short tons" }, kg: { factor: 1000, name: "kg" } };
  let chosen = UNITS[window.localStorage.getItem("tonnage-unit")] ? window.localStorage.getItem("tonnage-unit") : "t";

  function shown(value, unit) {
    return unit === "t" ? value * UNITS[chosen].factor : value;
  }

  function unitName(unit) {
    return unit === "t" ? UNITS[chosen].name : unit === "piece" ? "pieces" : unit;
  }

  // As many decimals as befit the largest number around.
  function digitsFor(largest) {
    const size = Math.abs(largest);
    return size >= 1000 ? 0 : size >= 10 ? 1 : 2;
  }

  function amount(value, unit, largest) {
    return number(shown(value, unit), digitsFor(shown(largest === undefined ? value : largest, unit)));
  }

  const monthFormat = new Intl.DateTimeFormat(locale, { year: "numeric", month: "short", timeZone: "UTC" });
  const momentFormat = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });

  function month(text) {
    return monthFormat.format(new Date(text + "-01T00:00:00Z"));
  }

  function moment(text) {
    return momentFormat.format(new Date(text));
  }

  // Months are counted from year 0.
  const ordinal = (text) => Number(text.slice(0, 4)) * 12 + Number(text.slice(5, 7)) - 1;
  const monthAt = (at) => `${String(Math.floor(at / 12)).padStart(4, "0")}-${String((at % 12) + 1).padStart(2, "0")}`;

  // An element of the page; an attribute without a value is left out.
  function made(name, attributes, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) if (value !== undefined) element.setAttribute(key, value);
    element.append(...children);
    return element;
  }

  function written(element) {
    if (element.matches("span.unit")) return unitName(element.dataset.unit);
    if (element.matches("data.n")) {
      const value = Number(element.getAttribute("value"));
      if (element.dataset.unit) return amount(value, element.dataset.unit, Number(element.dataset.largest));
      return number(value, Number(element.dataset.digits || 0), element.dataset.style);
    }
    const text = element.getAttribute("datetime");
    return element.matches("time.month") ? month(text) : moment(text);
  }

  function write(element) {
    const text = written(element);
    // The text node stays the same one, for React changes it in place.
    const node = element.firstChild;
    if (node && node.nodeType === Node.TEXT_NODE && node.nodeValue !== text) node.nodeValue = text;
  }

  const SELECTOR = "data.n, span.unit, time.month, time.moment";

  function writeAll(root) {
    if (root.nodeType !== Node.ELEMENT_NODE) return;
    if (root.matches(SELECTOR)) write(root);
    for (const element of root.querySelectorAll(SELECTOR)) write(element);
  }

  new MutationObserver((changes) => {
    for (const change of changes) {
      if (change.type === "childList") change.addedNodes.forEach(writeAll);
      else if (change.type === "characterData") {
        const parent = change.target.parentElement;
        if (parent && parent.matches(SELECTOR)) write(parent);
      } else if (change.target.matches(SELECTOR)) write(change.target);
    }
  }).observe(document.documentElement, {
    subtree: true,
    childList: true,
    characterData: true,
    attributes: true,
    attributeFilter: ["value", "datetime", "data-digits", "data-style", "data-unit", "data-largest"],
  });

  function setUnit(unit) {
    if (!UNITS[unit] || unit === chosen) return;
    chosen = unit;
    window.localStorage.setItem("tonnage-unit", unit);
    writeAll(document.documentElement);
    document.dispatchEvent(new CustomEvent("tonnage-unit"));
  }

  window.tonnage = Object.assign(window.tonnage || {}, {
    locale, number, month, moment, amount, shown, unitName, setUnit, ordinal, monthAt, made,
    unit: () => chosen,
  });
})();
