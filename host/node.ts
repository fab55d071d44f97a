/**
 * Node's modules, loaded on first use. An import, even a dynamic one, or an early use of `process`, would make Deno prepare
 * them whenever a program starts, which takes 20 to 50 ms.
 */
export const NODE = {
  // deno-lint-ignore no-process-global -- see above
  fs: lazy(() => process.getBuiltinModule("node:fs")),
  // deno-lint-ignore no-process-global -- see above
  http: lazy(() => process.getBuiltinModule("node:http")),
  // deno-lint-ignore no-process-global -- see above
  https: lazy(() => process.getBuiltinModule("node:https")),
  // deno-lint-ignore no-process-global -- see above
  net: lazy(() => process.getBuiltinModule("node:net")),
  // deno-lint-ignore no-process-global -- see above
  tls: lazy(() => process.getBuiltinModule("node:tls")),
} as const;

/** While the first one loads, Deno looks up its own path, and panics if `/proc` is not mounted. */
function lazy<T>(load: () => T): () => T {
  let module: T | null = null;
  return () => {
    if (module !== null) return module;
    const { execPath } = Deno;
    defineExecPath(() => "deno");
    try {
      return module = load();
    } finally {
      defineExecPath(execPath);
    }
  };
}

function defineExecPath(value: () => string): void {
  Object.defineProperty(Deno, "execPath", { value, configurable: true, enumerable: true, writable: true });
}
