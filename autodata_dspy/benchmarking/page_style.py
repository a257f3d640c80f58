"""How the page of a suite looks: light and dark, narrow and wide. Colours of arms have 3:1 and more on their ground."""

STYLE = """
:root { color-scheme: light dark; --ground: #fff; --ink: #1c1e21; --soft: #5a6068; --grid: #e3e6ea; --axis: #9aa1a9;
  --c0: #0a5fb4; --c1: #c04c00; --c2: #0b7a4b; --c3: #a0307e; --c4: #7a6500; --c5: #007c93;
  --c6: #8a4a2a; --c7: #5b4fd0; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #15181c; --ink: #e8eaed; --soft: #a3abb5; --grid: #2c3138; --axis: #69717b;
    --c0: #6db3f8; --c1: #ff9d5e; --c2: #4fd39a; --c3: #ee90d0; --c4: #dcc64e; --c5: #56cfe4;
    --c6: #d8a588; --c7: #aea6ff; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 1500px; background: var(--ground); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1, h2 { line-height: 1.2; }
h2 { margin-top: 2.5rem; border-top: 1px solid var(--grid); padding-top: 1rem; }
p, ul, dl { max-width: 75ch; }
ul { padding-left: 1.2rem; }
summary { cursor: pointer; }
.soft { color: var(--soft); }
.plots { display: grid; gap: 1.5rem; margin: 1rem 0;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 320px), 1fr)); }
figure { margin: 0; max-width: 480px; }
figcaption { font-weight: 600; }
svg { display: block; width: 100%; height: auto; }
svg text { font-size: 12px; fill: var(--ink); stroke: var(--ground); stroke-width: 3px; paint-order: stroke; }
svg .grid { stroke: var(--grid); }
svg .axis { stroke: var(--axis); }
svg .bar { stroke-width: 2.5; }
svg .upright { stroke-width: 1.5; stroke-opacity: .6; }
svg .path { fill: none; stroke-width: 1.5; }
svg .mark { fill-opacity: .7; stroke-width: 1.5; }
svg .ref { stroke: var(--soft); fill: var(--soft); }
svg .dash0 { stroke-dasharray: 6 3; }
svg .dash1 { stroke-dasharray: 2 3; }
.wide { overflow-x: auto; overflow-wrap: normal; margin: 1rem 0; }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .45rem; border-bottom: 1px solid var(--grid); text-align: left; vertical-align: top;
  min-width: 4rem; }
th:first-child, td:first-child { position: sticky; left: 0; min-width: 10rem; background: var(--ground);
  overflow-wrap: anywhere; }
code, pre { font-family: ui-monospace, monospace; font-size: .85rem; }
pre { white-space: pre-wrap; }
dt { font-weight: 600; }
dd { margin: 0 0 .5rem; }
""" + "".join(f"svg .c{n} {{ stroke: var(--c{n}); }} svg .mark.c{n} {{ fill: var(--c{n}); }}\n" for n in range(8))
