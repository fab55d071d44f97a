// @ts-types="./mod.d.ts"
export { dirname } from "npm:deno-std@1.3.0/path/posix/dirname.js";
