"""What a command line calls what a source is made of, for cures."""

from __future__ import annotations

import attrs


@attrs.frozen
class NamedBy:
    """
    The options of a command that a source is made of.

    An error that is read on a command line then says which option to change;
    without them it says what to change in code.

    Attributes:
        files: The option that names the files.
        secrets: The one that names the folder of secrets.
        unknown: The one that says what to do about unknown keys.

    Example:
        >>> from buvar import config
        >>> options = config.NamedBy(files="--config")
        >>> config.ConfigSource.read("no.toml", named_by=options)
        Traceback (most recent call last):
        ...
        buvar.config._errors.ConfigError: The configuration has an error:
          - the file cannot be read: No such file or directory (no.toml)
        Create it, or correct the path that --config names.
    """

    files: str | None = None
    secrets: str | None = None
    unknown: str | None = None

    @property
    def missing_file(self) -> str:
        """What to do about a file that is not there."""
        if self.files is None:
            return "Create it, or pass config.optional(path)."
        return f"Create it, or correct the path that {self.files} names."

    @property
    def unreadable_secrets(self) -> str:
        """What to do about a folder of secrets that cannot be read."""
        if self.secrets is None:
            return "Mount it, or pass no secrets."
        return f"Mount it, or correct the path that {self.secrets} names."

    @property
    def unread(self) -> str:
        """What to do about what nothing reads."""
        if self.unknown is None:
            other = 'say what else reads it: source.reserve("section")'
        else:
            other = f"have it only logged: {self.unknown} warn"
        return f"Correct it, or {other}."


#: A source is made by code, so errors say what to change there.
IN_CODE = NamedBy()
