export function neutralise(env: NodeJS.ProcessEnv): void;
export function faultOfFolder(path: string): string | undefined;
