"""One atomic write of a vault file, safe against saves of an editor at the same moment.

Read again and compare with what the plan saw; journal the file as it was; write a hidden
temporary file beside it; compare once more; exchange the two, in one step where the system can;
look at what came out, and swap back if a student had saved in between; flush.
At every moment the file is the old one or the new one, whole. Where the system needs two steps
for the exchange it is missing in between, and whatever breaks in there gives it back.
"""

from __future__ import annotations

import errno
import secrets
from typing import TYPE_CHECKING

from featherface.errors import HeldError, RefusedError, UnavailableError
from vault_sync.engine.disk.folder import HIDDEN
from vault_sync.engine.plans import Write
from vault_sync.engine.recovery import finish_write, is_in_place, keep_aside

if TYPE_CHECKING:
    from pathlib import Path

    from vault_sync.engine.disk.folder import Folder
    from vault_sync.engine.journal import Intent, Journal
    from vault_sync.engine.state import Patch


_REFUSALS = (errno.EACCES, errno.EPERM, errno.EBUSY, errno.ETXTBSY)


class FileWrite:
    """The write of one file, from the bytes that were planned from to the new ones."""

    def __init__(
        self, journal: Journal, folder: Folder, write: Write, kept_aside: list[Path]
    ) -> None:
        """Prepare to bring WRITE into FOLDER; saves that must be kept aside go into KEPT_ASIDE."""
        self.journal = journal
        self.folder = folder
        self.write = write
        self.kept_aside = kept_aside
        self.name = write.path.rsplit("/", 1)[-1]
        self.temporary = f".{secrets.token_hex(8)}{HIDDEN}"
        self.hidden = self.temporary
        """The hidden name that is in use: an exchange may leave what came out under another."""
        self.left: bytes | None = write.after
        """What it holds, as far as this program knows."""
        self.remains = False
        """Whether it could not be removed, because another program holds it."""

    def run(self, memory: tuple[Patch, Patch], new_folders: list[str]) -> bool:
        """Bring the file from before to after; False where someone saved it meanwhile."""
        write = self.write
        if self.folder.read(self.name) != write.before:
            return False
        step("read")
        mode = None if write.before is None else self.folder.mode(self.name)
        if mode is not None and not mode & 0o222:
            raise RefusedError("the file is marked read-only")
        intent = self.journal.intend(write, self.temporary, memory, new_folders)
        step("journalled")
        written = True
        if write.after != write.before:
            try:
                written = self._bring(intent, mode)
                step("swapped")
                written = self._clear(written=written)
                self.folder.sync()
                step("synced")
            except BaseException as error:
                if self._settle(intent) and is_refusal(error):
                    return True  # only what came after it was refused
                raise
        intent.done(written=written, left=self.remains)
        step("done")
        return written

    def _bring(self, intent: Intent, mode: int | None) -> bool:
        if self.write.after is None:
            intent.ready()
            return self._take_away()
        self.folder.create(self.temporary, self.write.after, mode)
        step("temporary")
        intent.ready()
        return self._publish() if self.write.before is None else self._swap(intent)

    def _publish(self) -> bool:
        try:
            self.folder.publish(self.temporary, self.name)
        except FileExistsError:
            return False
        return True

    def _take_away(self) -> bool:
        """Give the file a hidden name; one that was saved in between gets its own back."""
        if self.folder.read(self.name) != self.write.before:
            return False
        step("compared")
        try:
            self.folder.replace(self.name, self.temporary)
        except FileNotFoundError:
            return False
        step("exchanged")
        self.left = self.folder.read(self.temporary)
        if self.left in (self.write.before, None):
            return True
        if not self._publish() and self.left is not None:
            self._keep_aside(self.left)
        return False

    def _swap(self, intent: Intent) -> bool:
        """Put the new file in place; True where the student's latest save is not touched by it."""
        if self.folder.read(self.name) != self.write.before:
            return False
        step("compared")
        try:
            self.hidden = self.folder.exchange(self.temporary, self.name)
            step("exchanged")
            self.left = self.write.before
            out = self.folder.read(self.hidden)
            if out == self.write.before:
                return True
            self._give_back(out)
        except (FileNotFoundError, FileExistsError):  # deleted, moved or saved anew meanwhile
            return self._finish(intent)
        return False

    def _give_back(self, out: bytes | None) -> None:
        """Put the save that came out of the exchange back in its place.

        Whatever comes out then was saved later still and goes back in turn, until nothing new
        comes out; the earlier saves are kept aside.
        """
        put = self.write.after
        while True:
            self.hidden = self.folder.exchange(self.hidden, self.name)
            came = self.folder.read(self.hidden)
            self.left = put
            if came in (put, None):
                return
            if out is not None:
                self._keep_aside(out)
            put, out = out, came

    def _finish(self, intent: Intent) -> bool:
        """Bring the write to an end as `recover` would; whether the new content is in place."""
        journal = self.journal
        recovered = finish_write(journal.state, journal.vault, intent.step, ready=intent.is_ready)
        self.kept_aside += recovered.kept_aside
        self.remains = recovered.remains
        return recovered.written

    def _settle(self, intent: Intent) -> bool:
        """End the write after an error; whether the new content is in place.

        Where even that fails the next sync recovers.
        """
        written = False
        try:
            written = self._finish(intent)
            intent.done(written=written, left=self.remains)
        except HeldError as error:
            if not is_in_place(self.journal.vault, intent.step):
                raise _stranded(self.journal.vault, self.write, error) from error
        except OSError:
            pass
        return written

    def _clear(self, *, written: bool) -> bool:
        """Remove the hidden file; False where an editor was still saving into what it held."""
        try:
            late = self.folder.discard(self.hidden)
        except HeldError:
            self.remains = True
            return written
        if late in (None, self.left):
            return written
        now = self.write.after if written else self.folder.read(self.name)
        again = Write(self.write.path, now, late, remember={})
        if not FileWrite(self.journal, self.folder, again, self.kept_aside).run(({}, {}), []):
            self._keep_aside(late)
        return False

    def _keep_aside(self, data: bytes) -> None:
        self.kept_aside.append(keep_aside(self.journal.state, self.write.path, data))


def is_refusal(error: BaseException) -> bool:
    """Whether ERROR concerns this one file: no right to it, or another program holds it."""
    return isinstance(error, HeldError) or (isinstance(error, OSError) and error.errno in _REFUSALS)


def step(name: str) -> None:
    """Mark a step of a write; tests break in here."""
    del name


def _stranded(vault: Path, write: Write, error: HeldError) -> UnavailableError:
    return UnavailableError(
        f"{error.message}; the sync stopped there, and nothing is lost: the next one gives"
        f" {vault / write.path} its content back",
        error.hint,
    )
