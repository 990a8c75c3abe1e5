<?php
declare(strict_types=1);

// The panel's message macros. The first argument is a format, or a pair of symbol and format.

function error($message, ...$arguments): bool
{
	return Error_Reporter::add(Error_Reporter::E_ERROR, $message, $arguments, false);
}

function warn($message, ...$arguments): bool
{
	return Error_Reporter::add(Error_Reporter::E_WARNING, $message, $arguments, true);
}

function info($message, ...$arguments): bool
{
	return Error_Reporter::add(Error_Reporter::E_INFO, $message, $arguments, true);
}

function success($message, ...$arguments): bool
{
	return Error_Reporter::add(Error_Reporter::E_OK, $message, $arguments, true);
}

function debug($message, ...$arguments): bool
{
	return Error_Reporter::add(Error_Reporter::E_DEBUG, $message, $arguments, true);
}

function fatal($message, ...$arguments): void
{
	Error_Reporter::add(Error_Reporter::E_FATAL, $message, $arguments, false);
	Error_Reporter::print_summary();
	exit(255);
}
