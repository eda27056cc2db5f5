// The explorer's state is its address. Whatever is chosen changes the address first; callbacks are then handed
// the part that they need, and only when that part has changed.
(function () {
  "use strict";
  const HERE = "/explorer";
  const FILTER = "is.";
  const PLAIN = ["level", "search", "sort", "node", "run", "history", "earlier", "by", "unit"];
  const OF_LIST = ["run", "level", "where", "search", "sort"];
  const OF_NODE = ["run", "node", "history", "earlier", "by"];
  let state = {};
  let handed = {};
  let marked = null;
  let chosen = null; // as answers write it: an address may write a node in other ways

  function read(search) {
    const found = { where: {} };
    for (const [name, value] of new URLSearchParams(search)) {
      if (!value) continue;
      if (name.startsWith(FILTER)) (found.where[name.slice(FILTER.length)] ||= []).push(value);
      else if (PLAIN.includes(name)) found[name] = value;
    }
    return found;
  }

  function written() {
    const query = new URLSearchParams();
    for (const name of PLAIN) if (state[name]) query.append(name, state[name]);
    for (const [name, values] of Object.entries(state.where)) for (const value of values) query.append(FILTER + name, value);
    // Equals signs and commas are plain text in a query, and nodes are full of them.
    const text = query.toString().replaceAll("%3D", "=").replaceAll("%2C", ",").replaceAll("%7E", "~");
    return text ? "?" + text : "";
  }

  function part(names) {
    return Object.fromEntries(names.filter((name) => state[name] !== undefined).map((name) => [name, state[name]]));
  }

  // What has changed since it was last handed on.
  function fresh(store, names) {
    const told = part(names);
    const text = JSON.stringify(told);
    if (handed[store] === text) return null;
    handed[store] = text;
    return told;
  }

  function hand(store, names) {
    const told = fresh(store, names);
    if (told) window.dash_clientside.set_props(store, { data: told });
    return Boolean(told);
  }

  function set(patch) {
    const before = written();
    state = { ...state, ...patch };
    for (const name of Object.keys(state)) if (state[name] === undefined || state[name] === "") delete state[name];
    const after = written();
    if (after === before) return;
    window.history.pushState({}, "", HERE + after);
    hand("explorer-list", OF_LIST);
    hand("explorer-node", OF_NODE);
  }

  function here() {
    return window.location.pathname === HERE;
  }

  const nothing = () => window.dash_clientside.no_update;

  // A line that a person has chosen; what `mark` selects was chosen before.
  function chooseRow(event) {
    const [row] = event.api.getSelectedNodes();
    if (here() && row && row.data && !event.source.startsWith("api")) set({ node: row.data.node });
  }

  // The chosen node is marked where the grid shows it.
  function mark() {
    grid((api) => {
      const row = chosen && api.getRowNode(chosen);
      if (row && row.data) {
        if (!row.isSelected()) row.setSelected(true, true);
      } else if (api.getSelectedNodes().length) api.deselectAll();
    });
  }

  function grid(use) {
    window.dash_ag_grid.getApiAsync("explorer-grid").then(use).catch(() => {});
  }

  window.dash_clientside = Object.assign(window.dash_clientside || {}, {
    explorer: {
      // The view has come, or the browser went back or forth.
      arrive(search) {
        state = read(search || "");
        if (state.unit) window.tonnage.setUnit(state.unit);
        handed = {};
        grid((api) => {
          if (marked !== api) {
            api.addEventListener("modelUpdated", mark);
            api.addEventListener("selectionChanged", chooseRow);
          }
          marked = api;
          mark();
        });
        return [fresh("explorer-arrived", OF_LIST), fresh("explorer-list", OF_LIST), fresh("explorer-node", OF_NODE)];
      },

      filter(values) {
        const where = { ...state.where };
        window.dash_clientside.callback_context.inputs_list[0].forEach((input, place) => {
          if (values[place] && values[place].length) where[input.id.name] = values[place];
          else delete where[input.id.name];
        });
        set({ where });
        return nothing();
      },

      listAgain() {
        grid((api) => {
          if (api.getDisplayedRowCount()) api.ensureIndexVisible(0);
          api.purgeInfiniteCache();
        });
        window.dash_clientside.set_props("explorer-places", { data: {} });
        return nothing();
      },

      // The last node of each stretch, so that the next one is found at once.
      remember(answer, request, places) {
        if (!answer || !request || !answer.rowData.length) return nothing();
        const next = request.startRow + answer.rowData.length;
        return { ...(places || {}), [next]: answer.rowData[answer.rowData.length - 1].node };
      },

      draw(series, sum) {
        const chart = document.getElementById("explorer-chart");
        const table = document.getElementById("explorer-numbers");
        if (table && table.series !== series) window.tonnage.tabulate(table, series);
        if (table) table.series = series;
        markUnit();
        const now = series && series.node.node;
        if (now !== chosen) {
          chosen = now;
          mark();
        }
        if (chart) window.tonnage.drawSeries(chart, series, sum && series && sum.run === series.run.id ? sum : null);
        return nothing();
      },
    },
  });

  function follow(event) {
    if (!here() || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    const link = event.target.closest(".explorer a[data-node]");
    const way = event.target.closest(".explorer button[data-by]");
    const curl = event.target.closest("#explorer-curl");
    const unit = event.target.closest(".explorer button[data-choose-unit]");
    if (link) {
      event.preventDefault();
      set({ node: link.dataset.node });
    } else if (way) set({ by: way.dataset.by });
    else if (curl) copy(curl);
    else if (unit) {
      window.tonnage.setUnit(unit.dataset.chooseUnit);
      set({ unit: unit.dataset.chooseUnit });
      markUnit();
    }
  }
  document.addEventListener("click", follow);

  function markUnit() {
    for (const button of document.querySelectorAll("button[data-choose-unit]"))
      button.setAttribute("aria-pressed", String(button.dataset.chooseUnit === window.tonnage.unit()));
  }

  function setLevel(level) {
    const names = level === "total" ? [] : level.split(",");
    const where = Object.fromEntries(Object.entries(state.where).filter(([name]) => names.includes(name)));
    set({ level, where });
    hand("explorer-arrived", OF_LIST); // other filters
  }

  let typed;
  document.addEventListener("input", (event) => {
    if (event.target.id !== "explorer-search") return;
    const search = event.target.value.trim();
    window.clearTimeout(typed);
    typed = window.setTimeout(() => set({ search: search || undefined }), 250);
  });

  document.addEventListener("change", (event) => {
    if (event.target.id === "explorer-level") setLevel(event.target.value);
    if (event.target.id === "explorer-sort") set({ sort: event.target.value || undefined });
  });

  async function copy(button) {
    const command = `curl -H "Authorization: Bearer $TONNAGE_KEY" '${window.location.origin}${button.dataset.question}'`;
    const name = button.textContent;
    try {
      await navigator.clipboard.writeText(command);
      button.textContent = "Copied";
    } catch {
      window.prompt("The command:", command); // where the browser keeps the clipboard from pages without TLS
    }
    window.setTimeout(() => (button.textContent = name), 1500);
  }

  // In the grid Enter chooses, as a click does.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.closest("#explorer-grid .ag-row")) return;
    grid((api) => {
      const cell = api.getFocusedCell();
      const row = cell && api.getDisplayedRowAtIndex(cell.rowIndex);
      if (row && row.data) set({ node: row.data.node });
    });
  });

  document.addEventListener("tonnage-unit", () => {
    if (here()) grid((api) => api.refreshCells({ force: true }));
    markUnit();
  });
})();
