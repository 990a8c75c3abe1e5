<?php
declare(strict_types=1);

namespace ApiscpBackup;

/**
 * Everything the module tells a person: pairs of a stable symbol and a text with named placeholders, which `Reply` fills.
 * The symbols of the first block mirror the failure codes of the core, code for code; a test
 * compares the two lists. Text from outside only ever fills a placeholder, it is never a format.
 */
final class Messages
{
	/** Answers of the core: `ERR_<CODE>` for each of its failure codes. */
	const ERR_USAGE = [':err_backup_usage', 'The request is wrong: %(message)s'];
	const ERR_INVALID_SETTINGS = [':err_backup_invalid_settings', 'The backup settings are not valid: %(message)s'];
	const ERR_NOT_ROOT = [':err_backup_not_root', 'Backups need root: %(message)s'];
	const ERR_UNSUPPORTED = [':err_backup_unsupported', 'This cannot be handled here: %(message)s'];
	const ERR_INTERNAL = [':err_backup_internal', 'The backup program failed, please report this: %(message)s'];
	const ERR_CANCELLED = [':err_backup_cancelled', 'Stopped on request: %(message)s'];
	const ERR_LOCKED = [':err_backup_locked', 'Another run is in progress: %(message)s'];
	const ERR_IO_ERROR = [':err_backup_io_error', 'The system refused a read or a write: %(message)s'];
	const ERR_DISK_FULL = [':err_backup_disk_full', 'No space or no quota is left: %(message)s'];
	const ERR_REPOSITORY_MISSING = [':err_backup_repository_missing', 'There is no backup repository: %(message)s'];
	const ERR_REPOSITORY_FOREIGN = [':err_backup_repository_foreign', 'This is not a backup repository: %(message)s'];
	const ERR_REPOSITORY_NEWER = [':err_backup_repository_newer', 'The repository needs a newer version of this plugin: %(message)s'];
	const ERR_REPOSITORY_REPLACED = [':err_backup_repository_replaced', 'Another repository stands there than before: %(message)s'];
	const ERR_REPOSITORY_UNREACHABLE = [':err_backup_repository_unreachable', 'The store of the backups does not answer: %(message)s'];
	const ERR_REPOSITORY_REFUSED = [':err_backup_repository_refused', 'The store of the backups refuses this: %(message)s'];
	const ERR_REPOSITORY_DAMAGED = [':err_backup_repository_damaged', 'The repository is damaged: %(message)s'];
	const ERR_HISTORY_MISSING = [':err_backup_history_missing', 'A part of the history is gone: %(message)s'];
	const ERR_IDENTITY_MISSING = [':err_backup_identity_missing', 'The backups are encrypted, and this server has no key to read them: %(message)s'];
	const ERR_IDENTITY_WRONG = [':err_backup_identity_wrong', 'The key does not open these backups: %(message)s'];
	const ERR_PROOF_FAILED = [':err_backup_proof_failed', 'What was stored is not what the backup would have recorded: %(message)s'];
	const ERR_OBJECT_EXISTS = [':err_backup_object_exists', 'The repository already holds this object: %(message)s'];
	const ERR_SERVER_UNKNOWN = [':err_backup_server_unknown', 'No such server in the repository: %(message)s'];
	const ERR_SERVER_CONTESTED = [':err_backup_server_contested', 'Another machine may back up as this server: %(message)s'];
	const ERR_NEEDS_CONFIRMATION = [':err_backup_needs_confirmation', 'This has to be confirmed: %(message)s'];
	const ERR_UNIT_UNKNOWN = [':err_backup_unit_unknown', 'No such account: %(message)s'];
	const ERR_ROOT_MISSING = [':err_backup_root_missing', 'What was backed up before is not there any more: %(message)s'];
	const ERR_UNIT_CRASHED = [':err_backup_unit_crashed', 'The backup program ended while it worked on this account: %(message)s'];
	const ERR_SNAPSHOT_UNKNOWN = [':err_backup_snapshot_unknown', 'No such backup: %(message)s'];
	const ERR_PATH_UNKNOWN = [':err_backup_path_unknown', 'The backup does not have this path: %(message)s'];
	const ERR_CHAIN_BROKEN = [':err_backup_chain_broken', 'A backup that this one builds on is missing or unusable: %(message)s'];
	const ERR_UNSAFE_PATH = [':err_backup_unsafe_path', 'This path could lead outside its target: %(message)s'];
	const ERR_TARGET_IN_THE_WAY = [':err_backup_target_in_the_way', 'Something else is in the way: %(message)s'];
	const ERR_UNREADABLE = [':err_backup_unreadable', 'This could not be read: %(message)s'];
	const ERR_CHANGED_WHILE_READ = [':err_backup_changed_while_read', 'A file changed each time it was read: %(message)s'];
	const ERR_VANISHED = [':err_backup_vanished', 'A file disappeared while it was read: %(message)s'];
	const ERR_REPLACED = [':err_backup_replaced', 'A file was replaced while it was read: %(message)s'];
	const ERR_MOUNT_SKIPPED = [':err_backup_mount_skipped', 'A mount inside the account was skipped: %(message)s'];
	const ERR_UNSEEN_KEPT = [':err_backup_unseen_kept', 'Kept, because the backup does not say what was there: %(message)s'];
	const ERR_STAGING_LEFT = [':err_backup_staging_left', 'A folder of the restore itself could not be removed: %(message)s'];
	const ERR_PROTECTION_LEFT = [':err_backup_protection_left', 'A restore that was killed had left a folder without its protection: %(message)s'];
	const ERR_STILL_HIDDEN = [':err_backup_still_hidden', 'Something still hides what the template has: %(message)s'];
	const ERR_CONTENT_MISSING = [':err_backup_content_missing', 'The backup has the entry but not its content: %(message)s'];
	const ERR_DIGEST_MISMATCH = [':err_backup_digest_mismatch', 'Content differs from its recorded digest: %(message)s'];
	const ERR_ATTRIBUTE_REFUSED = [':err_backup_attribute_refused', 'The target refused an attribute: %(message)s'];
	const ERR_DATABASE_UNREACHABLE = [':err_backup_database_unreachable', 'A database server does not answer: %(message)s'];
	const ERR_DATABASE_FAILED = [':err_backup_database_failed', 'A database could not be dumped: %(message)s'];
	const ERR_DATABASE_EXPORT_FAILED = [':err_backup_database_export_failed', 'The panel\'s own export of databases failed: %(message)s'];
	const ERR_DATABASE_INCOMPLETE = [':err_backup_database_incomplete', 'A part of a database could not be dumped: %(message)s'];
	const ERR_RAW_DATABASE_REFUSED = [':err_backup_raw_database_refused', 'Live database files cannot be backed up as files: %(message)s'];
	const ERR_DATABASE_UNKNOWN = [':err_backup_database_unknown', 'The snapshot has no such database: %(message)s'];
	const ERR_DATABASE_EXISTS = [':err_backup_database_exists', 'A database of this name is already there: %(message)s'];
	const ERR_DATABASE_BUSY = [':err_backup_database_busy', 'Others hold a database that was to be replaced: %(message)s'];
	const ERR_DATABASE_REFUSED = [':err_backup_database_refused', 'The database server refused a statement: %(message)s'];
	const ERR_DATABASE_DIFFERS = [':err_backup_database_differs', 'What was loaded is not what the snapshot recorded: %(message)s'];
	const ERR_DATABASE_LEFT = [':err_backup_database_left', 'Something of a database could not be brought along or taken away: %(message)s'];
	const ERR_DUMP_REFUSED = [':err_backup_dump_refused', 'A dump holds what no dump of a database holds: %(message)s'];
	const ERR_OWNER_NOT_ALLOWED = [':err_backup_owner_not_allowed', 'Only the administrator can restore this: %(message)s'];
	const ERR_OWNER_LIMIT = [':err_backup_owner_limit', 'Try again later, or ask the administrator: %(message)s'];
	const ERR_JOB_UNKNOWN = [':err_backup_job_unknown', 'No such job: %(message)s'];
	const ERR_JOB_LOST = [':err_backup_job_lost', 'The job ended without a result: %(message)s'];
	const ERR_TOO_MANY_JOBS = [':err_backup_too_many_jobs', 'Try again when a job has ended: %(message)s'];
	const ERR_RETENTION_GUARD = [':err_backup_retention_guard', 'A safety rule of retention stopped the deletion: %(message)s'];

