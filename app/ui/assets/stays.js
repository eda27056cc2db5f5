// Links inside a view move within the page: nothing is loaded anew, and a link that only asks the view
// something else leaves the reader where they are.
(function () {
  "use strict";
  const VIEWS = () => Array.from(document.querySelectorAll("header.shell nav a"), (link) => link.pathname);

  // Who chooses twice before the view has answered chooses both: the link was written before the first.
  function addressOf(link) {
    const name = link.dataset.changes;
    if (!name) return link.href;
    const chosen = new URL(link.href).searchParams.get(name);
    const now = new URL(window.location.href);
    now.searchParams.set(name, chosen);
    return now.href.replaceAll("%2C", ",");
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("main a[href]");
    if (!link || link.target || link.hasAttribute("download") || event.defaultPrevented || event.button) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    if (link.origin !== window.location.origin || !VIEWS().includes(link.pathname)) return;
    event.preventDefault();
    const elsewhere = link.pathname !== window.location.pathname;
    window.history.pushState({}, "", addressOf(link));
    // As if the browser had gone there: Dash and the navigation listen.
    window.dispatchEvent(new PopStateEvent("popstate", { state: {} }));
    if (elsewhere) window.scrollTo(0, 0);
  });
})();
