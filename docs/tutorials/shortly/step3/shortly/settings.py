"""The section [shortly] of the configuration."""

from pathlib import Path

import attrs

from buvar import config


@attrs.define(kw_only=True)
class Settings(config.Config, section="shortly"):
    """What varies from one installation to the next."""

    token: config.Secret[str] = config.var(
        help="What a client has to send to create links."
    )
    database: Path = config.var(
        Path("shortly.db"), help="The file of the database."
    )
