import type { ChildOutput, Tail } from "@ncolony/host";

/** Returns an output that also keeps the end of stderr. */
export function withTail(output: ChildOutput, tail: Tail): ChildOutput {
  return {
    ...output,
    stderr: (bytes) => {
      tail.push(bytes);
      return output.stderr(bytes);
    },
  };
}
