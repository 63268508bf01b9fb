// The overview moves by itself: every ten seconds it asks whether numbers changed and puts the new parts in place.
"use strict";
(function () {
  const page = document.getElementById("dashboard");
  if (!page) return;
  document.documentElement.classList.add("js");
  const holder = document.getElementById("chart-data");
  let charts = holder ? JSON.parse(holder.textContent) : null;
  let stamp = page.dataset.stamp;

  function redraw() {
    if (charts) window.dashboardCharts.draw(charts);
  }

  function busy(part) {
    return part.contains(document.activeElement) || part.querySelector("details[open]");
  }

  async function refresh() {
    if (document.visibilityState !== "visible" || !charts) return;
    const answer = await fetch(page.dataset.address + "&stamp=" + encodeURIComponent(stamp), { headers: { Accept: "application/json" } });
    if (!answer.ok || answer.redirected) return;
    const news = await answer.json();
    document.getElementById("updated").textContent = news.updated || "–";
    if (!news.parts) return;
    let all = true;
    for (const [name, html] of Object.entries(news.parts)) {
      const part = document.getElementById("part-" + name);
      if (!part) continue;
      if (busy(part)) all = false;
      else part.innerHTML = html;
    }
    charts = news.charts;
    redraw();
    if (all) stamp = news.stamp;
  }

  page.addEventListener("click", (event) => {
    const button = event.target.closest(".d-toggle");
    if (!button) return;
    const chart = document.getElementById("chart-" + button.dataset.chart);
    const twin = document.getElementById("part-trend-" + button.dataset.chart);
    const table = twin.hidden;
    twin.hidden = !table;
    chart.hidden = table;
    button.setAttribute("aria-pressed", String(table));
    [button.textContent, button.dataset.other] = [button.dataset.other, button.textContent];
    if (!table) { redraw(); window.dashboardCharts.resize(); }
  });

  const form = document.getElementById("filters");
  form.addEventListener("change", (event) => {
    const dates = form.querySelectorAll("input[type=date]");
    if (event.target.type === "date") {
      dates.forEach((input) => delete input.dataset.idle);
      form.querySelector("[name=days]")?.remove();
      form.classList.add("dirty");
    } else submit();
  });
  form.addEventListener("submit", (event) => { event.preventDefault(); submit(); });

  function submit() {
    const chosen = new URLSearchParams();
    for (const field of form.elements) {
      if (field.name && field.value !== "*" && !("idle" in field.dataset)) chosen.append(field.name, field.value);
    }
    window.location.search = chosen.toString();
  }

  redraw();
  window.addEventListener("resize", () => window.dashboardCharts.resize());
  new MutationObserver(redraw).observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
  window.setInterval(() => refresh().catch(() => undefined), 10000);
})();
