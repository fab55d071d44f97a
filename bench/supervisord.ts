import { pause, run } from "./processes.ts";
import { Supervisor } from "./supervisor.ts";

/** supervisord, with one file for each program. */
export class Supervisord extends Supervisor {
  readonly #port = freePort();

  prepare(): void {
    Deno.mkdirSync(this.path("logs"));
    this.write(
      "supervisord.conf",
      `[supervisord]
nodaemon=true
logfile=${this.path("supervisord.log")}
pidfile=${this.path("pid")}
[inet_http_server]
port=127.0.0.1:${this.#port}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[include]
files=${this.path("programs")}/*.conf
`,
    );
  }

  command(): string[] {
    return ["supervisord", "--nodaemon", "--configuration", this.path("supervisord.conf")];
  }

  configure(name: string, argv: readonly string[]): void {
    const log = `stdout_logfile=${this.logFile(name)}\nstdout_logfile_maxbytes=0\n`;
    this.write(`programs/${name}.conf`, `[program:${name}]\ncommand=${argv.join(" ")}\n${log}`);
  }

  override async activate(name: string): Promise<void> {
    await this.#call("reloadConfig", "");
    await this.#call("addProcessGroup", `<param><value><string>${name}</string></value></param>`);
  }

  async restart(name: string): Promise<void> {
    const process = `<param><value><string>${name}</string></value></param>`;
    await this.#call("stopProcess", process);
    await this.#call("startProcess", `${process}<param><value><boolean>0</boolean></value></param>`);
  }

  override async restartByCommand(name: string): Promise<void> {
    await run(["supervisorctl", "-s", `http://127.0.0.1:${this.#port}`, "restart", name]);
  }

  logFile(name: string): string {
    return this.path("logs", `${name}.log`);
  }

  override async started(): Promise<void> {
    while (!await this.#call("getState", "").then(() => true, () => false)) await pause(5);
  }

  /** Calls a method over XML-RPC. supervisorctl would add the start of Python to each call. */
  async #call(method: string, params: string): Promise<void> {
    const body = `<methodCall><methodName>supervisor.${method}</methodName><params>${params}</params></methodCall>`;
    const headers = { "content-type": "text/xml" };
    const response = await fetch(`http://127.0.0.1:${this.#port}/RPC2`, { method: "POST", headers, body });
    const answer = await response.text();
    if (!response.ok || answer.includes("<fault>")) throw new Error(`${method}: ${answer}`);
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
