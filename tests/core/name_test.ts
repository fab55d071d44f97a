import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fileNameFault, isIgnored, nameFault } from "@ncolony/core";

const FAULTS: readonly (readonly [what: string, reason: string, ...names: string[]])[] = [
  ["an empty name", "empty", ""],
  ["a name that leads out of its directory", '"/"', "/", "a/b", "../web", "web/", "./web"],
  [
    "a name with control characters",
    "control characters",
    "a\nb",
    "a\tb",
    "\0",
    "a\x1b[0m",
    "a\x7f",
    "a\x85",
    "a\u2028b",
  ],
  ["a name with half of a surrogate pair", "well-formed", "\ud800", "a\udc00", "\udc00\ud800"],
  ["a name that begins with a dot", '"."', ".", "..", ".web", "..data", ".new"],
  ["a name that ends with .new", '".new"', "web.new", "a.new.new"],
];

for (const [what, reason, ...names] of FAULTS) {
  Deno.test(`nameFault() finds ${what}`, () => {
    for (const name of names) assertStringIncludes(nameFault(name) ?? "no fault", reason, JSON.stringify(name));
  });
}

Deno.test("nameFault() finds no fault in other names", () => {
  const names = [
    "web",
    "web.1",
    "web.new.1",
    "new",
    "a b",
    "-v",
    "é",
    "日本",
    "😀",
    "__proto__",
    "\\",
    '"',
    "a\u00a0b",
  ];
  for (const name of names) assertEquals(nameFault(name), null, name);
});

Deno.test("isIgnored() ignores names that begin with a dot or end with .new, and no others", () => {
  const names = [".", "..", ".web", ".new", "web.new", "..data", "web", "web.", "web.new.1", "new", "web.NEW", ""];
  assertEquals(names.filter(isIgnored), [".", "..", ".web", ".new", "web.new", "..data"]);
});

const LEFT = [
  ..."web~ #web# web.bak web.orig web.rej web.swp .web.swp".split(" "),
  ..."web.dpkg-old web.dpkg-new web.dpkg-dist web.dpkg-tmp web.rpmsave web.rpmnew web.rpmorig".split(" "),
  ..."web.ucf-old web.ucf-new web.ucf-dist".split(" "),
];

Deno.test("nameFault() rejects backup files of editors and package managers, which fileNameFault() accepts, but no similar names", () => {
  for (const name of LEFT) assert(nameFault(name) !== null, name);
  for (const name of LEFT.filter((name) => !name.startsWith("."))) assertEquals(fileNameFault(name), null, name);
  for (const name of ["a/b~", ".web~", "x\n~", "web.new"]) assert(fileNameFault(name) !== null, name);
  const others = [
    "web",
    "bak",
    "web.bak2",
    "web.backup",
    "~web",
    "#web",
    "web#",
    "web.old",
    "web.tmp",
    "web.save",
    "a.dpkg",
  ];
  for (const name of others) assertEquals(nameFault(name), null, name);
});
