// Reads every note of a vault and prints, as JSON, what an Obsidian-flavoured parser sees in it.
// node check.mjs VAULT
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import remarkObsidian from "@quartz-community/remark-obsidian";
import remarkFrontmatter from "remark-frontmatter";
import remarkGfm from "remark-gfm";
import remarkParse from "remark-parse";
import { unified } from "unified";

const reader = unified()
  .use(remarkParse)
  .use(remarkFrontmatter)
  .use(remarkGfm)
  .use(remarkObsidian);

function* notes(folder) {
  const entries = readdirSync(folder, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !entry.name.startsWith(".")) yield* notes(path);
    else if (entry.isFile() && entry.name.endsWith(".md")) yield path;
  }
}

function words(node) {
  return node.value ?? (node.children ?? []).map(words).join("");
}

const collect = {
  wikilink: (node, seen) => seen.wikilinks.push({ ...place(node), ...link(node) }),
  image: (node, seen) => seen.images.push({ ...place(node), url: node.url }),
  link: (node, seen) => seen.links.push({ ...place(node), url: node.url }),
  heading: (node, seen) => seen.headings.push(words(node)),
  table: (node, seen) =>
    seen.tables.push({ ...place(node), columns: node.children.map((row) => row.children.length) }),
  comment: (node, seen) => seen.comments.push({ ...place(node), value: node.value }),
  highlight: (node, seen) => seen.highlights.push({ ...place(node), value: words(node) }),
  tag: (node, seen) => seen.tags.push({ ...place(node), value: node.value }),
  html: (node, seen) => seen.html.push({ ...place(node), value: node.value }),
  code: (node, seen) => seen.code.push({ ...place(node), language: node.lang }),
};

const place = (node) => ({ line: node.position.start.line });
const link = ({ path, heading, alias, embedded }) => ({ path, heading, alias, embedded });

function walk(node, seen) {
  collect[node.type]?.(node, seen);
  for (const child of node.children ?? []) walk(child, seen);
  return seen;
}

const vault = process.argv[2];
const found = {};
for (const path of notes(vault)) {
  const seen = Object.fromEntries(
    ["wikilinks", "images", "links", "headings", "tables", "comments"]
      .concat(["highlights", "tags", "html", "code"])
      .map((name) => [name, []]),
  );
  const tree = reader.runSync(reader.parse(readFileSync(path, "utf8")));
  found[relative(vault, path).split(sep).join("/")] = walk(tree, seen);
}
process.stdout.write(JSON.stringify(found));
