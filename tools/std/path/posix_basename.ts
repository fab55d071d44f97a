// @ts-types="./mod.d.ts"
export { basename } from "npm:deno-std@1.3.0/path/posix/basename.js";
