// Numbers, months and moments in the browser's own way of writing them: <data class="n" value="…" data-digits="1">,
// <time class="month" datetime="2026-11">, <time class="moment" datetime="2026-11-03T12:00:00Z">. See app/ui/written.py.
(function () {
  "use strict";
  const locale = navigator.languages && navigator.languages.length ? navigator.languages : [navigator.language];
  const formats = {};

  function number(value, digits, style) {
    const key = digits + "|" + (style || "");
    if (!formats[key]) {
      const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
      if (style === "percent") options.style = "percent";
      if (style === "signed") options.signDisplay = "exceptZero";
      formats[key] = new Intl.NumberFormat(locale, options);
    }
    return formats[key].format(value);
  }

  const monthFormat = new Intl.DateTimeFormat(locale, { year: "numeric", month: "short", timeZone: "UTC" });
  const momentFormat = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });

  function month(text) {
    return monthFormat.format(new Date(text + "-01T00:00:00Z"));
  }

  function moment(text) {
    return momentFormat.format(new Date(text));
  }

  function written(element) {
    if (element.matches("data.n")) {
      const value = Number(element.getAttribute("value"));
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

  const SELECTOR = "data.n, time.month, time.moment";

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
    attributeFilter: ["value", "datetime", "data-digits", "data-style"],
  });

  window.tonnage = Object.assign(window.tonnage || {}, { locale, number, month, moment });
})();
