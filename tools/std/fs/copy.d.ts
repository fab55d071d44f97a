/** The options of the original that this project uses. */
export interface CopyOptions {
  overwrite?: boolean;
  preserveTimestamps?: boolean;
}
export function copySync(src: string | URL, dest: string | URL, options?: CopyOptions): void;
