// The page.

const sections = [gridSection(), tradeoffSection(), curvesSection(), tableSection(), failuresSection(), settingsSection()].filter(Boolean);
document.getElementById("page").append(head(), bar(sections), ...sections);
document.body.append(picking, dialog);
document.documentElement.dataset.ready = String(Math.round(performance.now()));
