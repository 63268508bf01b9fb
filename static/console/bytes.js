// Counts the bytes of each text that WeCom limits, as it is typed.
(() => {
  const unit = document.currentScript.dataset.unit;
  for (const area of document.querySelectorAll("textarea[data-most-bytes]")) {
    const most = Number(area.dataset.mostBytes);
    const counter = document.createElement("div");
    counter.className = "c-s c-mu c-num";
    area.after(counter);
    const count = () => {
      const bytes = new TextEncoder().encode(area.value).length;
      counter.textContent = `${bytes.toLocaleString()} / ${most.toLocaleString()} ${unit}`;
      counter.classList.toggle("c-dn", bytes > most);
    };
    area.addEventListener("input", count);
    count();
  }
})();
