/** Whether somebody's account is in force, and which roles he holds now. */
export interface Standing {
  readonly enabled: boolean;
  /** Numbers of `Role`. */
  readonly roles: readonly number[];
}

/** The directory's word on people, whatever their tokens say. */
export interface StandingReader {
  /** Undefined for an id that is nobody's. Rejects when the directory does not answer. */
  read(personId: string): Promise<Standing | undefined>;
}
