"""How compiled code asks layers."""

from __future__ import annotations

import typing as t


class CodeName:
    """
    What compiled code writes behind a layer, instead of calling a function.

    A call costs as much as ten attributes, so code that is generated may ask
    layers directly: ``f"{layer}.{CodeName.KEPT}"``. The meanings are covered
    by semantic versioning, the text is not: it is never written down.

    Example:
        >>> from buvar.components import Components
        >>> layer = Components()
        >>> eval(f"layer.{CodeName.BELOW}", {"layer": layer})
    """

    #: Attribute: the next layer down, ``None`` for the last one.
    BELOW: t.Final = "_below"
    #: Attribute: what was added to this layer without a name, by namespace.
    #: A dict that is only read; another one may take its place.
    ITEMS: t.Final = "_items"
    #: Attribute: the nearest layer with a lifetime, ``None`` if it is this
    #: one: see ``lifetime_of``.
    SCOPE: t.Final = "_scope"
    #: Attribute: the layer of the stage, ``None`` if it is this one: see
    #: ``stage_of``.
    STAGE: t.Final = "_stage"
    #: Attribute of a layer with a lifetime: the dict of what was built for
    #: its length, by namespace, in the order of building. ``None`` once it
    #: has ended: another thread or task may end it at each ``await``. Types
    #: that are put there are announced, and the layer is told, see
    #: ``WATCHED``.
    KEPT: t.Final = "_kept"
    #: Attribute: not ``None`` if something was asked through this layer, so
    #: that ``CHANGED`` has to be called when ``KEPT`` was added to.
    WATCHED: t.Final = "_dependents"
    #: Attribute of a layer with a lifetime: ``None`` as long as nothing ends
    #: with it. Then an asynchronous generator may be assigned as
    #: ``(generator, twice, task)``, see ``defer``. ``ENDED`` once any layer,
    #: with a lifetime or not, hands nothing out any more.
    CLOSERS: t.Final = "_closers"
    #: Attribute: a mapping that has the facts that ``sees`` found not to be.
    FACTS: t.Final = "_view"
    #: Attribute: a mapping of what was found through the layer before, by
    #: namespace: ``MISSING`` if that was nothing. It is only read.
    VIEW: t.Final = "_view"
    #: Method: find what ``VIEW`` does not have, see ``peek``.
    LOOK: t.Final = "_look"
    #: Method: see ``peek``.
    PEEK: t.Final = "_peek"
    #: Method: see ``peek_named``.
    PEEK_NAMED: t.Final = "_peek_named"
    #: Method: see ``lent``.
    LENT: t.Final = "_lent"
    #: Method: see ``sees``.
    SEES: t.Final = "_sees"
    #: Method ``(kept, keys, item)`` of the layer of a stage: keep what was
    #: built for its length, where all layers see it. ``kept`` is what
    #: ``KEPT`` was when building began: ``LayerEndedError`` if it has ended.
    KEEP: t.Final = "_keep"
    #: Method: see ``changed``.
    CHANGED: t.Final = "_changed"
    #: Method: see ``refuse_ended``.
    REFUSE: t.Final = "_refuse"
