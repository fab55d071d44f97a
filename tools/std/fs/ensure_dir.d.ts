export function ensureDirSync(dir: string | URL): void;
