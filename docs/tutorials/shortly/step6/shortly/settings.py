"""The section [shortly] of the configuration."""

import datetime

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
    keep: datetime.timedelta = config.var(
        datetime.timedelta(days=365), help="How long a link is kept."
    )
    clean_every: datetime.timedelta = config.var(
        datetime.timedelta(hours=1), help="How often old links are removed."
    )
