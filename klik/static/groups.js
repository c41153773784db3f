// Groups of the list fold on a button; without this script they stand open.
"use strict";

(() => {
  function startGroup(group) {
    const head = group.querySelector(".klik-group-head th");
    const name = head?.querySelector(".klik-group-name");
    if (!name || head.querySelector("button")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "klik-group-button";
    button.setAttribute("aria-expanded", "true");
    name.replaceWith(button);
    button.append(name);
    button.addEventListener("click", () => {
      const open = group.classList.toggle("klik-group--folded");
      button.setAttribute("aria-expanded", String(!open));
    });
  }

  document.querySelectorAll("tbody.klik-group").forEach(startGroup);

  // Stuck heads must not cover what is jumped to or has the focus: the page is told how tall they are.
  const standing = document.querySelector(".klik-standing");
  const head = document.querySelector(".klik-task-table thead");
  if (standing && "ResizeObserver" in window) {
    const measure = () => {
      const stuck = getComputedStyle(standing).position === "sticky" ? standing.offsetHeight : 0;
      document.documentElement.style.setProperty("--klik-standing", `${stuck}px`);
      document.documentElement.style.setProperty("--klik-stuck", `${stuck + (head ? head.offsetHeight : 0)}px`);
    };
    const observer = new ResizeObserver(measure);
    observer.observe(standing);
    if (head) observer.observe(head);
    measure();
  }
})();
