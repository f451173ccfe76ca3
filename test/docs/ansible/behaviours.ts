/** A behaviour of the integration tests of another tool that Provision could not express at first. */
export interface Behaviour {
  readonly what: string
  /** The file of the test that proves it, and its title. Undefined if it still cannot be expressed. */
  readonly test?: readonly [file: string, title: string]
}

const ACCOUNTS = 'test/integration/system/accounts.ts'
const ACCOUNT_ROWS = 'test/resources/account-rows.ts'
const ACCOUNT_TEST = 'test/resources/system/accounts.test.ts'
const DOWNLOADS = 'test/integration/downloads.test.ts'
const EDIT_ROWS = 'test/resources/edit-rows.ts'
const EDITS = 'test/resources/files/edits.test.ts'
const FILES = 'test/resources/files/files.test.ts'
const GIT = 'test/resources/git.test.ts'
const OWNERSHIP = 'test/resources/files/ownership.test.ts'
const PACKAGES = 'test/integration/package-kinds.test.ts'
const PACKAGE_ROWS = 'test/resources/package-rows.ts'
const TEXTS = 'test/integration/text-kinds.test.ts'
const TREE = 'test/resources/files/tree.test.ts'
const UNITS = 'test/integration/system/units.ts'

/** All of them, most wanted first. */
export const BEHAVIOURS: readonly Behaviour[] = [
  by('a package is absent', PACKAGES, 'are not removed together with others, unless the step names those too'),
  by('a package is purged', PACKAGES, 'leave their configuration files, until they are purged'),
  by('a package that is absent already is no change', PACKAGE_ROWS, 'packages that should not be there, and are not'),
  by('a user is absent', ACCOUNT_ROWS, 'a user to remove'),
  by('a user is absent, with the home directory', ACCOUNTS, 'no user, and the home directory moved away'),
  by('a group is absent', ACCOUNTS, 'no group'),

  by('lines that match are absent', EDITS, 'removes each line with the text, or that matches'),
  by('an exact line is absent', EDITS, 'removes each line with the text, or that matches'),
  by(
    'a file without the line is not changed',
    EDITS,
    'does not change a file without such lines, even one without a last line feed, and creates none',
  ),
  by('a known host is absent', EDIT_ROWS, 'the key of a host that is no longer wanted'),
  by('an authorized key is absent', ACCOUNT_ROWS, 'a key that is there twice, and one that must go'),

  by('a user has a uid', ACCOUNTS, 'a home that moves, and another uid'),
  by('a uid of another user is refused', ACCOUNT_TEST, 'cannot have the uid of another user, nor a group its gid'),
  by('a user has a password hash', ACCOUNT_ROWS, 'a user with another password, which is locked'),
  by('the same password is no change', ACCOUNT_ROWS, 'a user with the password that is wanted'),
  by(
    'a new account alone gets a password',
    ACCOUNTS,
    'an initial password, which does not replace another, and a lock',
  ),
  by('a password is locked', ACCOUNT_ROWS, 'a user who is to be locked'),
  by('a password is unlocked', ACCOUNTS, 'an unlocked password'),
  by('an account expires, or never', ACCOUNTS, 'a regular user, whose home is made from /etc/skel'),
  by('a user has an exact set of groups', ACCOUNTS, 'exclusive groups'),
  by('groups are added to those of a user', ACCOUNTS, 'groups, added to the others'),
  by('a home is made from /etc/skel', ACCOUNTS, 'a regular user, whose home is made from /etc/skel'),
  by('a missing home of an account is made', ACCOUNT_ROWS, 'a regular user without a home directory'),
  by('a home is moved', ACCOUNTS, 'a home that moves, and another uid'),
  by('a home is declared and not made', ACCOUNTS, 'a home of a system account, which does not take the old one along'),
  by('a user has a comment', ACCOUNTS, 'a regular user, whose home is made from /etc/skel'),
  by('a group has a gid', ACCOUNTS, 'a group with a gid, which another may not have'),
  by('a gid of another group is refused', ACCOUNTS, 'a gid that is taken'),
  by('a group gets another gid', ACCOUNT_ROWS, 'a group with another gid'),

  by('owner and mode of a file without its content', OWNERSHIP, 'change owner and mode alone'),
  by('the group alone', EDIT_ROWS, 'a group alone'),
  by('owner and mode of a tree', EDIT_ROWS, 'attributes of a tree of which entries differ'),
  by(
    'execute bits of directories and programs alone',
    OWNERSHIP,
    'of a tree keep execute bits of directories and programs, and never follow links',
  ),
  by(
    'links of a tree are not followed',
    TEXTS,
    'give a tree to a user that the same run creates, but nothing behind a link',
  ),
  by('a path that is missing is an error', OWNERSHIP, 'of a path that is missing or a link are a Problem'),
  by('a file is there, whatever its content is', OWNERSHIP, 'creates a file, and leaves one that is there as it is'),
  { what: 'a new content leaves owner and mode as they are' },

  by('a file is made once and then left alone', EDIT_ROWS, 'a file that is made once, and is another by now'),
  by(
    'other steps edit a file that is made once',
    OWNERSHIP,
    'allows other steps to edit the file, and rejects a directory',
  ),
  by('a download is made once', DOWNLOADS, 'fetch a file only if it is missing, on request'),

  by(
    'a directory of this machine is on the host',
    TREE,
    'is created with contents, links, empty directories, and execute bits for those that may read',
  ),
  by('of a directory only what differs is sent', TREE, 'sends only what differs, and leaves other entries'),
  by(
    'other files of the directory are removed',
    TREE,
    'that is exclusive moves others to the removed files, and shows them',
  ),
  by('a directory is kept equal', TEXTS, 'keep a tree equal, and move what is strange in it away'),

  by(
    'a line is added after another',
    EDITS,
    'is added after the last matching line, before the first, or at the beginning',
  ),
  by(
    'a line is added before another',
    EDITS,
    'is added after the last matching line, before the first, or at the beginning',
  ),
  by('a line is the first', EDITS, 'is added after the last matching line, before the first, or at the beginning'),
  by('a line is made from the match', EDITS, 'keeps the groups, in each matching line'),
  by('a place that is not there is an error', EDITS, 'is a Problem if no line matches the place'),

  by('a block between marks', EDITS, 'is added at the end or at its place, and replaced where it is'),
  by('a block is absent', EDIT_ROWS, 'a block that is to go'),
  by('several blocks in one file', EDITS, 'is distinct from blocks of other ids, also of a longer one'),
  by('all matches of a file are replaced', EDITS, 'replaces all matches in the whole text, with groups'),
  by(
    'an edited file is validated before it is in place',
    TEXTS,
    'are checked by sshd before they are in place, and keep its other lines',
  ),

  by('a download with a checksum', DOWNLOADS, 'fetch a file once, and again when its checksum changes'),
  by(
    'a download with another checksum changes nothing',
    DOWNLOADS,
    'leave the file as it is if the server has another content, or none',
  ),
  by('a download with headers', DOWNLOADS, 'send headers that no process list shows, with curl and with wget'),
  by('an archive of this machine is unpacked', DOWNLOADS, 'is unpacked once, without its leading directories'),
  by(
    'an archive of the host is unpacked',
    DOWNLOADS,
    'of the host is verified first; a directory of another origin stays',
  ),
  by(
    'a repository is checked out at a version',
    GIT,
    'moves to older and newer commits, and to the commit of an annotated tag',
  ),
  by(
    'local changes of a checkout are kept or discarded',
    GIT,
    'with changes is an error, or they are put aside; other files stay',
  ),
  by('a file of the host is copied', OWNERSHIP, 'follows its original, or copies it once'),
  { what: 'a file of the host is fetched to this machine' },

  by('a package in a version', PACKAGES, 'install the newest version that fits a pattern, and keep it'),
  by('an older version of a package', PACKAGES, 'refuse an older version unless a downgrade is allowed'),
  by('the newest version of one package', PACKAGES, 'upgrade to the newest version of the sources'),
  by('a package on hold', PACKAGES, 'keep a package on hold, also from an upgrade, and release it'),
  by('a package of a .deb file', PACKAGES, 'are installed from a file of the host, and again in another version'),
  by('a package with those that it recommends', PACKAGES, 'install those that they recommend, on request'),
  by('lists of packages by their age', PACKAGES, 'are seen if a file below /etc/apt is newer than the lists'),
  by('answers to debconf', PACKAGES, 'give the answers to debconf, which no process list shows, and install with them'),
  by(
    'an installation may remove nothing that the plan does not name',
    PACKAGES,
    'show in the plan which packages apt removes for another, and remove no others',
  ),
  { what: 'dependencies that nothing needs any longer are removed' },

  by('a service is enabled, whatever its state is', UNITS, 'a unit that is enabled and not started'),
  by('a service runs, whatever it does at boot', UNITS, 'a unit that is started, and stays enabled or not'),
  by('a service is masked', UNITS, 'a masked unit of a package'),

  { what: 'steps that run after others have failed' },
  by(
    'handlers run in the middle of a play',
    'test/engine/apply/wrapped-steps.test.ts',
    'runs the handlers that were notified before it, and those after it at the end',
  ),
  { what: 'steps on this machine without a host of the inventory' },
  { what: 'files that another user than root writes' },
  by('a file that is replaced is kept', FILES, 'copies a replaced file with backup, in a transaction too'),
]

function by(what: string, file: string, title: string): Behaviour {
  return { what, test: [file, title] }
}
