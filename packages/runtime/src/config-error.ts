/** One thing that is wrong with a configuration. Never quotes the value, which may be secret. */
export interface ConfigProblem {
  /** Path of the setting, or name of the unknown thing. */
  readonly path: string;
  /** Where the value came from: `parley.yaml:12`, `PARLEY_IM_MAX_TEXT_CHARS`, `default`, … */
  readonly source: string;
  readonly message: string;
}

/** Everything that is wrong with a configuration, at once. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    const lines = problems.map(p => `  ${p.path} (${p.source}): ${p.message}`);
    super(
      `the configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${lines.join('\n')}`,
    );
    this.problems = problems;
  }
}
