import type { Libc } from "./libc.ts";

/** All processes below this one, as far as /proc tells; those that fork meanwhile may be missed. */
export function descendants(libc: Libc): number[] {
  const found: number[] = [];
  const visit = (process: string): void => {
    for (
      const thread of libc.readDirectory(`/proc/${process}/task`).filter((
        name,
      ) => /^\d+$/.test(name))
    ) {
      const children = libc.readFile(`/proc/${process}/task/${thread}/children`) ?? "";
      for (const child of children.split(" ").filter((pid) => pid !== "")) {
        found.push(Number(child));
        visit(child);
      }
    }
  };
  visit("self");
  return found;
}
