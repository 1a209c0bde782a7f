// Every knob is an environment variable; a missing or bad one stops the run before anything is loaded.

/** Reads and checks all knobs; throws one error that names every problem. */
export function knobs(env) {
  const problems = [];
  const text = (name, what) => {
    if (env[name]) return env[name];
    problems.push(`${name} is missing: ${what}`);
    return '';
  };
  const number = (name, standard, least, most, what) => {
    const value = env[name] === undefined || env[name] === '' ? standard : Number(env[name]);
    if (!(value >= least && value <= most))
      problems.push(`${name} is "${env[name] === undefined ? '' : env[name]}": ${what}, ${least} to ${most}`);
    return value;
  };
  const duration = name => {
    const match = /^(\d+)(s|m|h)$/.exec(env[name] || '60s');
    if (match) return Number(match[1]) * { s: 1, m: 60, h: 3600 }[match[2]];
    problems.push(`${name} is "${env[name]}": a number with s, m or h, for example 60s`);
    return 0;
  };
  const found = {
    target: text('PARLEY_GRPC_TARGET', 'host:port of the native gRPC listener'),
    accounts: text('PARLEY_ACCOUNTS', 'JSON file, [{"id", "address", "password", "displayName"}, …]'),
    users: number('USERS', NaN, 2, 100_000, 'people who are signed in'),
    seconds: duration('DURATION'),
    endpointsPerUser: number('ENDPOINTS_PER_USER', 1.9, 1, 8, 'devices of each person'),
    contacts: number('CONTACTS', 80, 0, 250, 'people on each contact list'),
    rate: number('RATE', 1, 0.01, 1_000, 'times the rates of the user model'),
    signInsPerSecond: number('SIGN_INS_PER_SECOND', 12, 0.1, 1_000, 'sign-ins in a second while all arrive'),
    seed: number('SEED', 1, 0, 4_294_967_295, 'where the random numbers begin'),
    tls: (env.TLS || 'off') === 'on',
    summary: env.SUMMARY || '',
  };
  if (env.TLS !== undefined && env.TLS !== 'on' && env.TLS !== 'off') problems.push(`TLS is "${env.TLS}": on or off`);
  if (problems.length > 0) throw new Error(`the load cannot begin:\n  ${problems.join('\n  ')}`);
  return found;
}