	/** What the core notices on the way: `NOTE_<CODE>` for each of its words for that. */
	const NOTE_ANSWER_SHORTENED = [':note_backup_answer_shortened', 'An answer was too large for one message, and a part of its warnings was left out: %(message)s'];
	const NOTE_AUTOMATIC_EXPORTS = [':note_backup_automatic_exports', 'The panel\'s nightly exports of databases go on beside those of the backups: %(message)s'];
	const NOTE_BEGUN = [':note_backup_begun', 'A job begins: %(message)s'];
	const NOTE_COMPACTION_SKIPPED = [':note_backup_compaction_skipped', 'Objects were not written anew, and take more room than they need: %(message)s'];
	const NOTE_ENDED = [':note_backup_ended', 'A job has ended: %(message)s'];
	const NOTE_HISTORY_ACCEPTED = [':note_backup_history_accepted', 'Backups are missing, and somebody accepted that: %(message)s'];
	const NOTE_KEYS_CHANGED = [':note_backup_keys_changed', 'Backups are encrypted for others than before: %(message)s'];
	const NOTE_LINK_FOLLOWED = [':note_backup_link_followed', 'A link of root to the place of an account was followed: %(message)s'];
	const NOTE_MANIFEST_FETCHED = [':note_backup_manifest_fetched', 'A record of files was fetched from the repository, because the local copy was lost: %(message)s'];
	const NOTE_MENDED = [':note_backup_mended', 'A damaged or missing object of the repository was put back as it was: %(message)s'];
	const NOTE_NOT_AUTHENTICATED = [':note_backup_not_authenticated', 'Signatures cannot be compared with a known key of the server: %(message)s'];
	const NOTE_NOT_TOLD = [':note_backup_not_told', 'Somebody could not be told how the backups stand: %(message)s'];
	const NOTE_PAUSED = [':note_backup_paused', 'A backup pauses, because the load is high: %(message)s'];
	const NOTE_PAUSED_TOO_LONG = [':note_backup_paused_too_long', 'A backup goes on although the load is high still: %(message)s'];
	const NOTE_PRIORITY_KEPT = [':note_backup_priority_kept', 'The priority of a process could not be lowered: %(message)s'];
	const NOTE_REPLACED_DATABASES = [':note_backup_replaced_databases', 'Databases that a restore has replaced are not backed up: %(message)s'];
	const NOTE_RESTORE_SETTLED = [':note_backup_restore_settled', 'A database was put back as it was before a restore that had died: %(message)s'];
	const NOTE_SERVER_FOUNDED = [':note_backup_server_founded', 'This machine begins backups of its own in a repository that has others: %(message)s'];
	const NOTE_SERVER_FOREIGN = [':note_backup_server_foreign', 'The backups are another server\'s: %(message)s'];
	const NOTE_RESUMED = [':note_backup_resumed', 'A backup goes on after a pause: %(message)s'];
	const NOTE_SERVER_OTHERS = [':note_backup_server_others', 'The repository has backups of other servers, too: %(message)s'];
	const NOTE_STATE_LOST = [':note_backup_state_lost', 'What the state directory knew of the last backup is lost: %(message)s'];
	const NOTE_STATE_UNUSABLE = [':note_backup_state_unusable', 'The state directory cannot be read or written: %(message)s'];
	const NOTE_TIME_ZONE_UNKNOWN = [':note_backup_time_zone_unknown', 'The time zone is not known, and UTC is meant: %(message)s'];
	const NOTE_UNIT_CONTINUED = [':note_backup_unit_continued', 'An account in a new folder goes on where its backups were: %(message)s'];
	const NOTE_UNIT_EARLIER = [':note_backup_unit_earlier', 'Earlier accounts had this name: %(message)s'];
	const NOTE_UNIT_REFUSED = [':note_backup_unit_refused', 'The system\'s service manager did not take a job, which has a process of its own instead: %(message)s'];
	const NOTE_UNIT_RENAMED = [':note_backup_unit_renamed', 'An account has another domain than at its last backup: %(message)s'];
	const NOTE_UNIT_RENEWED = [':note_backup_unit_renewed', 'An account was made anew: %(message)s'];
	const NOTE_UNREAD = [':note_backup_unread', 'A line that came in is no request: %(message)s'];
	const NOTE_WAITING = [':note_backup_waiting', 'Another operation is under way, and this one waits for it: %(message)s'];

