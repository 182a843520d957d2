"""Errors of injection."""

from __future__ import annotations

import typing as t


class DiError(Exception):
    """Base of all errors of this module."""


class RegisterError(DiError, TypeError):
    """
    Something cannot be registered.

    Attributes:
        implementation: What was registered.
        reason: Why that does not work.
        cure: What to do instead.
    """

    def __init__(self, implementation: object, reason: str, cure: str) -> None:
        super().__init__(implementation, reason, cure)
        self.implementation = implementation
        self.reason = reason
        self.cure = cure

    def __str__(self) -> str:
        """Say what was wrong with which implementation, and the cure."""
        what = getattr(self.implementation, "__qualname__", None) or repr(
            self.implementation
        )
        return (
            f"{what} cannot be registered: {self.reason}.\nHint: {self.cure}"
        )


class AnnotationError(DiError, NameError):
    """
    An annotation names what does not exist at run time.

    Attributes:
        annotation: The annotation as it was written.
        reason: What is wrong with it, with a cure.
    """

    def __init__(self, annotation: str, reason: str) -> None:
        super().__init__(annotation, reason)
        self.annotation = annotation
        self.reason = reason

    def __str__(self) -> str:
        """Say which annotation, and why."""
        return f"annotation {self.annotation!r}: {self.reason}"


class ResolveError(DiError, LookupError):
    """
    A target cannot be resolved.

    Attributes:
        target: What was asked for.
        tree: The drawing of all that was tried, a line each.
        path: The longest chain of types from the target to what is missing.
        hints: Cures.
    """

    def __init__(
        self,
        target: object,
        tree: t.Sequence[str] = (),
        path: t.Sequence[object] = (),
        hints: t.Sequence[str] = (),
    ) -> None:
        super().__init__(target)
        self.target = target
        self.tree = tuple(tree)
        self.path = tuple(path)
        self.hints = tuple(hints)

    def __str__(self) -> str:
        """Draw what was tried, then say the cures."""
        return "\n".join(
            (*self.tree, *(f"Hint: {hint}" for hint in self.hints))
        )


class CycleError(ResolveError):
    """A target needs itself; ``path`` is the way round."""


class ScopeError(ResolveError):
    """Something needs what ends before it, or a layer that ends at all."""


class KeywordError(ResolveError):
    """
    Nothing takes a keyword of the call.

    Attributes:
        keywords: The names of those that nothing takes.
    """

    def __init__(
        self,
        target: object,
        tree: t.Sequence[str] = (),
        path: t.Sequence[object] = (),
        hints: t.Sequence[str] = (),
        keywords: t.Sequence[str] = (),
    ) -> None:
        super().__init__(target, tree, path, hints)
        self.keywords = tuple(keywords)


class CheckError(DiError):
    """
    The graph of adapters has holes.

    Attributes:
        errors: An error for each type, and for each parameter of an injected
            function, that cannot be resolved.
    """

    def __init__(self, errors: t.Sequence[ResolveError]) -> None:
        super().__init__(len(errors))
        self.errors = tuple(errors)

    def __str__(self) -> str:
        """Show every error below the other."""
        number = len(self.errors)
        head = f"{number} of the registered types and functions fail:"
        return "\n\n".join((head, *map(str, self.errors)))


class GeneratorError(DiError, RuntimeError):
    """A generator did not yield exactly once."""
