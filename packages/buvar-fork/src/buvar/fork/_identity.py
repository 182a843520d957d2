"""
Who the workers are: their user, group, umask and directory.

A service is often started as root, to bind port 80 or to read a key, and
should not serve as root. Everything is looked up before the first socket is
bound, so that a misspelt user leaves nothing behind; it is taken on in each
worker, where there is no way back.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pathlib
import typing as t

from ._errors import OptionError
from ._errors import UnsupportedError


grp: t.Any = None
pwd: t.Any = None
# Windows has neither, see _check_users.
with contextlib.suppress(ImportError):
    import grp
    import pwd

#: The bits that a umask has.
_UMASK: t.Final = 0o777
#: Some systems take this number for "leave it as it is".
_NO_ID: t.Final = (1 << 32) - 1


@dataclasses.dataclass(frozen=True, slots=True)
class Identity:
    """
    What a worker becomes before it runs plugins; None leaves it as it is.

    Attributes:
        uid: The number of its user.
        gid: The number of its group.
        name: The name of its user, which decides its other groups.
        home: The home folder of its user.
        umask: Its file mode creation mask.
        directory: Its working directory, an absolute path.
    """

    uid: int | None = None
    gid: int | None = None
    name: str | None = None
    home: str | None = None
    umask: int | None = None
    directory: str | None = None

    def assume(self) -> None:
        """
        Take it on, for good.

        Raises:
            OptionError: The directory is closed to the user.
        """
        if self.umask is not None:
            os.umask(self.umask)
        self._change_groups()
        if self.uid is not None:
            # All three, so that there is no way back.
            os.setuid(self.uid)
        if self.name is not None and self.home is not None:
            # What libraries keep in the home folder belongs to the user.
            names = {"USER": self.name, "LOGNAME": self.name}
            os.environ.update(names, HOME=self.home)
        if self.directory is not None:
            # As the user: what is closed to it should be seen at once.
            try:
                os.chdir(self.directory)
            except OSError as error:
                raise OptionError(
                    "directory",
                    self.directory,
                    f"the workers cannot enter it ({error.strerror}); give "
                    "their user the right to, or choose another folder.",
                ) from None

    def _change_groups(self) -> None:
        if self.gid is None:
            return
        if os.geteuid() == 0:
            if self.name is not None:
                os.initgroups(self.name, self.gid)
            else:
                os.setgroups([self.gid])
        os.setgid(self.gid)


def identity(
    *,
    user: str | int | None = None,
    group: str | int | None = None,
    umask: int | None = None,
    directory: str | os.PathLike[str] | None = None,
) -> Identity:
    """
    Look up who the workers are to be.

    Raises:
        OptionError: There is no such user, group or directory, or only root
            may become that user.
        UnsupportedError: This platform has no users and groups.
    """
    if umask is not None:
        _check_umask(umask)
    if directory is not None:
        directory = _folder(directory)
    if user is None and group is None:
        return Identity(umask=umask, directory=directory)
    _check_users()
    uid, gid, name, home = _user(user)
    if group is not None:
        gid = _group(group)
    _check_rights(user, uid, group, gid)
    return Identity(uid, gid, name, home, umask, directory)


def _check_umask(umask: object) -> None:
    if (
        not isinstance(umask, int)
        or isinstance(umask, bool)
        or not 0 <= umask <= _UMASK
    ):
        raise OptionError("umask", umask, "it is a number up to 0o777.")


def _folder(directory: str | os.PathLike[str]) -> str:
    path = pathlib.Path(directory).absolute()
    if not path.is_dir():
        raise OptionError(
            "directory", str(directory), "it is the path of a folder."
        )
    return str(path)


def _user(
    user: str | int | None,
) -> tuple[int | None, int | None, str | None, str | None]:
    """Return the number, the group, the name and the home of a user."""
    if user is None:
        return None, None, None, None
    number = _number("user", user)
    try:
        found = pwd.getpwnam(str(user)) if number is None else None
        found = found or pwd.getpwuid(t.cast("int", number))
    except KeyError:
        if number is not None:
            # A container runs with any number; its group has the same one.
            return number, number, None, None
        raise OptionError(
            "user",
            user,
            "there is no such user; create it, or choose another.",
        ) from None
    return found.pw_uid, found.pw_gid, found.pw_name, found.pw_dir


def _group(group: str | int) -> int:
    number = _number("group", group)
    if number is not None:
        return number
    try:
        return grp.getgrnam(str(group)).gr_gid
    except KeyError:
        raise OptionError(
            "group",
            group,
            "there is no such group; create it, or choose another.",
        ) from None


def _number(option: str, value: str | int) -> int | None:
    """Return the number that an option says, if it says one."""
    if isinstance(value, str):
        if not value.isdecimal():
            return None
        value = int(value)
    if isinstance(value, bool) or not 0 <= value < _NO_ID:
        raise OptionError(option, value, "it is a name, or a number.")
    return value


def _check_rights(
    user: str | int | None,
    uid: int | None,
    group: str | int | None,
    gid: int | None,
) -> None:
    """Refuse what only root may do."""
    if os.geteuid() == 0:
        return
    if uid is not None and {uid} != {os.getuid(), os.geteuid()}:
        option, value = "user", user
    elif gid is not None and {gid} != {os.getgid(), os.getegid()}:
        option, value = "group", group
    else:
        return
    raise OptionError(
        option,
        value,
        f"only root may become another {option}; start the service as root, "
        "or leave it out.",
    )


def _check_users() -> None:
    if pwd is None:  # pragma: no cover - Windows
        raise UnsupportedError(
            "This platform has no users and groups to change to; leave out "
            "user and group."
        )
