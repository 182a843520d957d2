"""All sockets of a service: bound before the fork, closed after it."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import logging
import traceback
import typing as t

from ._activation import activated
from ._activation import adopt_activated
from ._activation import warn_of_others
from ._announce import address_text
from ._bind import adopt
from ._bind import bind_tcp
from ._bind import bind_unix
from ._errors import BindError
from ._errors import SocketURIError
from ._fair_listener import FairListener
from ._sockets import Socket
from ._uri import Address
from ._uri import Fd
from ._uri import Tcp
from ._uri import Unix
from ._uri import parse
from ._uri import place


_log = logging.getLogger("buvar.fork")


def parse_shared(uri: str) -> Tcp | Unix:
    """
    Return an address that a plugin may ask for, in however many processes.

    Raises:
        BindError: It is not one of TCP or of a Unix socket.
        SocketURIError: The URI makes no sense.
    """
    address = parse(uri)
    if not isinstance(address, Tcp | Unix):
        raise BindError(
            uri,
            "a plugin can bind tcp:// and unix:// only; list others in the "
            "sockets of fork.stage, or give them to --bind.",
        )
    if isinstance(address, Unix) and address.has_file_options:
        # The supervisor may have more rights than its workers.
        raise SocketURIError(
            uri,
            "mode, user and group can only be given to the sockets of "
            "fork.stage, or to --bind; leave them out, or list the "
            "socket there.",
        )
    return address


@dataclasses.dataclass(frozen=True, slots=True)
class Share:
    """
    What the workers of a role listen on.

    Attributes:
        role: Its name, empty without roles.
        uris: The URIs; None is what the service says.
        workers: How many workers it has.
    """

    role: str = ""
    uris: tuple[str, ...] | None = None
    workers: int = 1


class Listeners:
    """
    The sockets of a service.

    Args:
        uris: What to bind; nothing takes over what systemd passed, if it did.
        backlog: How many connections may wait to be accepted.
        reuse_port: Whether each worker gets a socket of its own, between
            which the kernel distributes the connections.
        supervised: Whether there is a supervisor.
        shares: What each role listens on.
    """

    def __init__(
        self,
        uris: t.Iterable[str],
        *,
        backlog: int,
        reuse_port: bool,
        supervised: bool,
        shares: t.Sequence[Share] = (Share(),),
    ) -> None:
        self.backlog = backlog
        self.reuse_port = reuse_port
        self.supervised = supervised
        self._shares = shares
        #: What is shared, and which roles listen on it.
        self._shared: dict[Socket, frozenset[str]] = {}
        #: What each worker has of its own, by its role and number.
        self._own: dict[tuple[str, int], dict[Tcp, Socket]] = {}
        self._divided: dict[Tcp, frozenset[str]] = {}
        self._aliases: dict[Address, tuple[str, ...]] = {}
        common = tuple(uris)
        wanted = {
            share.role: common if share.uris is None else share.uris
            for share in shares
        }
        if not any(wanted.values()):
            common = ("systemd://",) if activated() else ()
            wanted = {
                share.role: common if share.uris is None else ()
                for share in shares
            }
            warn_of_others()
        with contextlib.ExitStack() as stack:
            stack.callback(self.close)
            every = itertools.chain.from_iterable(wanted.values())
            self._aliases = _once(parse(uri) for uri in dict.fromkeys(every))
            for address, others in self._aliases.items():
                spelled = {address.uri, *others}
                self._open(
                    address,
                    frozenset(
                        role
                        for role, asked in wanted.items()
                        if spelled.intersection(asked)
                    ),
                )
            self.for_all()
            stack.pop_all()
        _load_tracebacks()
        for item in self._all():
            _say(item)

    def _open(self, address: Address, roles: frozenset[str]) -> None:
        if isinstance(address, Tcp) and self._divides(address):
            self._divided[address] = roles
            return
        if isinstance(address, Tcp):
            sockets = [
                bind_tcp(address, backlog=self.backlog, reuse_port=False)
            ]
        elif isinstance(address, Unix):
            sockets = [bind_unix(address, backlog=self.backlog)]
        elif isinstance(address, Fd):
            sockets = [adopt(address)]
        else:
            sockets = adopt_activated(address)
        for item in sockets:
            self._mark(item, address)
            t.cast("FairListener", item.sock).workers = sum(
                share.workers for share in self._shares if share.role in roles
            )
            self._shared[item] = roles

    def _divides(self, address: Tcp) -> bool:
        if address.reuse_port is not None:
            return address.reuse_port
        return self.reuse_port

    def _mark(self, item: Socket, address: Address) -> Socket:
        item.supervised = self.supervised
        item.aliases = self._aliases.get(address, ())
        return item

    def for_slot(self, slot: int, role: str = "") -> list[Socket]:
        """
        Return the sockets of a worker, its successors get the same.

        Raises:
            BindError: One of its own cannot be bound.
        """
        own = self._own.setdefault((role, slot), {})
        for address, roles in self._divided.items():
            if role in roles and address not in own:
                own[address] = self._bind_own(address)
        shared = (
            item for item, roles in self._shared.items() if role in roles
        )
        return [*shared, *own.values()]

    def for_all(self) -> list[Socket]:
        """Return the sockets of the first worker of each role."""
        found = [self.for_slot(1, share.role) for share in self._shares]
        return list(dict.fromkeys(item for items in found for item in items))

    def shares(self, uri: str) -> bool:
        """Tell whether the service listens on an address by now."""
        try:
            wanted = place(parse(uri))
        except SocketURIError:
            return False
        return _find(self._all(), wanted) is not None

    def share(
        self, uri: str, backlog: int, slot: int, role: str = ""
    ) -> Socket:
        """
        Return the socket of an address, bound if it is not there yet.

        Args:
            uri: The address, of TCP or a Unix socket.
            backlog: How many connections may wait to be accepted.
            slot: The number of the worker that is to listen there.
            role: The name of its role.

        Raises:
            BindError: It cannot be bound.
            SocketURIError: The URI makes no sense.
        """
        address = parse_shared(uri)
        address = dataclasses.replace(
            address, backlog=address.backlog or backlog
        )
        if not self.shares(uri) and address not in self._divided:
            self._open(address, frozenset({role}))
            self.for_slot(slot, role)
            _say(t.cast("Socket", _find(self._all(), place(address))))
        else:
            self._admit(role, place(address))
        return t.cast(
            "Socket", _find(self.for_slot(slot, role), place(address))
        )

    def _admit(self, role: str, wanted: tuple[object, ...]) -> None:
        """Have a role listen where another one does by now."""
        for item, roles in self._shared.items():
            if place(parse(item.uri)) == wanted:
                self._shared[item] = roles | {role}
        for address, roles in self._divided.items():
            if place(address) == wanted:
                self._divided[address] = roles | {role}

    def _bind_own(self, address: Tcp) -> Socket:
        """Bind one more socket to an address, also if its port was 0."""
        bound = address
        for others in self._own.values():
            if address in others:
                bound = address.with_port(others[address].address[1])
                break
        item = bind_tcp(bound, backlog=self.backlog, reuse_port=True)
        return self._mark(item, address)

    def drop_slot(self, slot: int, role: str = "") -> None:
        """Close what only one worker listened on; it is to end."""
        for item in self._own.pop((role, slot), {}).values():
            item.close()

    def _all(self) -> t.Iterator[Socket]:
        yield from self._shared
        for own in self._own.values():
            yield from own.values()

    def stop_accepting(self) -> None:
        """Refuse new connections."""
        for item in self._all():
            item.stop_accepting()

    def has_queue(self) -> bool:
        """Tell whether there is a queue that needs time to become empty."""
        return any(item.owned and not item.local for item in self._all())

    def pending(self) -> bool:
        """Tell whether a connection waits in a queue that only empties."""
        return any(item.owned and item.pending() for item in self._all())

    def close(self) -> None:
        """Close this process's copies, unlink what it has bound."""
        for item in self._all():
            item.unlink()
            item.close()
        self._shared.clear()
        self._own.clear()


