export declare const SECONDS: Readonly<Record<string, number | null>>;
export declare const BUDGET: number;
export declare function slowFiles(): string[];
export declare function needsReference(file: string): boolean;
export declare function chooseFiles(seed: string, files?: readonly string[]): string[];
export declare function secondsOf(file: string): number;
