import { describeExit } from "@ncolony/core";
import {
  type ChildLogs,
  type Directory,
  type Host,
  type MessagesDirectory,
  NO_HEART,
  type Output,
  ownKillTimeMs,
  type PidFiles,
  type ProgramService,
  Run,
  type Watchdog,
} from "@ncolony/host";
import { type ColonyEvent, eventsOf, withProblems } from "./events.ts";
import { logStep } from "./lines.ts";
import { checkOptions, LOG_DEFAULTS, type Options } from "./options.ts";
import { Scanner } from "./scanner.ts";
import { MonitorFacts } from "./monitor_facts.ts";
import { StatusWriter } from "./status_writer.ts";
import { Statuses } from "./statuses.ts";
import { withTail } from "./stderr_tail.ts";
import { StopTime } from "./stop_time.ts";
import { Supervisor } from "./supervisor.ts";
import { warningsOf } from "./warnings.ts";

/** What a colony needs in addition to its options. */
export interface ColonyParts {
  /** The operating system. */
  readonly host: Host;
  /** Where events and the children's lines go. */
  readonly output: Pick<Output, "log" | "forChild" | "flush">;
  /** The heartbeat of the scanner. */
  readonly heart?: Watchdog;
  /** Called with each event. */
  readonly onEvent?: (event: ColonyEvent) => void;
}

/** The monitor's {@linkcode Service}: a scanner finds out what must run, and a supervisor runs it. */
export class Colony implements ProgramService {
  readonly #host: Host;
  readonly #config: Directory;
  readonly #messagesDirectory: MessagesDirectory;
  readonly #scanner: Scanner;
  readonly #supervisor: Supervisor;
  readonly #stopTime: StopTime;
  readonly #output: ColonyParts["output"];
  readonly #logs: ChildLogs | null;
  readonly #pidFiles: PidFiles;
  readonly #facts: MonitorFacts;
  readonly #writer: StatusWriter | null;
  readonly #run = new Run();
  #isStopped = false;

