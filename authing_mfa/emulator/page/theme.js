// Runs before the first paint, so that a chosen theme does not flash. The switch itself is in app.js.
(() => {
  try {
    const theme = localStorage.getItem("theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // storage is forbidden: the system's preference is used
  }
})();
