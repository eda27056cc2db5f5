"""How the backtest's page looks: calm, legible, light and dark, wide and narrow."""

STYLE = """
:root {
  color-scheme: light dark;
  --page: #fbfbfa; --ink: #1c2430; --soft: #5a6675; --rule: #e1e4e8; --panel: #ffffff;
  --ours: #1f5fa8; --naive: #8a93a0; --good: #1b7a45; --bad: #b3372f; --mark: #1c2430; --fill: #7fa8d6;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14181d; --ink: #e6e9ed; --soft: #9aa6b3; --rule: #2b323b; --panel: #1a2027;
    --ours: #6fb0f5; --naive: #7d8794; --good: #5fc98d; --bad: #f08a80; --mark: #e6e9ed; --fill: #3d6fa6;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 32px 24px 64px; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 8px; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 0 0 4px; }
p { margin: 0 0 14px; color: var(--soft); max-width: 75ch; }
.above { margin: 0; font-size: .85rem; letter-spacing: .04em; }
section { margin-top: 40px; }
dl { display: flex; flex-wrap: wrap; gap: 12px 36px; margin: 18px 0 0; }
dt { font-size: .8rem; color: var(--soft); }
dd { margin: 0; font-weight: 600; }
.scroll { overflow-x: auto; border: 1px solid var(--rule); border-radius: 8px; background: var(--panel); }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { padding: 7px 12px; text-align: left; white-space: nowrap; }
th { color: var(--soft); font-weight: 500; border-bottom: 1px solid var(--rule); }
tbody tr + tr td { border-top: 1px solid var(--rule); }
.number { text-align: right; font-variant-numeric: tabular-nums; }
th:first-child, td:first-child { position: sticky; left: 0; background: var(--panel); }
.good { color: var(--good); }
.bad { color: var(--bad); }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(280px, 1fr)); gap: 16px; }
figure { margin: 0; padding: 12px; border: 1px solid var(--rule); border-radius: 8px; }
figure { background: var(--panel); }
figcaption { font-size: .9rem; font-weight: 600; margin-bottom: 4px; }
.chart { display: block; width: 100%; height: auto; }
.grid { stroke: var(--rule); stroke-width: 1; }
.tick { fill: var(--soft); font-size: 12px; }
.middle { text-anchor: middle; }
.end { text-anchor: end; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; }
.line.ours { stroke: var(--ours); }
.line.naive { stroke: var(--naive); stroke-dasharray: 5 4; }
.dot.ours { fill: var(--ours); }
.dot.naive { fill: var(--naive); }
.key { white-space: nowrap; margin-right: 10px; }
.key i { display: inline-block; width: 22px; vertical-align: middle; margin: 0 2px 3px 0; }
.key .ours { border-top: 3px solid var(--ours); }
.key .naive { border-top: 2px dashed var(--naive); }
.bars { display: grid; grid-template-columns: fit-content(45%) 1fr max-content; gap: 8px 14px; }
.bars { align-items: center; font-size: .9rem; }
.bar { display: block; width: 100%; height: 20px; }
.track { fill: var(--rule); }
.filled { fill: var(--fill); }
.mark { stroke: var(--mark); stroke-width: 2; vector-effect: non-scaling-stroke; }
:focus-visible { outline: 2px solid var(--ours); outline-offset: 2px; }
@media (max-width: 600px) {
  main { padding: 20px 14px 48px; }
  dl { gap: 10px 24px; }
  th, td { padding: 6px 9px; }
  th:first-child, td:first-child { white-space: normal; max-width: 38vw; }
}
"""
