<?php
declare(strict_types=1);

class Misc_Module extends Module_Skeleton
{
	protected $exportedFunctions = ['*' => PRIVILEGE_ALL];

	/** Commands of this role that match a glob. */
	public function list_commands(string $filter = ''): array
	{
		$names = array_keys(apnscpFunctionInterceptor::factory($this->getAuthContext())->commands());

		return array_values(array_filter($names, static function (string $name) use ($filter): bool {
			return $filter === '' || fnmatch($filter, $name);
		}));
	}

	/** What is known of the commands that match a glob: docblock and signature. */
	public function command_info(string $filter = ''): array
	{
		$info = [];
		foreach (apnscpFunctionInterceptor::factory($this->getAuthContext())->commands() as $name => $method) {
			if ($filter === '' || fnmatch($filter, $name)) {
				$info[$name] = [
					'doc' => (string)$method->getDocComment(),
					'parameters' => array_map('strval', $method->getParameters()),
					'min' => $method->getNumberOfRequiredParameters(),
					'max' => $method->getNumberOfParameters(),
					'return' => self::named($method->getReturnType()),
				];
			}
		}

		return $info;
	}

	private static function named(?ReflectionType $type): string
	{
		return $type instanceof ReflectionNamedType ? ($type->allowsNull() && $type->getName() !== 'mixed' ? '?' : '') . $type->getName() : '';
	}
}
