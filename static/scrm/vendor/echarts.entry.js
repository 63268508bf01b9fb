// What is in echarts.min.js (Apache ECharts 6.1.0, Apache-2.0). In a folder with `npm i echarts@6.1.0 esbuild`:
// npx esbuild echarts.entry.js --bundle --minify --format=iife --global-name=echarts --legal-comments=eof --outfile=echarts.min.js
import * as echarts from "echarts/core";
import { BarChart, FunnelChart, LineChart } from "echarts/charts";
import {
  AriaComponent,
  GridComponent,
  LegendComponent,
  MarkLineComponent,
  TooltipComponent,
} from "echarts/components";
import { CanvasRenderer } from "echarts/renderers";
import langZH from "echarts/i18n/langZH-obj.js";

echarts.registerLocale("ZH", langZH);
echarts.use([
  BarChart,
  FunnelChart,
  LineChart,
  AriaComponent,
  GridComponent,
  LegendComponent,
  MarkLineComponent,
  TooltipComponent,
  CanvasRenderer,
]);

export const init = echarts.init;
export const getInstanceByDom = echarts.getInstanceByDom;
export const version = echarts.version;