	/** The way to the core. */
	const ERR_CORE_MISSING = [':err_backup_core_missing', 'The backup program cannot be started: %(message)s'];
	const ERR_CORE_UNTRUSTED = [':err_backup_core_untrusted', 'The backup program is not started: %(message)s'];
	const ERR_CORE_SILENT = [':err_backup_core_silent', 'The backup program ended without an answer: %(message)s'];
	const ERR_CORE_GARBAGE = [':err_backup_core_garbage', 'The backup program gave an answer that cannot be understood: %(message)s'];
	const ERR_WORKER_LOST = [
		':err_backup_worker_lost',
		'The panel\'s worker ended, or took too long, before it answered `%(command)s\'; it may have done part of its work',
	];

	/** Who may, and what. */
	const ERR_DEMO = [':err_backup_demo', 'Backups are not available in a demonstration account'];
	const ERR_OTHER_SITE = [':err_backup_other_site', 'Only your own site is available, not `%(site)s\''];
	const ERR_SITE_UNKNOWN = [':err_backup_site_unknown', 'No site matches `%(site)s\'. By a domain that it had, backup:list finds its backups'];
	const ERR_SITE_AMBIGUOUS = [':err_backup_site_ambiguous', '`%(site)s\' stands for several sites: %(candidates)s'];
	const ERR_SITE_NEEDED = [':err_backup_site_needed', 'Name the one site that is meant, such as site12 or example.com'];
	const ERR_ALL_NEEDED = [':err_backup_all_needed', 'Name a site, or say `all\' for the whole server'];
	const ERR_OWNER_LEVEL = [':err_backup_owner_level', 'An account cannot ask for the level `%(level)s\': the schedule decides. Omit the level'];
	const ERR_BAD_ARGUMENT = [':err_backup_bad_argument', '`%(argument)s\' is not %(expected)s'];
	const ERR_EXTRA_ARGUMENT = [':err_backup_extra_argument', 'One argument too many, `%(argument)s\'; the command is %(usage)s'];
	const ERR_OPTIONS_MISPLACED = [
		':err_backup_options_misplaced',
		'`%(option)s\' is an option and stands in the place of a path; the command is %(usage)s',
	];
	const ERR_BAD_PATH = [':err_backup_bad_path', 'Not a path inside a backup: `%(path)s\'%(hint)s'];
	const ERR_OWNER_PATH = [':err_backup_owner_path', 'An account can name only paths below `shadow\', not `%(path)s\'. Did you mean %(meant)s?'];
	const ERR_OWNER_TARGET = [':err_backup_owner_target', 'The target must be a new folder directly in %(home)s, not `%(path)s\''];
	const ERR_BAD_OPTION = [':err_backup_bad_option', 'Option `%(option)s\' %(problem)s'];
	const ERR_BAD_SETTING = [':err_backup_bad_setting', '`%(scope)s\' cannot take `%(value)s\'; it takes %(example)s'];
	const ERR_SETTING_EMPTIED = [
		':err_backup_setting_emptied',
		'`%(scope)s\' cannot take `%(value)s\': `%(name)s\' is empty in it, as when a variable is not set. What is left out has its default; it takes %(example)s',
	];
	const ERR_SETTING_REFUSED = [':err_backup_setting_refused', '%(message)s The Scope takes %(example)s'];
	const ERR_SETTING_UNKNOWN = [':err_backup_setting_unknown', 'The value of `%(scope)s\' cannot be read: %(message)s'];

