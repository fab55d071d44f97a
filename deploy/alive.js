// Exits with 0 when a heartbeat file was touched within so many seconds: deno run alive.js FILE SECONDS
const [file, seconds] = Deno.args;
let ageMs = Infinity;
try {
  ageMs = Date.now() - (Deno.statSync(file).mtime?.getTime() ?? 0);
} catch {
  // It never beat.
}
Deno.exit(ageMs <= Number(seconds) * 1000 ? 0 : 1);
