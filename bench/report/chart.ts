import { OURS } from '../tools/ours.ts';
import type { Summary } from './summary.ts';

const WIDTH = 860;
const LABEL_WIDTH = 130;
const LONGEST_BAR = 600;
const BAR = 16;
const LINE = 20;
const GROUP_HEAD = 34;

// Both schemes of the reader's screen; the background stays what the page has.
const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .title { font-weight: 600 }
  .bar { fill: #8c959f }
  .ours { fill: #1a7f37 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .bar { fill: #6e7681 }
    .ours { fill: #3fb950 }
  }`;

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

/** Wall times as bars: a group for each step that is measured, scaled to its slowest. */
export function renderChart(
  title: string,
  steps: readonly { readonly id: string; readonly title: string }[],
  summaries: readonly Summary[],
): string {
  const parts: string[] = [`<text class="title" x="0" y="16">${escapeText(title)}</text>`];
  let y = 16;
  for (const step of steps) {
    const bars = summaries.filter((summary) => summary.step === step.id);
    if (bars.length === 0) continue;
    y += GROUP_HEAD;
    parts.push(`<text class="title" x="0" y="${y}">${escapeText(step.title)}</text>`);
    const longest = Math.max(...bars.map(({ wallSeconds }) => wallSeconds));
    for (const { tool, wallSeconds } of bars) {
      y += LINE;
      const length = Math.max(1, Math.round((wallSeconds / longest) * LONGEST_BAR));
      parts.push(
        `<text x="0" y="${y}">${escapeText(tool)}</text>`,
        `<rect class="bar${tool === OURS ? ' ours' : ''}" x="${LABEL_WIDTH}" y="${y - BAR + 4}" width="${length}" height="${BAR}"/>`,
        `<text x="${LABEL_WIDTH + length + 6}" y="${y}">${wallSeconds.toFixed(2)} s</text>`,
      );
    }
  }
  const height = y + 12;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img">`,
    `<title>${escapeText(title)}</title>`,
    `<style>${STYLE}\n</style>`,
    ...parts,
    '</svg>\n',
  ].join('\n');
}
