// Draws the trends. Numbers come from the server; the same numbers stand in the table beside each chart.
"use strict";
window.dashboardCharts = (function () {
  const drawn = {};

  function token(name) {
    return getComputedStyle(document.documentElement).getPropertyValue("--c-" + name).trim();
  }

  function look(series) {
    const line = { type: "line", showSymbol: false, symbolSize: 6, connectNulls: false };
    const bar = { type: "bar", stack: "chats", barMaxWidth: 22 };
    return {
      now: { ...line, z: 3, itemStyle: { color: token("pri") }, lineStyle: { width: 2, color: token("pri") }, showSymbol: series.values.length < 3 },
      before: { ...line, itemStyle: { color: token("ghost") }, lineStyle: { width: 2, type: [4, 4], color: token("ghost") } },
      net: { ...line, itemStyle: { color: token("ok") }, lineStyle: { width: 1.5, color: token("ok") } },
      up: { ...bar, itemStyle: { color: token("pri"), borderRadius: [3, 3, 0, 0] } },
      down: { ...bar, itemStyle: { color: token("ghost"), borderRadius: [0, 0, 3, 3] } },
    }[series.look];
  }

  function number(value) {
    if (value === null || value === undefined) return "–";
    return (value < 0 ? "−" : "") + Math.abs(value).toLocaleString("en-US");
  }

  function options(chart) {
    const upAndDown = chart.series.some((series) => series.look === "down"); // below the line stand counts, too
    const text = { color: token("mute"), fontSize: 11 };
    return {
      animationDuration: 300,
      aria: { enabled: true, label: { description: chart.aria } },
      grid: { left: 4, right: 8, top: 36, bottom: 4, containLabel: true },
      legend: { top: 0, left: 0, itemWidth: 16, itemHeight: 8, textStyle: { color: token("mute"), fontSize: 12 } },
      tooltip: {
        trigger: "axis", renderMode: "richText", backgroundColor: token("card"), borderColor: token("line"),
        textStyle: { color: token("text"), fontSize: 12 },
      },
      xAxis: { type: "category", data: chart.days, axisLabel: text, axisTick: { show: false }, axisLine: { lineStyle: { color: token("line") } } },
      yAxis: { type: "value", minInterval: 1, axisLabel: { ...text, formatter: (value) => number(upAndDown ? Math.abs(value) : value) }, splitLine: { lineStyle: { color: token("line2") } } },
      series: chart.series.map((series) => ({
        ...look(series),
        name: series.name,
        data: series.values.map((value) => (series.look === "down" && value ? -value : value)),
        tooltip: { valueFormatter: (value) => number(series.look === "down" && value ? -value : value) },
      })),
    };
  }

  function draw(charts) {
    for (const [name, chart] of Object.entries(charts)) {
      const place = document.getElementById("chart-" + name);
      if (!place || place.hidden) continue;
      if (!drawn[name]) {
        drawn[name] = window.echarts.init(place, null, { locale: document.documentElement.lang.startsWith("zh") ? "ZH" : "EN" });
        drawn[name].on("click", (event) => {
          const address = (drawn[name].charts.series[event.seriesIndex].rows || [])[event.dataIndex];
          if (address) window.location.href = address;
        });
      }
      drawn[name].charts = chart;
      drawn[name].setOption(options(chart), true);
    }
  }

  function resize() {
    Object.values(drawn).forEach((chart) => chart.resize());
  }

  return { draw, resize };
})();