	/** Outcomes that are no failures of the whole. */
	const WARN_PARTIAL = [':warn_backup_partial', 'Partly done: the result names what is missing and why. The first: %(first)s'];
	const ERR_FAILED = [':err_backup_failed', 'Nothing was completed: the result says why. The first: %(first)s'];
	const ERR_UNWELL = [':err_backup_unwell', 'Something that backups need is wrong: the result says what to do. The first: %(first)s'];
	const ERR_DAMAGED = [':err_backup_damaged', 'Damaged objects in the repository: %(objects)s. The first: %(first)s'];

	/**
	 * The pair for a code, of the core or of this module; a code that a newer core may have is `internal`.
	 *
	 * @param string $code such as `locked`
	 * @return array{0: string, 1: string}
	 */
	public static function forCode(string $code): array
	{
		$constant = self::class . '::ERR_' . strtoupper($code);

		return \defined($constant) ? \constant($constant) : self::ERR_INTERNAL;
	}

	/**
	 * The pair for what the core noticed: a word of its own for that, or a failure that stopped nothing. Of a newer core the message stands alone.
	 *
	 * @return array{0: string, 1: string}
	 */
	public static function forNotice(string $code): array
	{
		$note = self::class . '::NOTE_' . strtoupper($code);
		$error = self::class . '::ERR_' . strtoupper($code);

		return \defined($note) ? \constant($note) : (\defined($error) ? \constant($error) : ['', '%(message)s']);
	}
}
