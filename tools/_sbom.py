"""The bill of materials of an environment, as CycloneDX writes it."""

from __future__ import annotations

import json
import typing as t


def published(text: str, ours: t.Collection[str]) -> str:
    """
    Return a bill of materials as it holds for whoever installs the release.

    Our wheels were installed by path: the path means nothing elsewhere, and
    without a package URL no scanner would know them.

    Args:
        text: The bill in JSON.
        ours: The names of our distributions.
    """
    bill = json.loads(text)
    components = [*bill.get("components", ())]
    if root := bill["metadata"].get("component"):
        components.append(root)
    for component in components:
        if component["name"] in ours:
            url = f"pkg:pypi/{component['name']}@{component['version']}"
            component["purl"] = url
        references = [
            reference
            for reference in component.pop("externalReferences", ())
            if not reference["url"].startswith("file:")
        ]
        if references:
            component["externalReferences"] = references
    return json.dumps(bill, indent=2) + "\n"
