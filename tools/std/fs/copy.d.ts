/** The part of the original's options that is used here. */
export interface CopyOptions {
  overwrite?: boolean;
  preserveTimestamps?: boolean;
}
export function copySync(src: string | URL, dest: string | URL, options?: CopyOptions): void;
