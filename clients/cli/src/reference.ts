import type { Argument, Command, Option } from 'commander';
import { EXIT_CODE_TEXTS } from './exit-codes.ts';
import { examplesFor } from './shell.ts';

/** The reference of a program as Markdown: every command with arguments, options and examples. */
export function cliReference(program: Command, environment: readonly (readonly [string, string])[]): string {
  const lines = [
    program.description(),
    '',
    'People are named by address or by id everywhere. Passwords are asked for on the terminal, or come from standard',
    'input, a file or the environment, never from an argument. With `--json`, results are one JSON value, or one JSON',
    'line each where a command goes on; failures are `{"error": {"code", "message", "field", "requestId"}}` on standard',
    'error. Codes are those of the errors reference.',
    '',
    '## Options of every command',
    '',
    ...optionTable(program.options),
    '',
    '## Commands',
    '',
    ...leaves(program).flatMap(command => section(program, command)),
    '## Exit codes',
    '',
    '| code | meaning |',
    '|---|---|',
    ...EXIT_CODE_TEXTS.map(([code, text]) => `| ${code} | ${cell(text)} |`),
    '',
    '## Environment',
    '',
    '| variable | meaning |',
    '|---|---|',
    ...environment.map(
      ([name, text]) =>
        `| ${name
          .split(', ')
          .map(n => `\`${n}\``)
          .join(', ')} | ${cell(text)} |`,
    ),
  ];
  return `${lines.join('\n')}\n`;
}

/** Commands that do something, in the order of the help. */
function leaves(command: Command): Command[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .filter(c => c.name() !== 'help')
    .flatMap(child => (child.commands.length > 0 ? leaves(child) : [child]));
}

function section(program: Command, command: Command): string[] {
  const path = pathOf(program, command);
  const options = command.options.filter(option => !option.hidden);
  const examples = examplesFor(command);
  return [
    `### \`${['parleyctl', path, ...command.registeredArguments.map(argumentText)].join(' ')}\``,
    '',
    `${sentence(command.description())}`,
    '',
    ...(command.registeredArguments.length > 0
      ? ['| argument | meaning |', '|---|---|', ...command.registeredArguments.map(argumentRow), '']
      : []),
    ...(options.length > 0 ? [...optionTable(options), ''] : []),
    ...(examples.length > 0 ? ['```sh', ...examples, '```', ''] : []),
  ];
}

function pathOf(program: Command, command: Command): string {
  const names: string[] = [];
  for (let at: Command | null = command; at && at !== program; at = at.parent) names.unshift(at.name());
  return names.join(' ');
}

function argumentText(argument: Argument): string {
  const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
  return argument.required ? `<${name}>` : `[${name}]`;
}

function argumentRow(argument: Argument): string {
  const choices = argument.argChoices ? `: ${argument.argChoices.map(c => `\`${c}\``).join(', ')}` : '';
  return `| \`${argument.name()}\` | ${cell(argument.description)}${choices} |`;
}

function optionTable(options: readonly Option[]): string[] {
  return ['| option | meaning |', '|---|---|', ...options.map(optionRow)];
}

function optionRow(option: Option): string {
  const choices = option.argChoices ? ` (${option.argChoices.join(', ')})` : '';
  const shown = option.defaultValue !== undefined && option.defaultValue !== false && !option.negate;
  const empty = Array.isArray(option.defaultValue) && option.defaultValue.length === 0;
  const value = option.long === '--timeout' ? '10s' : String(option.defaultValue);
  const standard = shown && !empty ? `; default \`${value}\`` : '';
  return `| \`${option.flags}\` | ${cell(option.description)}${choices}${standard} |`;
}

const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
const cell = (text: string) => text.replaceAll('|', '\\|');
