/** How a report looks. No colour says anything that a word beside it does not. */
export const style = `
:root{color-scheme:light dark;--bg:#fbfbfa;--card:#fff;--ink:#1b1f24;--soft:#57606a;--line:#d9dde2;--run:#2a7152;--wait:#c4ccd4;--bad:#b3261e;--warn:#8a5a00;--info:#2b5fa8;
--badbg:#fdecea;--warnbg:#fff4dc;--okbg:#e4f4ec;--infobg:#e7effa;--mono:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
@media (prefers-color-scheme:dark){:root{--bg:#14171a;--card:#1c2024;--ink:#e6e9ec;--soft:#a3adb8;--line:#343b43;--run:#4fb286;--wait:#4a535d;--bad:#ff8a80;--warn:#f0b95a;--info:#82b1ff;
--badbg:#3b1f1e;--warnbg:#3a2f16;--okbg:#17352a;--infobg:#1b2c45}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main,header,footer{max-width:1160px;margin:0 auto;padding:0 20px}
header{padding-top:28px}
a{color:var(--info)}
.skip{position:absolute;left:-999px}.skip:focus{left:8px;top:8px;background:var(--card);padding:8px}
h1{font-size:26px;line-height:1.25;margin:0 0 4px;overflow-wrap:anywhere}
h2{font-size:18px;margin:0 0 12px}
h3{font-size:15px;margin:20px 0 6px}
.sub{color:var(--soft);margin:0 0 16px;overflow-wrap:anywhere}
nav{display:flex;flex-wrap:wrap;gap:4px 16px;margin:12px 0 4px;font-size:14px}
section{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:18px 20px;margin:16px 0}
.facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(190px,1fr));gap:12px 24px;margin:0}
.facts dt{color:var(--soft);font-size:12.5px}.facts dd{margin:0;overflow-wrap:anywhere}
.badge{display:inline-block;border-radius:999px;padding:1px 10px;font-size:13px;font-weight:600;white-space:nowrap;background:var(--infobg);color:var(--info)}
.badge.ok{background:var(--okbg);color:var(--run)}.badge.bad{background:var(--badbg);color:var(--bad)}.badge.warn{background:var(--warnbg);color:var(--warn)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:14px}
caption{text-align:left;color:var(--soft);font-size:13px;padding-bottom:6px}
th{text-align:left;font-weight:600;color:var(--soft);font-size:12.5px;white-space:nowrap}
th,td{padding:5px 12px 5px 0;border-bottom:1px solid var(--line);vertical-align:top}
td{overflow-wrap:anywhere;min-width:90px}
td.w{min-width:260px}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap;min-width:0}
td.t{white-space:nowrap;font-variant-numeric:tabular-nums}
code.id{white-space:nowrap}code,.mono{font-family:var(--mono);font-size:12.5px;overflow-wrap:anywhere}
.more,.none{color:var(--soft);font-size:13.5px;margin:8px 0 0}
.lanes{display:grid;grid-template-columns:minmax(90px,22%) minmax(0,1fr);gap:3px 12px;align-items:center;font-size:13px}
.lanes .label{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.lanes svg{display:block;width:100%;height:20px;background:var(--bg);border-radius:3px}
.axis{display:flex;justify-content:space-between;color:var(--soft);font-size:12px;font-variant-numeric:tabular-nums}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;color:var(--soft);font-size:12.5px;margin:10px 0 0}
.legend svg{width:12px;height:12px;vertical-align:-1px;margin-right:5px}
.run{fill:var(--run)}.wait{fill:var(--wait)}.bad{fill:var(--bad)}.info{fill:var(--info)}.warn{fill:var(--warn)}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(260px,1fr));gap:16px;margin-bottom:16px}
figure{margin:0}figcaption{font-size:13px;color:var(--soft);overflow-wrap:anywhere}
figure svg{display:block;width:100%;height:64px;background:var(--bg);border-radius:4px}
.cpu{fill:none;stroke:var(--info);stroke-width:1.5}.mem{fill:var(--run);fill-opacity:.18;stroke:var(--run);stroke-width:1}
.map{min-width:640px;width:100%;height:auto}.map text{fill:var(--ink);font:13px var(--mono)}.map .soft{fill:var(--soft)}
.map line{stroke:var(--soft);stroke-opacity:.55}.map line.bad{stroke:var(--bad);stroke-dasharray:4 3;stroke-opacity:1}.map rect{fill:var(--bg);stroke:var(--line)}
${Array.from({ length: 16 }, (_, depth) => `.d${depth + 1}{padding-left:${(depth + 1) * 16}px}`).join('')}
details summary{cursor:pointer;color:var(--info);font-size:14px}
footer{color:var(--soft);font-size:13px;padding-bottom:40px}
@media (max-width:760px){table{min-width:720px}.axis span:nth-child(even){display:none}body{font-size:14.5px}main,header,footer{padding-left:12px;padding-right:12px}section{padding:14px 12px}h1{font-size:21px}th,td{padding-right:9px}}
@media print{:root{--bg:#fff;--card:#fff;--ink:#000;--soft:#444}body{font-size:11px}nav,.skip{display:none}section{border:0;border-top:1px solid #999;border-radius:0;padding:10px 0}details>*{display:block}tr,figure,.lanes>*{break-inside:avoid}}
`
