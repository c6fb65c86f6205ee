/** Lets one wait for a while, or until it is rung; a ring before the wait counts. */
export class Bell {
  private wake: (() => void) | undefined;
  private isRung = false;

  ring(): void {
    this.isRung = true;
    this.wake?.();
  }

  async wait(milliseconds: number): Promise<void> {
    if (!this.isRung) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, milliseconds);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.wake = undefined;
    this.isRung = false;
  }
}
