// The task page: copies, ticks without a reload, and looks for news while it is seen. Without it links and forms do the work.
"use strict";
(() => {
  const EVERY = 20000; // ms; results are read from WeCom about as often
  const tasks = () => document.getElementById("tasks");
  const said = document.getElementById("said");
  let busy = false;
  let hush;

  function say(words) {
    said.textContent = words;
    said.hidden = false;
    clearTimeout(hush);
    hush = setTimeout(() => { said.hidden = true; }, 2500);
  }

  // Shows what the server answered, and leaves folded what was folded.
  function show(page, always) {
    const fresh = new DOMParser().parseFromString(page, "text/html");
    const next = fresh.getElementById("tasks");
    if (!next) { location.reload(); return; }
    document.getElementById("as-of").textContent = fresh.getElementById("as-of").textContent;
    if (!always && next.dataset.edition === tasks().dataset.edition) return;
    for (const part of next.querySelectorAll("details[id]")) {
      const old = document.getElementById(part.id);
      if (old) part.open = old.open;
    }
    tasks().replaceWith(document.adoptNode(next));
    ready();
  }

  async function ask(address, given) {
    if (busy) return;
    busy = true;
    try {
      const answer = await fetch(address, { credentials: "same-origin", ...(given || { redirect: "manual" }) });
      if (answer.type === "opaqueredirect") location.reload(); // to sign in again
      else if (answer.ok) show(await answer.text(), Boolean(given));
      else if (given || answer.status === 403) location.reload(); // signed out, or gone meanwhile: the server says what
    } catch {
      if (given) say(tasks().dataset.offline);
    } finally {
      busy = false;
      for (const form of document.querySelectorAll(".busy")) form.classList.remove("busy");
    }
  }

  async function copy(source) {
    const text = source.textContent;
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch { // older browsers, and pages without https
      const field = document.createElement("textarea");
      field.value = text;
      field.readOnly = true;
      field.className = "text";
      source.after(field);
      field.select();
      const copied = document.execCommand("copy");
      field.remove();
      if (!copied) getSelection().selectAllChildren(source);
      return copied;
    }
  }

  function ready() {
    for (const button of document.querySelectorAll("[data-copy]")) button.hidden = false;
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const copied = await copy(document.getElementById(button.dataset.copy));
    say(copied ? tasks().dataset.copied : tasks().dataset.notCopied);
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.closest(".ticks")) return;
    event.preventDefault();
    if (busy) return;
    const body = new URLSearchParams(new FormData(form));
    body.set("state", event.submitter.value);
    form.classList.add("busy");
    ask(form.action, { method: "POST", body });
  });

  const look = () => {
    if (document.visibilityState === "visible" && String(getSelection()) === "") ask(location.pathname);
  };
  document.addEventListener("visibilitychange", look); // back from confirming in WeCom
  setInterval(look, EVERY);
  ready();
})();