def _load_tracebacks() -> None:
    """
    Import what prints tracebacks, by printing one.

    From Python 3.15 on that happens with the first one, for which there may
    be no file descriptor left, as that may be what it is about.
    """
    try:
        raise OSError  # noqa: TRY301 - as it will be
    except OSError as error:
        traceback.format_exception(error)


def _say(item: Socket) -> None:
    address = address_text(item.address)
    _log.info(
        "Listening on %s (%s).",
        item.uri,
        address,
        extra={"uri": item.uri, "address": address},
    )


def _find(
    items: t.Iterable[Socket], wanted: tuple[object, ...]
) -> Socket | None:
    """Return the one that listens on an address."""
    return next(
        (item for item in items if place(parse(item.uri)) == wanted), None
    )


def _once(addresses: t.Iterable[Address]) -> dict[Address, tuple[str, ...]]:
    """
    Find what is asked for twice, however it is written.

    Returns:
        Each address, with the other URIs that mean it.

    Raises:
        SocketURIError: The same address is asked for with other options.
    """
    found: dict[tuple[object, ...], Address] = {}
    aliases: dict[Address, tuple[str, ...]] = {}
    for address in addresses:
        key = place(address)
        if isinstance(address, Tcp) and not address.port:
            # Each port 0 is another one, unless written alike.
            key = (address.uri,)
        first = found.setdefault(key, address)
        if _options(first) != _options(address):
            raise SocketURIError(
                address.uri,
                f"it is asked for as {first.uri} as well, with other options; "
                "leave out one of the two.",
            )
        uris = aliases.setdefault(first, ())
        if address.uri not in (first.uri, *uris):
            aliases[first] = (*uris, address.uri)
    return aliases


def _options(address: Address) -> dict[str, t.Any]:
    """Return what an address says beside where it is."""
    facts = dataclasses.asdict(address)
    return {
        key: value
        for key, value in facts.items()
        if key not in {"uri", "host", "path"}
    }
