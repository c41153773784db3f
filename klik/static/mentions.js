// "@" in a comment offers the people who can be named (combobox pattern). Without this script the list below does it.
"use strict";

(() => {
  const MOST = 8;
  const fold = (text) => text.toLocaleLowerCase("da-DK");

  function startMentions(choice) {
    const select = choice.querySelector("select");
    const field = choice.closest("form").querySelector("textarea");
    const names = [...select.options].map((option) => option.value).filter(Boolean);
    const list = document.createElement("ul");
    list.id = `${field.id}-naevn`;
    list.className = "task-mention-list";
    list.hidden = true;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "Personer, du kan nævne");
    const box = document.createElement("div");
    box.className = "task-mention-box";
    field.after(box);
    box.append(list);
    choice.hidden = true;
    field.setAttribute("aria-autocomplete", "list");
    field.setAttribute("aria-haspopup", "listbox");
    field.setAttribute("aria-controls", list.id);
    let start = -1;
    let active = -1;

    const say = (text) => { document.getElementById("klik-besked").textContent = text; };

    function close() {
      list.hidden = true;
      active = -1;
      field.removeAttribute("aria-activedescendant");
    }

    function point(place) {
      const options = [...list.children];
      active = (place + options.length) % options.length;
      options.forEach((option, index) => option.setAttribute("aria-selected", String(index === active)));
      field.setAttribute("aria-activedescendant", options[active].id);
      options[active].scrollIntoView({ block: "nearest" });
    }

    function take(name) {
      const caret = field.selectionStart;
      field.setRangeText(`@${name} `, start, caret, "end");
      close();
      field.focus();
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }

    // What stands between the last "@" that begins a word and the caret.
    function asked() {
      const before = field.value.slice(0, field.selectionStart);
      const found = before.match(/(?:^|[\s(])@([^@\n]{0,40})$/);
      if (!found) return null;
      start = before.length - found[1].length - 1;
      return fold(found[1]);
    }

    function offer() {
      const typed = asked();
      const fitting = typed === null ? [] : names.filter((name) => (
        fold(name).startsWith(typed) || fold(name).split(" ").some((part) => part.startsWith(typed))
      )).slice(0, MOST);
      if (!fitting.length || (fitting.length === 1 && typed.startsWith(fold(fitting[0])))) {
        close();
        return;
      }
      list.replaceChildren(...fitting.map((name, index) => {
        const option = document.createElement("li");
        option.id = `${list.id}-${index}`;
        option.setAttribute("role", "option");
        option.textContent = name;
        option.addEventListener("mousedown", (event) => { event.preventDefault(); take(name); });
        return option;
      }));
      list.hidden = false;
      point(0);
      say(fitting.length === 1 ? "1 forslag" : `${fitting.length} forslag`);
    }

    field.addEventListener("input", offer);
    field.addEventListener("click", offer);
    field.addEventListener("blur", close);
    field.addEventListener("keydown", (event) => {
      if (list.hidden) return;
      if (event.key === "ArrowDown") point(active + 1);
      else if (event.key === "ArrowUp") point(active - 1);
      else if (event.key === "Enter" || event.key === "Tab") take(list.children[active].textContent);
      else if (event.key === "Escape") close();
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
  }

  document.querySelectorAll(".task-mention-choice").forEach(startMentions);
})();
