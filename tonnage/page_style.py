"""How the pages look: calm, legible, light and dark, wide and narrow."""

STYLE = """
:root {
  color-scheme: light dark;
  --page: #fbfbfa; --ink: #1c2430; --soft: #5a6675; --rule: #e1e4e8; --panel: #ffffff;
  --ours: #1f5fa8; --naive: #8a93a0; --good: #1b7a45; --bad: #b3372f; --mark: #1c2430; --fill: #7fa8d6;
  --bar: #3f78b5; --bar-two: #b07714; --odd: #b3372f;
  --y1: #b3372f; --y2: #1b7a45; --y3: #8a5a00; --y4: #7a3fa0; --y5: #5a6675;
  --heat-1: #f1f6fc; --heat-2: #dfeaf7; --heat-3: #cbdef3; --heat-4: #b5d0ee; --heat-5: #9cc1e8;
  --warn: #fbe3c0; --stripe: #f3cb8d;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14181d; --ink: #e6e9ed; --soft: #9aa6b3; --rule: #2b323b; --panel: #1a2027;
    --ours: #6fb0f5; --naive: #7d8794; --good: #5fc98d; --bad: #f08a80; --mark: #e6e9ed; --fill: #3d6fa6;
    --bar: #5b97d6; --bar-two: #d39a3c; --odd: #f08a80;
    --y1: #f08a80; --y2: #5fc98d; --y3: #e0b050; --y4: #c79bf0; --y5: #9aa6b3;
    --heat-1: #1e2731; --heat-2: #20303f; --heat-3: #223a50; --heat-4: #244563; --heat-5: #275277;
    --warn: #4a3413; --stripe: #6b4a17;
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
.plot { font-size: 12px; line-height: 1.3; color: var(--soft); }
.plot .unit { display: block; margin-bottom: 12px; }
.plot .below { display: block; margin-top: 24px; text-align: right; }
.area { position: relative; height: 190px; margin-right: 10px; }
.wide .area { height: 240px; }
.area svg { position: absolute; inset: 0; width: 100%; height: 100%; overflow: visible; }
.area path, .area rect { vector-effect: non-scaling-stroke; }
.area .grid { fill: none; }
.area .zero { stroke: var(--soft); }
.area .line { stroke-linecap: round; }
.y { position: absolute; right: 100%; margin-right: 8px; transform: translateY(50%); white-space: nowrap; }
.x { position: absolute; top: 100%; margin-top: 5px; transform: translateX(-50%); white-space: nowrap; }
.y, .x { font-variant-numeric: tabular-nums; }
.bar-one { fill: var(--bar); }
.bar-two { fill: var(--bar-two); }
.bar-odd { fill: var(--odd); }
.guide { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 2 4; }
.keys { margin: 0 0 6px; font-size: .85rem; }
.key .bar-one, .key .bar-two, .key .bar-odd { width: 12px; height: 12px; margin-right: 4px; }
.key .bar-one { background: var(--bar); }
.key .bar-two { background: var(--bar-two); }
.key .bar-odd { background: var(--odd); }
.year { border-top: 2px solid; stroke-width: 1.6; }
.y0 { stroke: var(--ours); border-color: var(--ours); }
.line.y0 { stroke-width: 3.2; }
.line.alone { stroke-width: 7; }
.key .y0 { border-top-width: 4px; }
.y1 { stroke: var(--y1); border-color: var(--y1); }
.y2 { stroke: var(--y2); border-color: var(--y2); stroke-dasharray: 7 4; border-top-style: dashed; }
.y3 { stroke: var(--y3); border-color: var(--y3); }
.y4 { stroke: var(--y4); border-color: var(--y4); stroke-dasharray: 2 4; border-top-style: dotted; }
.y5 { stroke: var(--y5); border-color: var(--y5); }
.pairs { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); gap: 16px; }
.pairs > * { min-width: 0; }
.pairs th, .pairs td { padding-left: 8px; padding-right: 8px; }
section > * + .scroll, section > * + .pairs, section > * + figure { margin-top: 16px; }
h3 { font-size: 1rem; margin: 24px 0 4px; }
h3 + .scroll, section > h3 + .scroll, p + .scroll { margin-top: 6px; }
.pairs h3 { margin: 4px 0 6px; }
.pairs > figure, .pairs > div { align-self: start; }
th { vertical-align: bottom; }
th.number { white-space: normal; min-width: 4.7em; }
.short { white-space: nowrap; }
details { margin: 8px 0 0; }
code { overflow-wrap: anywhere; font-size: .8rem; }
summary { cursor: pointer; color: var(--ours); font-size: .9rem; padding: 4px 0; }
details > .scroll { margin-top: 6px; }
nav { margin-top: 22px; font-size: .9rem; }
nav a { display: inline-block; margin: 0 14px 4px 0; padding: 2px 0; }
a { color: var(--ours); }
.findings { margin: 14px 0 0; padding-left: 20px; max-width: 75ch; }
.findings li { margin-bottom: 4px; }
bdi { overflow-wrap: anywhere; }
.none { color: var(--soft); font-style: italic; }
.heat { font-size: .82rem; }
.heat th, .heat td { padding: 4px 7px; min-width: 0; }
.heat th[scope="row"] { color: var(--ink); text-align: left; border-bottom: 0; vertical-align: middle; }
.heat td, .heat th.number { text-align: right; font-variant-numeric: tabular-nums; }
.heat tbody th[scope="rowgroup"] { color: var(--ink); font-weight: 600; text-align: left; padding-top: 12px; }
.heat small { display: block; font-size: .72rem; }
.heat td:first-child { position: static; }
.h0 { background: var(--panel); }
.h1 { background: var(--heat-1); }
.h2 { background: var(--heat-2); }
.h3 { background: var(--heat-3); }
.h4 { background: var(--heat-4); }
.h5 { background: var(--heat-5); }
.gap { background: repeating-linear-gradient(135deg, var(--warn) 0 6px, var(--stripe) 6px 9px); }
.gap { color: var(--ink); }
.heat .outside { color: var(--soft); text-align: center; }
.stays { display: inline-block; position: sticky; left: 7px; }
@media (max-width: 600px) {
  .minor { display: none; }
  .stagger .x:nth-last-of-type(even) { margin-top: 20px; }
  .stagger .below { margin-top: 40px; }
  .area { height: 170px; }
  .wide .area { height: 190px; }
  main { padding: 20px 14px 48px; }
  dl { gap: 10px 24px; }
  th, td { padding: 6px 9px; }
  th:first-child, td:first-child { white-space: normal; max-width: 38vw; }
}
"""
