"""The page's style sheet, light and dark; contrasts are at least 4.5 (WCAG 2.1, AA)."""

STYLE = """\
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #ffffff; --soft: #57606a;
  --line: #d0d7de; --panel: #f3f5f8; --main: #0b5cad; --wrong: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --paper: #14171a; --soft: #a8b0b9;
  --line: #3a4149; --panel: #1e2328; --main: #7ab7ff; --wrong: #ff9d94; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 1100px; background: var(--paper);
  color: var(--ink); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.5rem; margin: 0 0 .5rem; } h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem; }
h3 { font-size: 1rem; margin: 1rem 0 .3rem; }
.answer { background: var(--panel); border-left: 4px solid var(--main); padding: 1rem 1.2rem; }
.answer p { margin: .2rem 0; } .answer .first { font-size: 1.25rem; font-weight: 600; }
.soft, figcaption { color: var(--soft); font-size: .9rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .92rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .5rem; text-align: right; border-bottom: 1px solid var(--line);
  white-space: nowrap; }
th.left, td.left { text-align: left; } tr.winner td { font-weight: 600; }
.row { display: flex; flex-wrap: wrap; gap: 1.2rem; align-items: flex-start; }
figure { margin: 0; max-width: 100%; } figcaption { max-width: 460px; }
.thumbs figure { width: 112px; } .thumbs img { display: block; max-width: 96px;
  image-rendering: pixelated; } .samples figure { width: auto; }
.samples .four { display: flex; flex-wrap: wrap; gap: 3px; }
svg { max-width: 100%; height: auto; } svg * { stroke-linejoin: round; stroke-linecap: butt; }
pre { background: var(--panel); padding: .8rem 1rem; white-space: pre-wrap;
  overflow-wrap: anywhere; font-size: .88rem; }
"""
