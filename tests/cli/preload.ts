import { tempDir } from "../helpers.ts";
import { hasCommand, run } from "./tools.ts";

/** Adds the seconds in `$NCOLONY_TEST/shift` to the wall clock. While `fault` exists, cannot open a file `flaky`. */
const SOURCE = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int place(char *path, size_t size, const char *name) {
  const char *directory = getenv("NCOLONY_TEST");
  return directory != NULL && snprintf(path, size, "%s/%s", directory, name) < (int) size;
}

static int real_open(const char *path, int flags, mode_t mode) {
  int (*open)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
  return open(path, flags, mode);
}

static long shift(void) {
  char path[4096], text[32] = "";
  int file = place(path, sizeof path, "shift") ? real_open(path, O_RDONLY | O_CLOEXEC, 0) : -1;
  if (file < 0) return 0;
  if (read(file, text, sizeof text - 1) < 0) text[0] = 0;
  close(file);
  return atol(text);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
  int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
  int result = real(clock, time);
  if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) time->tv_sec += shift();
  return result;
}

int gettimeofday(struct timeval *time, void *zone) {
  int (*real)(struct timeval *, void *) = dlsym(RTLD_NEXT, "gettimeofday");
  int result = real(time, zone);
  time->tv_sec += shift();
  return result;
}

static int open_or_fail(const char *path, int flags, mode_t mode) {
  char fault[4096];
  const char *name = strrchr(path, '/');
  if (name && !strcmp(name, "/flaky") && place(fault, sizeof fault, "fault") && !access(fault, F_OK)) {
    errno = EIO;
    return -1;
  }
  return real_open(path, flags, mode);
}

#define OPEN(NAME) \\
  int NAME(const char *path, int flags, ...) { \\
    va_list rest; \\
    va_start(rest, flags); \\
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \\
    va_end(rest); \\
    return open_or_fail(path, flags, mode); \\
  }

OPEN(open)
#undef open64
OPEN(open64)
`;

/** Returns the variables that shift a program's wall clock, and make reading fail, as the files of a directory say. */
export async function preload(directory: string): Promise<Record<string, string>> {
  const [source, library] = [`${directory}/preload.c`, `${directory}/preload.so`];
  Deno.writeTextFileSync(source, SOURCE);
  const { code, stderr } = await run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"]);
  if (code !== 0) throw new Error(stderr);
  return { LD_PRELOAD: library, NCOLONY_TEST: directory };
}

/** Returns whether the library can be built here, and Deno uses its functions. */
export async function canPreload(): Promise<boolean> {
  if (Deno.build.os !== "linux" || !hasCommand("cc")) return false;
  using dir = tempDir();
  dir.write("shift", "-1000000000");
  dir.write("fault", "");
  const code = `import { openSync } from "node:fs";
    try { openSync(${JSON.stringify(dir.write("flaky", ""))}, 0); } catch (e) { console.log(e.code, Date.now()); }`;
  const script = dir.write("probe.ts", code);
  try {
    const args = ["run", "--no-config", "--no-lock", "--no-prompt", "--allow-read", script];
    const { stdout } = await new Deno.Command(Deno.execPath(), { args, env: await preload(dir.path) }).output();
    const [error, time] = new TextDecoder().decode(stdout).split(" ");
    return error === "EIO" && Math.abs(Number(time) + 1e12 - Date.now()) < 1e8;
  } catch {
    // There are no headers, or libc is another one.
    return false;
  }
}
