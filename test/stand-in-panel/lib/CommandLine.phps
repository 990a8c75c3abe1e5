<?php
declare(strict_types=1);

/** Runs a command line of cpcmd: options, then `module:function` and its arguments, more commands after a `;`. */
class CommandLine
{
	private const INPUT_FORMATS = ['cli', 'json', 'serialize'];
	private const OUTPUT_FORMATS = ['yaml', 'json', 'cli', 'serialize', 'print', 'var_dump'];
	private const OPTIONS_WITH_VALUE = ['-d' => 'domain', '-u' => 'user', '-i' => 'input', '-o' => 'output'];

	/**
	 * @param string[] $words
	 * @return int exit status: 0, or 1 when an error was reported
	 */
	public static function run(array $words): int
	{
		$options = ['domain' => null, 'user' => null, 'input' => 'cli', 'output' => 'yaml'];
		while ($words !== [] && isset(self::OPTIONS_WITH_VALUE[$words[0]])) {
			$option = array_shift($words);
			$options[self::OPTIONS_WITH_VALUE[$option]] = array_shift($words);
		}
		if (($words[0] ?? '') === '-l') {
			$words[0] = 'misc:list-commands';
		}
		try {
			if (!in_array($options['input'], self::INPUT_FORMATS, true) || !in_array($options['output'], self::OUTPUT_FORMATS, true)) {
				throw new InvalidArgumentException('unknown format');
			}
			$entry = apnscpFunctionInterceptor::factory(Auth::context($options['user'], $options['domain']));
			foreach (self::commands($words) as [$command, $arguments]) {
				$parsed = array_map([CommandArguments::class, $options['input']], $arguments);
				fwrite(STDOUT, CommandOutput::{$options['output']}($entry->call($command, $parsed, false)));
			}
		} catch (InvalidArgumentException $wrong) {
			error('%s', $wrong->getMessage());
		}
		Error_Reporter::print_summary();

		return Error_Reporter::is_error() ? 1 : 0;
	}

	/** @return array<int, array{0: string, 1: string[]}> the commands as module_method, with their arguments */
	private static function commands(array $words): array
	{
		$commands = [[]];
		foreach ($words as $word) {
			if ($word === ';') {
				$commands[] = [];
			} else {
				$commands[count($commands) - 1][] = $word;
			}
		}

		return array_map(static function (array $command): array {
			$name = array_shift($command) ?? '';

			return [str_replace(['-', ':'], '_', $name), $command];
		}, $commands);
	}
}
