// What every AG Grid of the page shares: its looks, and how cells write amounts and changes.
(function () {
  "use strict";
  const functions = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});

  functions.tonnageGrid = function (quartz) {
    return quartz.withParams({
      accentColor: "var(--accent)",
      backgroundColor: "var(--ground)",
      foregroundColor: "var(--ink)",
      borderColor: "var(--line)",
      headerBackgroundColor: "var(--sunk)",
      headerTextColor: "var(--quiet)",
      chromeBackgroundColor: "var(--sunk)",
      oddRowBackgroundColor: "var(--ground)",
      rowHoverColor: "var(--sunk)",
      selectedRowBackgroundColor: "var(--accent-soft)",
      rangeSelectionBorderColor: "var(--accent)",
      wrapperBorderRadius: "6px",
      fontFamily: "inherit",
      fontSize: 13,
      headerFontSize: 12,
      headerFontWeight: 600,
      cellHorizontalPadding: 10,
      browserColorScheme: "inherit",
    });
  };

  // The year's total is the largest number that a column of totals can hold: it decides on decimals.
  functions.tonnageAmount = function (params) {
    if (params.value === undefined || params.value === null) return "";
    return window.tonnage.amount(params.value, params.data.unit, params.data.largest);
  };

  functions.tonnageChange = function (params) {
    if (!params.data) return "";
    return params.value === null ? "–" : window.tonnage.number(params.value, 1, "signed-percent");
  };
})();
