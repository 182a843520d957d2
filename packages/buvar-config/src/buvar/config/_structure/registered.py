"""Structure types of the user's own."""

from __future__ import annotations

import typing as t

from buvar.config._errors import BadValueError
from buvar.config._model.registered import registry
from buvar.config._model.types import origin

from .text import Text


def registered_hook(tp: t.Any) -> t.Callable[[t.Any, t.Any], t.Any]:
    """Return what structures a registered type."""
    cls = origin(tp)
    known = registry[cls]

    def structure(value: t.Any, _: t.Any) -> t.Any:
        if isinstance(value, cls):
            return value
        try:
            found = known.load(str(value) if type(value) is Text else value)
        except BadValueError:
            raise
        except (ValueError, TypeError) as error:
            msg = f"expected {known.takes}"
            raise BadValueError(msg, str(error) or None) from None
        return found

    return structure
