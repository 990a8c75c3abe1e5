<?php
// >>> apiscp-backup
\exec('/usr/libexec/apiscp-backup/packaging/hooks/account-hook EVENT ' . \escapeshellarg((string)($argv[1] ?? $_SERVER['argv'][1] ?? '')));
// <<< apiscp-backup
