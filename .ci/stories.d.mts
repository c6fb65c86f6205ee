export declare const SECONDS: Readonly<Record<string, number>>;
export declare const BUDGET: number;
export declare function storyNames(): string[];
export declare function chooseStories(seed: string, names?: readonly string[]): string[];
