// Before anything is drawn, so that a dark page does not flash: which theme was chosen here.
"use strict";
(function () {
  try {
    const theme = JSON.parse(localStorage.getItem("rag.settings") || "{}").theme;
    if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
  } catch {
    // No storage, or something else in it: the browser's own preference holds.
  }
})();
