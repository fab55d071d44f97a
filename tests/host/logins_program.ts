/**
 * A small program that tests run with all permissions. For each line of stdin it prints the cgroups of the logins that
 * were opened from a session. Its arguments are the directory in which logins are listed, the pid of the leader, and
 * `exited` if the leader has exited.
 *
 * @module
 */

import { Logins } from "../../host/scopes/logins.ts";

if (import.meta.main) {
  const logins = new Logins({ pid: Number(Deno.args[1]), hasExited: Deno.args[2] === "exited" }, Deno.args[0]);
  for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    const paths = logins.cgroups().map(({ path }) => path);
    Deno.stdout.writeSync(new TextEncoder().encode(`${text.trim()}: ${paths.join(" ")}\n`));
  }
}
