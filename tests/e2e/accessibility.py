"""What can be checked of a page's accessibility: by hand-written rules, and by axe where it is.

`npm install axe-core` in the checkout brings axe; nothing of it is kept in the repository.
"""

from __future__ import annotations

from typing import Any

from tests.e2e.chat_server import REPOSITORY

AXE = REPOSITORY / "node_modules" / "axe-core" / "axe.min.js"

# Contrast of WCAG 2 level AA: 4.5, and 3 for text of 24 px, or 18.66 px when bold.
RULES = """() => {
  const found = [];
  const seen = (e) => e.checkVisibility({visibilityProperty: true, opacityProperty: true});
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const colour = rgba(getComputedStyle(e).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255, 255];
  };
  const name = (e) => e.ariaLabel || e.textContent.trim() || e.alt || e.title ||
    [...(e.labels || [])].map((l) => l.textContent.trim()).join("") ||
    [...e.querySelectorAll("img")].map((i) => i.alt).join("");
  if (!document.documentElement.lang) found.push("no language");
  if (!document.title) found.push("no title");
  if ([...document.querySelectorAll("main")].length !== 1) found.push("not one main");
  if ([...document.querySelectorAll("h1")].filter(seen).length !== 1) found.push("not one h1");
  const controls = "button, input:not([type=hidden]), textarea, select, a";
  for (const e of document.querySelectorAll(controls))
    if (seen(e) && !name(e)) found.push("without a name: " + e.outerHTML.slice(0, 90));
  for (const e of document.querySelectorAll("img"))
    if (seen(e) && !e.alt) found.push("without alt: " + e.outerHTML.slice(0, 90));
  for (const e of document.querySelectorAll("button, summary, textarea, select")) {
    const box = e.getBoundingClientRect();
    if (seen(e) && Math.min(box.width, box.height) < 24) found.push("small target: " + name(e));
  }
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) found.push("id twice: " + id);
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement, style = getComputedStyle(e);
    if (!walk.currentNode.data.trim() || !seen(e) || e.closest("noscript, .hidden")) continue;
    const [a, b] = [light(rgba(style.color)), light(behind(e))].sort((x, y) => y - x);
    const size = parseFloat(style.fontSize), bold = Number(style.fontWeight) >= 700;
    const wanted = size >= 24 || (bold && size >= 18.66) ? 3 : 4.5;
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < wanted) found.push(`contrast ${ratio.toFixed(2)}: ${walk.currentNode.data.trim()}`);
  }
  return found;
}"""

AXE_RUN = """async () => {
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const result = await axe.run(document, {runOnly: tags});
  const where = (v) => v.nodes.map((n) => n.html.slice(0, 90)).join(" | ");
  return result.violations.map((v) => v.id + ": " + where(v));
}"""


def problems(page: Any) -> list[str]:
    """Return what is wrong with a page as it stands, in light and in dark; empty if nothing."""
    found: list[str] = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found += [f"{scheme}: {problem}" for problem in page.evaluate(RULES)]
    page.emulate_media(color_scheme="light")
    if AXE.is_file():
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found += [f"axe: {problem}" for problem in page.evaluate(AXE_RUN)]
    return found
