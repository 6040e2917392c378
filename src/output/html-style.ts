/**
 * How a digest looks as a page: on a phone of 360 pixels, on a wide screen, in the dark and on paper. Text and background differ
 * by 4.5 to 1 at least (WCAG 2.2, AA). Without a newline at either end, because the page's policy names its hash.
 */
export const style = `:root {
  color-scheme: light dark;
  --page: #fbfaf8;
  --sheet: #ffffff;
  --ink: #1c1d21;
  --quiet: #5d626b;
  --line: #e4e1db;
  --link: #1f5f9e;
  --bar: #b9cbe0;
  --critical: #a8201a;
  --critical-ground: #fbe9e7;
  --high: #855100;
  --high-ground: #fbf0dc;
  --up: #23693c;
  --down: #8a4b3c;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #131417;
    --sheet: #1b1c20;
    --ink: #e7e6e3;
    --quiet: #a0a5ae;
    --line: #303238;
    --link: #8fbdf0;
    --bar: #3f5878;
    --critical: #ff9d94;
    --critical-ground: #40201e;
    --high: #f0bf6c;
    --high-ground: #382b13;
    --up: #83cb9a;
    --down: #dba08f;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0;
  background: var(--page);
  color: var(--ink);
  font: 1rem/1.55 ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", Arial, sans-serif;
  overflow-wrap: anywhere;
}
main { max-width: 46rem; margin: 0 auto; padding: 3rem 1.5rem 4rem; }
h1, h2, h3, p, ul, table { margin: 0; }
ul { padding: 0; list-style: none; }
a { color: var(--link); text-decoration: underline; text-decoration-thickness: 1px; text-underline-offset: 0.2em; }
a:hover { text-decoration-thickness: 2px; }
a:focus-visible, summary:focus-visible { outline: 2px solid var(--link); outline-offset: 3px; border-radius: 2px; }
header { margin-bottom: 2.5rem; }
h1, header h2 { font-size: 2rem; line-height: 1.2; letter-spacing: -0.02em; font-weight: 700; text-wrap: balance; }
.several { margin-bottom: 2.5rem; font-size: 1rem; letter-spacing: 0; font-weight: 500; color: var(--quiet); }
.when { margin-top: 0.35rem; color: var(--quiet); }
.sum { margin-top: 1.1rem; font-size: 1.125rem; line-height: 1.5; }
.workspace + .workspace { margin-top: 5rem; padding-top: 3rem; border-top: 1px solid var(--line); }
section.part { margin-top: 3rem; }
.part > :is(h2, h3) {
  margin-bottom: 1rem;
  font-size: 0.8125rem;
  font-weight: 650;
  letter-spacing: 0.06em;
  text-transform: uppercase;
  color: var(--quiet);
}
.events {
  background: var(--sheet);
  border: 1px solid var(--line);
  border-radius: 12px;
  padding: 0 1.25rem;
}
.event { display: grid; grid-template-columns: 1.5rem minmax(0, 1fr); column-gap: 0.75rem; padding: 1.15rem 0; }
.event + .event { border-top: 1px solid var(--line); }
.mark { font-size: 1.0625rem; line-height: 1.5rem; text-align: center; }
.event :is(h3, h4) { margin: 0; font-size: 1.0625rem; line-height: 1.5rem; font-weight: 650; }
.event :is(h3, h4) a { color: inherit; text-decoration-color: var(--line); }
.event :is(h3, h4) a:hover { color: var(--link); text-decoration-color: currentColor; }
.facts { margin-top: 0.15rem; font-size: 0.875rem; color: var(--quiet); }
.facts li { display: inline; }
.facts li + li:not(.label + li)::before { content: " · "; }
.event .summary { margin-top: 0.45rem; }
.why { margin-top: 0.35rem; color: var(--quiet); }
.why b { font-weight: 600; color: var(--ink); }
.sources { margin-top: 0.45rem; font-size: 0.875rem; }
.sources li { display: inline-block; margin-right: 0.85rem; }
.facts .label {
  display: inline-block;
  margin-right: 0.6em;
  padding: 0 0.5em;
  border-radius: 999px;
  font-size: 0.8125rem;
  line-height: 1.45rem;
  font-weight: 600;
  white-space: nowrap;
}
.label.critical { color: var(--critical); background: var(--critical-ground); }
.label.high { color: var(--high); background: var(--high-ground); }
.messages > li { padding: 0.8rem 0; border-top: 1px solid var(--line); }
.messages > li:first-child { border-top: 0; padding-top: 0; }
.messages .lead { font-size: 0.875rem; color: var(--quiet); }
.messages .said { margin-top: 0.1rem; }
.said b { font-weight: 600; }
del, ins { text-decoration: none; }
del { color: var(--quiet); text-decoration: line-through; text-decoration-thickness: 1px; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { caption-side: bottom; padding-top: 0.75rem; text-align: left; font-size: 0.8125rem; color: var(--quiet); }
th, td { padding: 0.5rem 0 0.5rem 1rem; text-align: right; vertical-align: baseline; font-weight: 400; }
th:first-child { padding-left: 0; text-align: left; width: 50%; }
thead th { font-size: 0.8125rem; color: var(--quiet); padding-top: 0; white-space: nowrap; }
td { white-space: nowrap; }
thead th + th { padding-right: 3rem; }
tbody tr, tfoot tr { border-top: 1px solid var(--line); }
tfoot :is(th, td) { font-weight: 600; }
.bar { display: block; width: 100%; height: 3px; margin-top: 0.3rem; }
.bar rect { fill: var(--bar); }
.change { display: inline-block; min-width: 2.75rem; text-align: left; font-size: 0.8125rem; font-weight: 400; color: var(--quiet); }
.change.up { color: var(--up); }
.change.down { color: var(--down); }
.plain > li { padding: 0.2rem 0; }
section > .rest { margin-bottom: 0.75rem; font-size: 0.875rem; color: var(--quiet); }
.notes { padding-left: 1rem; border-left: 3px solid var(--line); color: var(--quiet); }
details { margin-top: 2.5rem; border-top: 1px solid var(--line); padding-top: 1rem; }
details + details { margin-top: 1rem; }
summary { cursor: pointer; font-size: 0.875rem; color: var(--quiet); }
details ul { margin-top: 1rem; }
footer { margin-top: 3.5rem; font-size: 0.8125rem; color: var(--quiet); }
@media (max-width: 34rem) {
  main { padding: 2rem 1rem 3rem; }
  h1:not(.several), header h2 { font-size: 1.625rem; }
  .sum { font-size: 1.0625rem; }
  section.part { margin-top: 2.5rem; }
  .events { padding: 0 1rem; }
  .event { display: block; }
  .mark { float: left; margin-right: 0.45rem; }
  th, td { padding-left: 0.6rem; }
  th:first-child { width: 42%; }
  thead th + th { padding-right: 0; }
  .change { display: block; min-width: 0; line-height: 1.2; text-align: right; }
}
@media print {
  :root {
    --page: #ffffff;
    --sheet: #ffffff;
    --ink: #000000;
    --quiet: #4a4a4a;
    --line: #cccccc;
    --link: #000000;
    --bar: #bbbbbb;
    --critical: #8c0f0a;
    --critical-ground: #ffffff;
    --high: #6b4100;
    --high-ground: #ffffff;
    --up: #1d5530;
    --down: #6e3626;
  }
  @page { margin: 18mm 16mm; }
  body { font-size: 10.5pt; line-height: 1.45; }
  main { max-width: none; padding: 0; }
  header { margin-bottom: 1.25rem; }
  section.part { margin-top: 1.5rem; }
  .events { border: 0; padding: 0; }
  .event, .messages > li, tr { break-inside: avoid; }
  h1, header h2, .part > :is(h2, h3) { break-after: avoid; }
  .facts .label { padding: 0; }
  .bar { print-color-adjust: exact; }
  .workspace + .workspace { break-before: page; margin: 0; padding: 0; border: 0; }
  details:not([open]), footer { display: none; }
}`;
