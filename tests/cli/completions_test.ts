/** The completions of ctl, in real shells on a terminal. */

import { join } from "@std/path";
import { tempDir } from "../helpers.ts";
import { Terminal, testOnTerminal } from "./terminal.ts";
import { hasCommand, toolCommand } from "./tools.ts";

const CONFIG = '{"args": ["cat"], "group": ["frontend"]}';
const NAMES = ["database", "my app", "proxy:1", "proxy:2"];

/** What is typed, with a tab at its end, and the words that the shell then passes to ctl. */
const TYPED: readonly (readonly [typed: string, ...words: readonly string[]])[] = [
  ["stat", "status"],
  ["restart da", "restart", "database"],
  ["--colony DIR why my", "--colony", "DIR", "why", "my app"],
  ["why proxy:1", "why", "proxy:1"],
  ["restart-group fr", "restart-group", "frontend"],
  ["restart database --roll", "restart", "database", "--rolling"],
  ["status --group fr", "status", "--group", "frontend"],
  ["--colony=DIR why dat", "--colony=DIR", "why", "database"],
  ["logs --stream e", "logs", "--stream", "err"],
  ["check DIR/fi", "check", "DIR/file.json"],
];

const SHELLS = {
  bash: ["bash", "--norc", "--noprofile", "-i"],
  zsh: ["zsh", "-f", "-i"],
};

for (const [shell, command] of Object.entries(SHELLS)) {
  const suffix = hasCommand(shell) ? "" : ` (skipped: needs ${shell})`;
  if (suffix !== "") Deno.test({ name: `ctl completes words in ${shell}${suffix}`, ignore: true, fn: () => {} });
  else {
    testOnTerminal(null, `ctl completes commands, options and names in ${shell}`, async () => {
      using dir = tempDir();
      for (const name of NAMES) Deno.writeTextFileSync(join(dir.dir("conf"), name), CONFIG);
      dir.write("file.json", CONFIG);
      const flags = [`--allow-read=${dir.file("conf")}`, "--allow-env=NCOLONY_COLONY"];
      const ctl = toolCommand("ctl/mod.ts", flags).map((word) => `'${word}'`).join(" ");
      // Completes for real, and prints the words of any other command.
      const script = `#!/bin/sh\nif [ "$1" = completions ] && [ $# -gt 1 ]; then exec ${ctl} "$@"; fi\n`;
      Deno.writeTextFileSync(dir.file("ncolony-ctl"), `${script}printf 'got'; printf ' <%s>' "$@"; echo\n`);
      Deno.chmodSync(dir.file("ncolony-ctl"), 0o755);
      const env = [`PATH=${dir.path}:${Deno.env.get("PATH")}`, `NCOLONY_COLONY=${dir.path}`];
      await using terminal = new Terminal(["env", ...env, "PS1=$ ", ...command]);
      const start = shell === "zsh" ? "autoload -U compinit; compinit -u -D; " : "";
      await terminal.type(`${start}. <(ncolony-ctl completions ${shell}); echo re''ady\n`);
      await terminal.waitFor("ready");
      for (const [typed, ...words] of TYPED) {
        await terminal.type(`ncolony-ctl ${typed.replaceAll("DIR", dir.path)}\t\n`);
        await terminal.waitFor(`got ${words.map((word) => `<${word}>`).join(" ")}`.replaceAll("DIR", dir.path));
      }
    });
  }
}
