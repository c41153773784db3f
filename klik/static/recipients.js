/* A field that narrows the list of municipalities, and a count of the ticks. Without it the whole list stands there. */
(() => {
  "use strict";
  const fold = (text) =>
    text.toLowerCase().replaceAll("å", "aa").replace(/[^a-zæøå0-9]+/g, "");
  const list = document.querySelector(".recipients-list");
  if (!list) return;
  const lines = [...list.querySelectorAll(".form-group-checkbox")];
  const group = document.createElement("div");
  group.className = "form-group recipients-find";
  group.innerHTML =
    '<label class="form-label" for="find-kommune">Find en kommune</label>' +
    '<input class="form-input" type="search" id="find-kommune" autocomplete="off">' +
    '<p class="form-hint" role="status"></p>';
  list.before(group);
  const [field, status] = [group.querySelector("input"), group.querySelector("p")];
  const show = () => {
    const wanted = fold(field.value);
    let shown = 0;
    for (const line of lines) {
      line.hidden = !fold(line.textContent).includes(wanted) && !line.querySelector("input").checked;
      if (!line.hidden) shown += 1;
    }
    const ticked = lines.filter((line) => line.querySelector("input").checked).length;
    status.textContent = `${ticked} valgt${wanted ? `, ${shown} vist` : ""}`;
  };
  field.addEventListener("input", show);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault();
  });
  list.addEventListener("change", show);
  show();
})();
