"""Suggest what a failed look-up may have meant."""

from __future__ import annotations

import typing as t

from ._errors import describe


#: More would bury the cure.
_MOST = 5


def near_misses(
    names: t.Iterable[t.Hashable],
    keys: t.Iterable[t.Hashable],
    namespace: t.Hashable,
    name: t.Hashable,
) -> list[str]:
    """
    List what is there instead of the component asked for.

    That is the same type under other names, components of a subclass that
    were added under a discriminator, and names that look alike.

    Args:
        names: The names of what there is of the namespace.
        keys: All namespaces that something was added under.
        namespace: The namespace asked for.
        name: The name asked for.
    """
    import difflib  # noqa: PLC0415 - only failures need it

    near = [
        f"there is an unnamed {describe(namespace)}; ask without a name"
        if other is None
        else f"there is one named {other!r}"
        for other in names
        if other != name
    ]
    keys = [key for key in keys if key != namespace]
    near += [
        f"{describe(key)} is a subclass of it and was added on its own"
        for key in keys
        if _is_subclass(key, namespace)
    ]
    by_text = {describe(key): key for key in keys}
    last = {text.rpartition(".")[2]: text for text in by_text}
    alike = difflib.get_close_matches(
        describe(namespace).rpartition(".")[2], last, cutoff=0.75
    )
    near += [f"there is a similar {last[text]}" for text in alike]
    return list(dict.fromkeys(near))[:_MOST]


def _is_subclass(key: t.Hashable, namespace: t.Hashable) -> bool:
    return (
        isinstance(key, type)
        and isinstance(namespace, type)
        and namespace in key.__mro__
    )


def describe_item(key: t.Hashable, item: t.Any) -> str:
    """Say what an item is, and under what key if that is not its type."""
    own = t.cast("type[object]", type(item))
    if isinstance(key, type) and key in own.__mro__:
        return own.__qualname__
    return f"{own.__qualname__} as {describe(key)}"


def describe_layer(
    items: dict[t.Hashable, t.Any],
    names: dict[t.Hashable, dict[t.Hashable, t.Any]],
) -> str:
    """Name the items of one layer by their own types, each once."""
    unnamed = {
        id(item): describe_item(key, item)
        for key, item in reversed(items.items())
    }
    named = {
        (id(item), name): f"{name!r}: {describe_item(key, item)}"
        for key, some in reversed(names.items())
        for name, item in some.items()
    }
    texts = (*reversed(unnamed.values()), *reversed(named.values()))
    return "{" + ", ".join(texts) + "}"
