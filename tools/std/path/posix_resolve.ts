// @ts-types="./mod.d.ts"
export { resolve } from "npm:deno-std@1.3.0/path/posix/resolve.js";
