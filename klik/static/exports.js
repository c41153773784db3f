// A file that becomes ready while somebody watches starts by itself; the link stands there as well.
"use strict";

(() => {
  let moving = Boolean(document.querySelector("#udtraek[data-moving]"));

  document.body.addEventListener("htmx:afterSwap", () => {
    const part = document.getElementById("udtraek");
    if (!part) return;
    if (moving && part.dataset.file) window.location.assign(part.dataset.file);
    moving = "moving" in part.dataset;
  });
})();
