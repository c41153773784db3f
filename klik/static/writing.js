/* Writing a KLIK-opgave: the pane that shows the text, and a word before unsaved text is left. All works without it. */
(() => {
  "use strict";
  const writing = document.querySelector("[data-writing]");
  if (!writing) return;
  const pane = writing.querySelector(".klik-writing-pane");
  if (pane) pane.hidden = false;

  const form = writing.querySelector("form");
  // A page that comes back with what was typed holds what nobody has saved.
  let unsaved = "unsaved" in writing.dataset;
  form.addEventListener("input", () => { unsaved = true; });
  form.addEventListener("change", () => { unsaved = true; });
  form.addEventListener("submit", () => { unsaved = false; });
  window.addEventListener("beforeunload", (event) => {
    if (unsaved) event.preventDefault();
  });
  // Back from the preview with the browser's own button: the words stand there again, and are still unsaved.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) unsaved = true;
  });
})();
