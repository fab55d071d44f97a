// Exits with 0 if a heartbeat file was touched in the last SECONDS seconds: deno run alive.js FILE SECONDS
const [file, seconds] = Deno.args;
let ageMs = Infinity;
try {
  ageMs = Date.now() - (Deno.statSync(file).mtime?.getTime() ?? 0);
} catch {
  // The file does not exist: there was no heartbeat yet.
}
Deno.exit(ageMs <= Number(seconds) * 1000 ? 0 : 1);
