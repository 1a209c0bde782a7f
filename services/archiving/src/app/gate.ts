/** Lets a number of things be under way at a time; `refuse` says that there are too many. */
export function createGate(most: number, refuse: (most: number) => Error) {
  let running = 0;
  return {
    enter(): () => void {
      if (running >= most) throw refuse(most);
      running++;
      let left = false;
      return () => {
        if (!left) running--;
        left = true;
      };
    },
  };
}

export type Gate = ReturnType<typeof createGate>;