  /**
   * Creates a colony.
   *
   * @throws {RangeError | TypeError} If an option is invalid.
   * @throws {Error} If the pid directory or the log directory cannot be created or used.
   */
  constructor(options: Options, { host, output, heart = NO_HEART, onEvent = () => {} }: ColonyParts) {
    checkOptions(options);
    this.#host = host;
    this.#output = output;
    const log = withProblems(output.log, onEvent);
    const { allowInsecure = false, trustReadOnlyMount = false } = options;
    const trust = { allowInsecure, trustReadOnlyMount };
    if (options.create) [options.config, options.messages].forEach((path) => host.createDirectory(path, trust));
    this.#config = host.directory(options.config, trust);
    this.#messagesDirectory = host.messagesDirectory(options.messages, trust);
    const own = Object.entries({ "pid files": options.pid, logs: options.logs, status: options.status }).flatMap((
      [use, path],
    ) => path === undefined ? [] : [[use, host.directory(path, { allowInsecure: true })] as const]);
    const { logSize: maxBytes, logKeep: keep, logTime: hasTimes } = { ...LOG_DEFAULTS, ...options };
    this.#logs = options.logs === undefined
      ? null
      : host.logs(options.logs, log, (name) => output.forChild(name), trust);
    this.#pidFiles = host.pidFiles(options.pid ?? null, trust);
    const killTimeMs = options.killtime * 1000;
    const stopWithinMs = options.stopWithin === undefined ? ownKillTimeMs() : options.stopWithin * 1000;
    const stopTime = new StopTime(stopWithinMs ?? Infinity);
    this.#stopTime = stopTime;
    const files = options.status === undefined ? null : host.statusFiles(options.status, trust);
    const statuses = new Statuses({
      wall: () => host.clock.wall(),
      saved: (name) => files?.read(name) ?? null,
      isWhole: files !== null,
      record: (name, event) => this.#writer!.record(name, event),
      onChange: (name) => this.#writer?.touch(name),
    });
    const facts = new MonitorFacts(options, host.clock);
    this.#facts = facts;
    this.#writer = files === null ? null : new StatusWriter({
      files,
      statuses,
      clock: host.clock,
      log,
      thresholdMs: options.threshold * 1000,
      pid: host.pid,
      monitor: () => facts.toJson(host.pid, host.killScope, this.#scanner.fault, this.#scanner.counts),
      usages: () => this.#supervisor.usages(),
    });
    this.#supervisor = new Supervisor(host, {
      log,
      onStep: (step, fields) => {
        logStep(output.log, step, fields);
        if (step.event.type === "leader-exited") this.#logs?.exited(step.name, describeExit(step.event.exit));
        for (const event of eventsOf(step)) onEvent(event);
      },
      policy: {
        thresholdMs: options.threshold * 1000,
        minDelayMs: options.minrestartdelay * 1000,
        maxDelayMs: options.maxrestartdelay * 1000,
        killTimeMs,
      },
      stopTime,
      pidFiles: this.#pidFiles,
      statuses,
      onScanned: () => this.#writer?.scanned(),
      output: (spec) => {
        const start = statuses.get(spec.name).incarnation + 1;
        const taken = this.#logs === null || spec.log === false
          ? output.forChild(spec.name)
          : this.#logs.forChild(spec.name, { maxBytes, keep, hasTimes, ...spec.log }, start);
        return files === null ? taken : withTail(taken, statuses.newTail(spec.name));
      },
    });
    if (allowInsecure) {
      log.warn("--allow-insecure: every user who can write to the config directory can run commands as this user");
    }
    this.#scanner = new Scanner(host, {
      config: this.#config,
      messagesDirectory: this.#messagesDirectory,
      own: Object.fromEntries(own),
      frequencyMs: options.frequency * 1000,
      heart,
      log,
      warningsOf: (spec) => warningsOf(spec, { gid: host.gid, killTimeMs, stopTime }),
      post: (posted) => this.#supervisor.post(posted),
      onScan: (tookMs) => {
        facts.scanned(tookMs);
        this.#supervisor.retry();
      },
    });
  }

  start(): Promise<void> {
    return this.#run.start(() => this.#open(), () => this.#runAll());
  }

  get ended(): Promise<number> {
    return this.#run.ended;
  }

  async stop(): Promise<void> {
    if (!this.#run.isStarted) return;
    this.#isStopped = true;
    this.#facts.stopping();
    this.#writer?.tell();
    this.#scanner.stop();
    this.#supervisor.close();
    await this.ended;
  }

  /** Stops because of an unexpected error. The exit code will be 1. */
  fail(error: unknown): void {
    this.#scanner.stop();
    this.#supervisor.fail(error);
  }

  /** Stops the colony unless that was done before, and waits until it has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isStopped) await this.ended;
    else await this.stop();
  }

  async #open(): Promise<void> {
    try {
      await this.#scanner.open();
      await this.#host.open();
      await this.#lockPidFiles();
      await this.#writer?.open();
    } catch (error) {
      await this.#host.close();
      await this.#scanner.close();
      throw error;
    }
  }

  async #lockPidFiles(): Promise<void> {
    const fault = await this.#pidFiles.lock();
    if (fault === null) return;
    this.#output.log.warn(
      `cannot lock the pid directory: ${fault}; a second monitor that uses it would not be noticed`,
    );
  }

  async #runAll(): Promise<number> {
    if (this.#messagesDirectory.isShared()) {
      this.#output.log.info("other users can write to the messages directory, so they can request restarts");
    }
    // Log an unexpected error, and stop everything in order.
    await this.#supervisor.stopLeftovers(this.#config).catch((error) => this.fail(error));
    this.#scanner.run().catch((error) => this.fail(error));
    const exitCode = await this.#supervisor.run();
    this.#facts.ended();
    await this.#writer?.close();
    this.#pidFiles.close();
    await this.#host.close();
    await this.#scanner.close();
    await this.#logs?.flush(this.#stopTime.flushMs);
    this.#output.log.info(exitCode === 0 ? "all processes have ended" : "stopped with errors");
    await this.#output.flush(this.#stopTime.flushMs);
    return exitCode;
  }
}
