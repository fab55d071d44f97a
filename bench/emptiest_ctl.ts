/** The smallest Deno program that could ask for a restart: it writes a message, and validates nothing. */

const [messages, name] = Deno.args;
Deno.writeTextFileSync(`${messages}/restart.new`, JSON.stringify({ type: "RESTART", name }));
Deno.renameSync(`${messages}/restart.new`, `${messages}/restart`);
