/** How the page looks: on a screen, light or dark as its reader has it, and on paper. It names no file and no host. */
export const pageStyle = `
:root {
  color-scheme: light dark;
  --paper: #ffffff; --ink: #1b1f24; --soft: #59636e; --line: #d8dee4; --panel: #f5f7f9; --warn: #fff4e0; --warn-line: #d9902f;
  --stays: #5b7fb8; --frees: #d9772b; --living: #3d8763; --gone: #c4532d; --likely-gone: #e3a06a; --nobody: #c2ab3f;
  --unasked: #5f9ea3; --unknown: #9aa2ab; --chart: #8766ad; --age: #5b7fb8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #15181c; --ink: #e4e8ec; --soft: #9aa4af; --line: #333a42; --panel: #1d2126; --warn: #33270f; --warn-line: #d9902f;
    --stays: #7799d1; --frees: #ec9450; --living: #5cab83; --gone: #e07552; --likely-gone: #dba877; --nobody: #cfbb5a;
    --unasked: #6fb3b8; --unknown: #7c858f; --chart: #a68ac9; --age: #7799d1;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
main { max-width: 1040px; margin: 0 auto; padding: 32px 24px 64px; }
h1 { font-size: 28px; line-height: 1.2; margin: 0 0 4px; letter-spacing: -0.01em; }
h2 { font-size: 20px; margin: 44px 0 10px; padding-top: 20px; border-top: 1px solid var(--line); }
p { margin: 8px 0; max-width: 76ch; }
.under { color: var(--soft); margin: 0 0 20px; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 20px 0; padding: 0; list-style: none; }
.figures li { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: 14px 16px; }
.figures strong { display: block; font-size: 24px; line-height: 1.25; font-variant-numeric: tabular-nums; }
.figures span { color: var(--soft); font-size: 13px; }
.notice { background: var(--warn); border-left: 4px solid var(--warn-line); border-radius: 4px; padding: 12px 16px; margin: 20px 0; }
.notice p, .notice ul { margin: 4px 0; }
figure { margin: 24px 0; }
figcaption { font-weight: 600; margin-bottom: 6px; }
.scroll svg { display: block; width: 100%; min-width: 620px; height: auto; }
svg text { font-size: 13px; fill: var(--ink); font-variant-numeric: tabular-nums; }
svg text.value { fill: var(--soft); }
svg line { stroke: var(--line); }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; list-style: none; margin: 0 0 10px; padding: 0; color: var(--soft); font-size: 13px; }
.swatch { display: inline-block; width: 11px; height: 11px; border-radius: 2px; margin-right: 6px; }
.stays { fill: var(--stays); background: var(--stays); } .frees { fill: var(--frees); background: var(--frees); }
.living { fill: var(--living); background: var(--living); } .gone { fill: var(--gone); background: var(--gone); }
.likelyGone { fill: var(--likely-gone); background: var(--likely-gone); } .nobody { fill: var(--nobody); background: var(--nobody); }
.unasked { fill: var(--unasked); background: var(--unasked); }
.unknown { fill: var(--unknown); background: var(--unknown); } .chart { fill: var(--chart); background: var(--chart); }
.age { fill: var(--age); background: var(--age); }
.scroll { overflow-x: auto; margin: 12px 0; }
table { border-collapse: collapse; width: 100%; min-width: 620px; font-size: 14px; }
caption { text-align: left; font-weight: 600; padding: 4px 0 6px; }
th { text-align: left; color: var(--soft); font-weight: 600; font-size: 13px; }
th, td { padding: 6px 14px 6px 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: break-word; }
th:last-child, td:last-child { padding-right: 0; }
td.name { min-width: 190px; overflow-wrap: anywhere; }
td.tags { min-width: 80px; overflow-wrap: anywhere; }
td.digest, td.day { white-space: nowrap; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; overflow-wrap: normal; }
code, pre { font: 13px/1.5 ui-monospace, "Cascadia Mono", Consolas, "Noto Sans Mono", monospace; }
pre { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: 12px 14px; white-space: pre-wrap; overflow-wrap: anywhere; }
.more { color: var(--soft); }
@media print {
  :root { color-scheme: light; --paper: #ffffff; --ink: #000000; --soft: #444444; --line: #bbbbbb; --panel: #ffffff; --warn: #ffffff; }
  main { max-width: none; padding: 0; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  h2 { break-after: avoid; } figure, tr, .figures li { break-inside: avoid; } thead { display: table-header-group; }
  .scroll { overflow: visible; } table, .scroll svg { min-width: 0; } td.name { min-width: 140px; }
}
`;
