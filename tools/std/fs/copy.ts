// @ts-types="./copy.d.ts"
export * from "npm:deno-std@1.3.0/fs/copy.js";
