"""Check what a stage is given before anything begins."""

from __future__ import annotations

import math
import typing as t

from collections.abc import Mapping

from buvar.components import Components

from ._errors import StageOptionError
from ._resolve import is_async
from ._signals import Signals


def check_options(
    *,
    components: t.Any,
    signals: t.Any,
    on_ready: t.Any,
    **seconds: t.Any,
) -> None:
    """
    Check the options of a stage.

    Raises:
        StageOptionError: One of them makes no sense.
    """
    if components is not None and not isinstance(
        components, Components | Mapping
    ):
        raise StageOptionError(
            "components",
            f"{components!r} holds no components",
            "Give Components() or a mapping {type: {name: item}}.",
        )
    if signals is not None and not (
        isinstance(signals, type) and issubclass(signals, Signals)
    ):
        raise StageOptionError(
            "signals",
            f"{signals!r} is not a class of signal handlers",
            "Give plugin.Signals, a subclass of it, or None.",
        )
    if on_ready is not None and (not callable(on_ready) or is_async(on_ready)):
        raise StageOptionError(
            "on_ready",
            f"{on_ready!r} is not a plain function",
            "Give a function without arguments; what awaits is a task.",
        )
    for option, value in seconds.items():
        _check_seconds(option, value)


def _check_seconds(option: str, value: t.Any) -> None:
    if value is None and option != "cancel_timeout":
        return
    if (
        not isinstance(value, int | float)
        or isinstance(value, bool)
        or math.isnan(value)
        or value < 0
    ):
        raise StageOptionError(
            option,
            f"{value!r} is not a number of seconds",
            "Give a number that is not negative.",
        )
