/** Lets the process look at its messages. @throws EspalierError `cancelled` */
export type Pause = () => Promise<void>;
