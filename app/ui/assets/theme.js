// Light or dark, before anything is drawn: what was chosen here once, or what the browser prefers.
(function () {
  "use strict";
  const root = document.documentElement;
  const prefers = window.matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => window.localStorage.getItem("tonnage-theme");
  function apply() {
    const theme = chosen() || (prefers.matches ? "dark" : "light");
    root.dataset.theme = theme;
    root.dataset.agThemeMode = theme;
    root.dataset.mantineColorScheme = theme;
    window.localStorage.setItem("mantine-color-scheme-value", theme); // where Mantine looks when it begins
  }
  apply();
  prefers.addEventListener("change", apply);
  // Mantine sets its own attribute when it begins, from what it finds here.
  document.addEventListener("DOMContentLoaded", apply);
  window.tonnageTheme = {
    flip() {
      window.localStorage.setItem("tonnage-theme", root.dataset.theme === "dark" ? "light" : "dark");
      apply();
    },
  };
})();
