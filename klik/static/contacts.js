// A button that copies a mailing list. Without it the list stands in its field, to be marked and copied by hand.
"use strict";

(() => {
  const say = (text) => { document.getElementById("klik-besked").textContent = text; };

  async function copy(field) {
    // Over plain http a browser has no clipboard to write to; then what is marked is copied.
    if (navigator.clipboard) return navigator.clipboard.writeText(field.value);
    field.select();
    if (!document.execCommand("copy")) throw new Error("not copied");
  }

  for (const part of document.querySelectorAll("[data-copy]")) {
    const field = part.querySelector("textarea");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button button-primary";
    button.textContent = "Kopiér";
    button.setAttribute("aria-describedby", `${field.id}-navn`);
    part.querySelector("label").id = `${field.id}-navn`;
    const status = document.createElement("span");
    status.className = "contacts-copied";
    button.addEventListener("click", async () => {
      try {
        await copy(field);
        status.textContent = "Kopieret";
      } catch {
        field.select();
        status.textContent = "Tryk Ctrl+C for at kopiere";
      }
      say(status.textContent);
    });
    part.append(button, status);
  }
})();
