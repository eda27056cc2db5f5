// What surrounds every view: moving between views without loading anew, light and dark, and a database that is away.
(function () {
  "use strict";
  const AGAIN_AFTER = 2000;
  const links = () => document.querySelectorAll("header.shell nav a");

  function mark() {
    for (const link of links()) {
      const here = link.getAttribute("href") === window.location.pathname;
      if (here) {
        link.setAttribute("aria-current", "page");
        document.title = link.textContent + " · Tonnage";
      } else {
        link.removeAttribute("aria-current");
      }
    }
  }

  function go(event) {
    const link = event.target.closest("header.shell a[href]");
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    if (link.getAttribute("href") === window.location.pathname) return;
    window.history.pushState({}, "", link.href);
    // Dash listens to this, as to its own links.
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
    window.scrollTo(0, 0);
    mark();
  }

  document.addEventListener("click", go);
  window.addEventListener("popstate", mark);
  document.addEventListener("DOMContentLoaded", mark);

  function nameTheme() {
    const button = document.getElementById("theme");
    if (button) button.setAttribute("aria-pressed", String(document.documentElement.dataset.theme === "dark"));
  }
  document.addEventListener("click", (event) => {
    if (!event.target.closest("#theme")) return;
    window.tonnageTheme.flip();
    nameTheme();
  });
  document.addEventListener("DOMContentLoaded", nameTheme);

  // A question that the house cannot answer now waits here and is asked again; whoever asked does not notice.
  const ask = window.fetch.bind(window);
  const pause = () => new Promise((resume) => window.setTimeout(resume, AGAIN_AFTER));
  let waiting = 0;

  function say(sentence) {
    const banner = document.getElementById("away");
    if (banner && banner.textContent !== sentence) banner.textContent = sentence;
  }

  async function isAway(answer) {
    if (answer.status !== 503) return null;
    const problem = await answer.clone().json().catch(() => null);
    const detail = problem && problem.detail ? problem.detail : "the service does not answer";
    return detail.charAt(0).toUpperCase() + detail.slice(1) + "; trying again.";
  }

  async function askUntilAnswered(resource, options) {
    let counted = false;
    try {
      for (;;) {
        let away;
        try {
          const answer = await ask(resource, options);
          if (answer.status === 401) {
            const here = window.location.pathname + window.location.search;
            window.location.assign("/sign-in?next=" + encodeURIComponent(here));
            return new Promise(() => {});
          }
          away = await isAway(answer);
          if (!away) return answer;
        } catch (error) {
          if (options && options.signal && options.signal.aborted) throw error;
          away = "The service does not answer; trying again.";
        }
        if (!counted) waiting += 1;
        counted = true;
        say(away);
        await pause();
      }
    } finally {
      if (counted) waiting -= 1;
      if (counted && !waiting) say("");
    }
  }

  // Dash asks for one layout, whatever the address; ours has the view of it.
  let shown = window.location.pathname;

  window.fetch = function (resource, options) {
    const path = new URL(typeof resource === "string" ? resource : resource.url, window.location.href).pathname;
    if (path === "/_dash-layout") resource = path + "?view=" + encodeURIComponent(shown);
    return path.startsWith("/_dash-") ? askUntilAnswered(resource, options) : ask(resource, options);
  };

  window.dash_clientside = Object.assign(window.dash_clientside || {}, {
    page: {
      path(path) {
        if (!path || path === shown) return window.dash_clientside.no_update;
        shown = path;
        return path;
      },
    },
  });
})();
