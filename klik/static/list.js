// The list's script: ticks, changing in the row, and keys. Everything here is quicker only: each link and form works alone.
"use strict";

(() => {
  const table = document.querySelector(".klik-task-table");
  const bar = document.getElementById("fortryd");
  const keys = document.getElementById("taster");
  const say = (text) => { document.getElementById("klik-besked").textContent = text; };

  // The way back stays for ten seconds, and longer while somebody is at it; later it is under "Mine rettelser".
  if (bar) {
    bar.classList.add("klik-undo--floating");
    const leave = () => setTimeout(() => (bar.matches(":hover, :focus-within") ? leave() : bar.remove()), 10000);
    leave();
  }
  if (!table) return;

  const ROW = "tr[id^=opgave-]";
  // Rows of a folded group are not there for the keys.
  const rows = () => [...table.querySelectorAll(ROW)].filter((row) => row.offsetParent);
  const title = (row) => row.querySelector("th a");
  const cellLink = (row, cell) => row.querySelector(`a.klik-cell-edit[href*="/celle/${cell}?"]`);

  // Ticks: all of the page in the header, Shift for a range. Rows are swapped meanwhile, so they are looked up anew.
  const form = document.getElementById("ret-flere");
  const ticks = () => [...table.querySelectorAll("tbody .klik-tick-cell input")];
  let all;
  let lastTick = null;

  function startTicks() {
    const box = document.createElement("div");
    box.className = "form-group-checkbox";
    all = Object.assign(document.createElement("input"), { type: "checkbox", className: "form-checkbox", id: "vaelg-alle" });
    const label = Object.assign(document.createElement("label"), { htmlFor: all.id });
    label.append(Object.assign(document.createElement("span"), { className: "sr-only", textContent: "Vælg alle på siden" }));
    box.append(all, label);
    table.querySelector("thead .klik-tick-cell").replaceChildren(box);
    all.addEventListener("change", () => {
      ticks().forEach((tick) => { tick.checked = all.checked; });
      countTicks();
    });
    table.addEventListener("click", (event) => {
      const boxes = ticks();
      const index = boxes.indexOf(event.target);
      if (index < 0) return;
      const last = boxes.findIndex((tick) => tick.id === lastTick);
      if (event.shiftKey && last >= 0) {
        boxes.slice(Math.min(last, index), Math.max(last, index) + 1).forEach((tick) => { tick.checked = event.target.checked; });
      }
      lastTick = event.target.id;
      countTicks();
    });
    form.addEventListener("change", countTicks);
    countTicks();
  }

  function countTicks() {
    const boxes = ticks();
    const chosen = boxes.filter((tick) => tick.checked).length;
    const button = form.querySelector("button");
    const before = button.textContent;
    all.checked = chosen > 0 && chosen === boxes.length;
    const whole = form.elements.alle.checked;
    button.textContent = whole ? "Ret alle i filteret" : chosen ? `Ret valgte (${chosen})` : button.dataset.words;
    if (button.textContent !== before) say(chosen === 1 ? "1 opgave valgt" : `${chosen} opgaver valgt`);
  }

  // Changing in the row. The link stays where it is, and what can be chosen comes below it.
  let openLink = null;

  function closeCell(focus) {
    if (!openLink) return;
    const link = openLink;
    openLink = null;
    link.removeAttribute("aria-expanded");
    link.parentElement.querySelector(".klik-cell-form")?.remove();
    if (focus) link.focus();
  }

  function openCell(link) {
    closeCell(false);
    openLink = link;
    link.setAttribute("aria-expanded", "true");
    htmx.ajax("GET", link.getAttribute("href"), { target: link.parentElement, swap: "beforeend" });
  }

  table.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    const link = event.target.closest("a.klik-cell-edit");
    const back = event.target.closest("a[data-cell-back]");
    if (link) {
      event.preventDefault();
      if (link === openLink) closeCell(true); else openCell(link);
    } else if (back) {
      event.preventDefault();
      const row = back.closest(ROW);
      const cell = openLink?.getAttribute("href").match(/celle\/([a-z]+)/)?.[1];
      if (!back.pathname.endsWith("/raekke")) closeCell(true);
      else htmx.ajax("GET", back.getAttribute("href"), { target: row, swap: "outerHTML" }).then(() => focusCell(row.id, cell));
    }
  });
  document.addEventListener("click", (event) => {
    if (openLink && event.target.isConnected && !openLink.parentElement.contains(event.target)) closeCell(false);
  });

  function focusCell(rowId, cell) {
    openLink = null;
    const row = document.getElementById(rowId);
    (cellLink(row, cell) || title(row)).focus();
    return row;
  }

  let wasTicked = false;
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    const text = event.detail.xhr.responseText;
    if (event.detail.xhr.status < 300 && table.contains(event.detail.requestConfig.elt) && /<html/i.test(text.slice(0, 400))) {
      // A whole page where a piece was asked for: signed out meanwhile.
      event.detail.shouldSwap = false;
      location.assign(openLink ? openLink.href : location.href);
    }
    wasTicked = Boolean(openLink?.closest(ROW)?.querySelector(".klik-tick-cell input")?.checked);
  });
  document.body.addEventListener("htmx:load", (event) => {
    const added = event.detail.elt;
    if (added.matches?.(".klik-cell-form")) {
      // A status stands among four; of many people the likely ones stand first.
      const wanted = added.querySelector("textarea, .klik-buttons .button") || (added.dataset.cell === "status" && added.querySelector("[aria-current]"));
      (wanted || added.querySelector("button, a")).focus();
    }
    if (added.matches?.(ROW) && wasTicked) {
      const tick = added.querySelector(".klik-tick-cell input");
      if (tick) tick.checked = true;
    }
  });
  document.body.addEventListener("klik-gemt", (event) => {
    const { opgave, celle, besked } = event.detail;
    const row = focusCell(`opgave-${opgave}`, celle);
    say(row.classList.contains("klik-row-gone") ? `${besked} Opgaven passer ikke længere på filteret.` : besked);
  });

  // Keys. They work while a row has the focus (WCAG 2.1.4), and everywhere for those who have asked for it.
  const steps = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 };
  const cells = { s: "status", a: "ansvarlig", u: "udfoerer" };

  function keyInCell(event, control) {
    const buttons = [...control.querySelectorAll("li button")];
    const index = buttons.indexOf(event.target);
    let next = null;
    if (event.key === "Escape") {
      closeCell(true);
    } else if (index >= 0 && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      next = buttons[index + steps[event.key]];
    } else if (index >= 0 && (event.key === "Home" || event.key === "End")) {
      next = buttons.at(event.key === "Home" ? 0 : -1);
    } else if (index >= 0 && event.key.length === 1 && event.key !== " ") {
      const begins = (button) => button.textContent.trim().toLocaleLowerCase("da").startsWith(event.key.toLocaleLowerCase("da"));
      next = [...buttons.slice(index + 1), ...buttons.slice(0, index)].find(begins);
    } else {
      return;
    }
    event.preventDefault();
    next?.focus();
  }

  function keyInRow(event, row) {
    const list = rows();
    const key = event.key;
    if (key in steps) title(list[list.indexOf(row) + steps[key]] || row)?.focus();
    else if (key === "Home" || key === "End") title(list.at(key === "Home" ? 0 : -1)).focus();
    else if (key in cells) {
      const link = cellLink(row, cells[key]);
      if (link) openCell(link); else say("Det kan ikke rettes på denne opgave.");
    } else if (key.toLowerCase() === "x") {
      row.querySelector(".klik-tick-cell input")?.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, shiftKey: event.shiftKey }));
    } else if (key === "r" && form) form.requestSubmit();
    else return keyInList(event);
    return true;
  }

  function keyInList(event) {
    if (event.key === "?") keys.showModal();
    else if (event.key === "/") {
      const search = document.querySelector(".klik-filters input[name=q], input[name=q]");
      const folded = search?.closest("details:not([open])");
      if (folded) folded.open = true;
      search?.focus();
    } else return false;
    return true;
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented || document.querySelector("dialog[open]")) return;
    const control = event.target.closest(".klik-cell-form");
    if (control && table.contains(control)) return keyInCell(event, control);
    if (event.target.closest("textarea, select, [contenteditable], input:not([type=checkbox])")) return;
    const row = table.contains(event.target) ? event.target.closest(ROW) : null;
    const everywhere = "shortcuts" in document.body.dataset;
    const handled = row ? keyInRow(event, row) : (table.contains(event.target) || everywhere) && keyInList(event);
    if (handled) event.preventDefault();
  });
  keys?.querySelector("[data-close]").addEventListener("click", () => keys.close());
  document.querySelector("a[data-keys]")?.addEventListener("click", (event) => {
    event.preventDefault();
    keys.showModal();
  });

  if (form) startTicks();
})();
