// @ts-types="./mod.d.ts"
export { join } from "npm:deno-std@1.3.0/path/posix/join.js";
