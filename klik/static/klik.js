// klik's own script: every page works without it. No framework, nothing stored in the browser.
"use strict";

(() => {
  // The server counts characters after CRLF has become LF; so do we.
  const countCharacters = (text) => [...text.replace(/\r\n?/g, "\n")].length;

  const say = (text) => { document.getElementById("klik-besked").textContent = text; };

  function startCharacterCount(group) {
    const control = group.querySelector("textarea, input");
    const message = group.querySelector(".klik-limit");
    const limit = Number(group.dataset.limit);
    let announce;
    const show = () => {
      const left = limit - countCharacters(control.value);
      const amount = Math.abs(left).toLocaleString("da-DK");
      message.textContent = left >= 0 ? `Du har ${amount} tegn tilbage` : `Teksten er ${amount} tegn for lang`;
      message.classList.toggle("klik-limit--over", left < 0);
    };
    control.addEventListener("input", () => {
      show();
      clearTimeout(announce);
      announce = setTimeout(() => say(message.textContent), 1000);
    });
    show();
  }

  // 21-11-2026, 21.11.2026, 21/11/2026 or 2026-11-21 -> 2026-11-21, else "".
  function isoDate(text) {
    const danish = text.trim().match(/^(\d{1,2})[-./ ](\d{1,2})[-./ ](\d{4})$/);
    if (danish) return `${danish[3]}-${danish[2].padStart(2, "0")}-${danish[1].padStart(2, "0")}`;
    return /^\d{4}-\d{2}-\d{2}$/.test(text.trim()) ? text.trim() : "";
  }

  // The browser's own calendar, on a button. It writes into the text field, so a typed date is never lost.
  function startDate(group) {
    const field = group.querySelector("input.form-input");
    if (!field || !("showPicker" in HTMLInputElement.prototype)) return;
    const calendar = document.createElement("input");
    calendar.type = "date";
    calendar.tabIndex = -1;
    calendar.setAttribute("aria-hidden", "true");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button button-secondary";
    button.textContent = "Kalender";
    button.setAttribute("aria-describedby", `${field.id}-kalender`);
    const about = document.createElement("span");
    about.id = `${field.id}-kalender`;
    about.className = "sr-only";
    about.textContent = `Vælg ${group.querySelector("label").firstChild.textContent.trim()} i en kalender`;
    const row = document.createElement("div");
    row.className = "klik-date-row";
    field.replaceWith(row);
    row.append(field, button, about, calendar);
    button.addEventListener("click", () => {
      calendar.value = isoDate(field.value);
      calendar.showPicker();
    });
    calendar.addEventListener("change", () => {
      if (!calendar.value) return;
      field.value = calendar.value.split("-").reverse().join("-");
      field.dispatchEvent(new Event("change", { bubbles: true }));
      field.focus();
    });
  }

  const starters = {
    "[data-limit]": startCharacterCount,
    ".klik-date": startDate,
  };

  // Everything inside `scope`, each element once.
  function start(scope) {
    for (const [selector, starter] of Object.entries(starters)) {
      const found = [...scope.querySelectorAll(selector)];
      if (scope.matches?.(selector)) found.push(scope);
      found.filter((element) => !element.dataset.started).forEach((element) => {
        element.dataset.started = "ja";
        starter(element);
      });
    }
  }

  start(document);

  // On phones the filters are folded until they are asked for.
  if (matchMedia("(max-width: 1099px)").matches) {
    document.querySelectorAll(":is(.klik-filters, .klik-saved)[open]").forEach((panel) => { panel.open = false; });
  }

  const closeExplanations = (except) => document.querySelectorAll("details.klik-why[open]").forEach((open) => {
    if (open !== except) open.open = false;
  });
  document.addEventListener("click", (event) => closeExplanations(event.target.closest("details.klik-why")));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      const open = document.querySelector("details.klik-why[open]");
      if (open) {
        open.open = false;
        open.querySelector("summary").focus();
      }
    }
    // j and k: next and previous task in the list, for those who asked for single-key shortcuts (WCAG 2.1.4).
    if (!("shortcuts" in document.body.dataset)) return;
    const writing = event.target.closest("input, textarea, select, [contenteditable]");
    if (!writing && !event.ctrlKey && !event.altKey && !event.metaKey && (event.key === "j" || event.key === "k")) {
      document.querySelector(`a[data-key="${event.key}"]`)?.click();
    }
  });

  document.body.addEventListener("htmx:configRequest", (event) => {
    const token = document.querySelector('meta[name="csrf-token"]');
    if (token && event.detail.verb !== "get") event.detail.headers["X-CSRFToken"] = token.content;
  });
  document.body.addEventListener("htmx:load", (event) => start(event.detail.elt));
  for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    document.body.addEventListener(name, () => say("Det lykkedes ikke. Genindlæs siden, og prøv igen."));
  }
})();
