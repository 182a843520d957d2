"""
The file of a Unix socket: created with its rights, given to its owner.

A service that is started as root gives the file to another user. Whoever may
write to the folder could put a link in its place, between the call that
creates the file and the one that changes it, and be given what the link
points to. So the file has its mode from the start and is not changed by a
path that follows links; and no folder on the way to it may belong to, or be
open to, anybody else.
"""

from __future__ import annotations

import errno
import os
import pathlib
import socket
import stat
import typing as t

from ._errors import BindError
from ._errors import SocketURIError
from ._uri import LONGEST_PATH
from ._uri import Unix


def bind_path(address: Unix, sock: socket.socket) -> str:
    """
    Create the file, never with more rights than it is to have.

    Returns:
        Its path, absolute, as the program may change its directory.

    Raises:
        BindError: There is another file, or the folder is open to others.
        OSError: It cannot be created.
        SocketURIError: There is no such user or group.
    """
    _owner(address)
    # Links in the path stay as they are: others see it in the socket's name.
    path = os.path.abspath(address.path)  # noqa: PTH100
    check_folders(address, path)
    _remove_stale(address, path)
    # As much of the path as the name of a socket has room for.
    room = len(os.fsencode(path)) <= LONGEST_PATH
    name = path if room else address.path
    if address.mode is None:
        sock.bind(name)
        return path
    # There is no call that creates a socket's file with a mode, and one that
    # sets it later could hit another file.
    before = os.umask(~address.mode & 0o777)
    try:
        sock.bind(name)
    finally:
        os.umask(before)
    return path


def give_away(address: Unix, path: str) -> None:
    """Give the file to the user and group asked for, if any."""
    user, group = _owner(address)
    if (user, group) != (-1, -1):
        os.chown(path, user, group, follow_symlinks=False)


def _owner(address: Unix) -> tuple[int, int]:
    """Return the numbers of the user and the group, -1 if not asked for."""
    # Windows has neither, and imports this package all the same.
    import grp  # noqa: PLC0415
    import pwd  # noqa: PLC0415

    try:
        return (
            _number(address.user, lambda name: pwd.getpwnam(name).pw_uid),
            _number(address.group, lambda name: grp.getgrnam(name).gr_gid),
        )
    except KeyError as error:
        raise SocketURIError(
            address.uri, f"{error.args[0]}; create it, or choose another."
        ) from error


def _number(name: str | None, look_up: t.Callable[[str], int]) -> int:
    if name is None:
        return -1
    return int(name) if name.isdecimal() else look_up(name)


def check_folders(address: Unix, path: str) -> None:
    """
    Refuse a folder in which somebody else can replace the file.

    Where an owner or a mode is asked for that goes for all folders on the
    way. A folder with the sticky bit, such as /tmp, is fine: in it everybody
    removes only files of one's own.

    Raises:
        BindError: A folder belongs to another user, or is open to others.
    """
    folder = pathlib.Path(path).parent
    way = [folder, *folder.parents]
    # What a link leads to counts as much as where the link stands.
    real = pathlib.Path(os.path.realpath(folder))
    way += [real, *real.parents]
    for each in way if address.has_file_options else [real]:
        reason = _danger(os.lstat(each), strict=address.has_file_options)
        if reason is not None:
            raise BindError(
                address.uri,
                f"the folder {each} {reason}, who could replace the socket; "
                "choose a folder that only its service may write to, such "
                "as one below /run.",
            )


def _danger(status: os.stat_result, *, strict: bool) -> str | None:
    """Say to whom a folder is open, if it is."""
    trusted = {0, os.geteuid()}
    if strict and status.st_uid not in trusted:
        return f"belongs to another user ({_name(status.st_uid)})"
    if stat.S_ISLNK(status.st_mode) or status.st_mode & stat.S_ISVTX:
        return None
    if status.st_mode & stat.S_IWOTH:
        return "can be written to by everybody"
    shared = status.st_gid not in {0, os.getegid()}
    if strict and shared and status.st_mode & stat.S_IWGRP:
        return f"can be written to by the group {status.st_gid}"
    return None


def _name(number: int) -> str:
    """Return the name of a user, or the number where there is none."""
    import pwd  # noqa: PLC0415 - see above

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _remove_stale(address: Unix, path: str) -> None:
    """Remove what a process left that nobody listens to any more."""
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise BindError(
            address.uri,
            "there is a file that is not a socket; remove it, or choose "
            "another path.",
        )
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(0)
        try:
            # As given, as an absolute path may be too long.
            probe.connect(address.path)
        except ConnectionRefusedError:
            pathlib.Path(path).unlink(missing_ok=True)
            return
        except FileNotFoundError:
            return
        except BlockingIOError:
            pass  # Somebody listens, with a full queue.
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
