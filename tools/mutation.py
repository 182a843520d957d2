"""
Change code and see whether its tests notice: ``run mutation:test policy``.

mutmut changes a copy, never this tree: the files of an environment may be hard
links into a cache. The copy keeps the results, so that a run that was stopped
goes on where it was; ``--anew`` starts over.
"""

from __future__ import annotations

import argparse
import collections
import dataclasses
import os
import shutil
import subprocess
import sys

from pathlib import Path


ROOT = Path(__file__).resolve().parents[1]
#: Below what git ignores.
PLACE = ROOT / ".venv" / "mutation"

MUTMUT = (sys.executable, "-m", "mutmut")


@dataclasses.dataclass(frozen=True)
class Target:
    """
    Modules, and the tests that are to notice their changes.

    Attributes:
        package: The distribution.
        modules: Its modules, below ``src``.
        tests: Its files of tests.
        conftest: What their ``conftest.py`` is to say as well.
    """

    package: str
    modules: tuple[str, ...]
    tests: tuple[str, ...]
    conftest: str = ""


#: Those of the configuration that draw no examples and start no processes.
_CONFIG_TESTS = (
    "test_aliases.py",
    "test_bad_inputs.py",
    "test_choices.py",
    "test_claims.py",
    "test_defaults.py",
    "test_environment.py",
    "test_explain.py",
    "test_fields.py",
    "test_generators.py",
    "test_merge.py",
    "test_named_tables.py",
    "test_named_texts.py",
    "test_overrides.py",
    "test_precedence.py",
    "test_providers.py",
    "test_secrecy.py",
    "test_sections.py",
    "test_types.py",
    "test_unions.py",
    "test_unknown_names.py",
    "test_unread.py",
    "test_values.py",
)

#: What is known of a class is kept on it: without this, mutmut believes that
#: only the first test of a class reaches the code that finds it out.
_CONFIG_FIXTURE = """
import pytest

from buvar import config


class Fresh:
    pass


@pytest.fixture(autouse=True)
def ask_anew():
    config.register(Fresh, Fresh)
"""

TARGETS = {
    "environment": Target(
        "buvar-config",
        (
            "buvar/config/_sources/environment.py",
            "buvar/config/_sources/lookup.py",
            "buvar/config/_sources/names.py",
            "buvar/config/_sources/open_tables.py",
            "buvar/config/_sources/overrides.py",
            "buvar/config/_sources/plan.py",
        ),
        _CONFIG_TESTS,
        _CONFIG_FIXTURE,
    ),
    "merge": Target(
        "buvar-config",
        ("buvar/config/_merge.py", "buvar/config/_sources/layer.py"),
        _CONFIG_TESTS,
        _CONFIG_FIXTURE,
    ),
    "planner": Target(
        "buvar-di",
        (
            "buvar/di/_plan/built.py",
            "buvar/di/_plan/failures.py",
            "buvar/di/_plan/planner.py",
            "buvar/di/_plan/storage.py",
        ),
        (
            "test_collections.py",
            "test_conditions.py",
            "test_decorate.py",
            "test_generics.py",
            "test_hints.py",
            "test_keywords.py",
            "test_kinds.py",
            "test_lifetimes.py",
            "test_order.py",
            "test_order_rules.py",
            "test_planner.py",
            "test_planner_failures.py",
            "test_self.py",
            "test_use.py",
        ),
    ),
    "policy": Target(
        "buvar-fork",
        ("buvar/fork/_supervise/policy.py",),
        # Without those that draw examples: the score has to be the same.
        (
            "test_policy.py",
            "test_policy_failures.py",
            "test_policy_roles.py",
            "test_policy_words.py",
        ),
    ),
    "teardown": Target(
        "buvar-context",
        ("buvar/components/_closing.py", "buvar/plugin/_teardown.py"),
        (
            "test_child.py",
            "test_child_generators.py",
            "test_closing.py",
            "test_closing_generators.py",
            "test_layer_events.py",
            "test_lifetimes.py",
            "test_spi.py",
            "test_teardown.py",
            "test_teardown_failures.py",
        ),
    ),
}


def prepare(name: str) -> Path:
    """Copy what a target needs, and return the folder."""
    target, folder = TARGETS[name], PLACE / name
    package = ROOT / "packages" / target.package
    shutil.rmtree(folder / "src", ignore_errors=True)
    shutil.rmtree(folder / "tests", ignore_errors=True)
    # Copies: a link would change the tree.
    shutil.copytree(package / "src", folder / "src")
    tests = folder / "tests"
    tests.mkdir()
    conftest = package / "tests" / "conftest.py"
    own = conftest.read_text() if conftest.exists() else ""
    tests.joinpath("conftest.py").write_text(own + target.conftest)
    for file in target.tests:
        shutil.copy(package / "tests" / file, tests)
    ini = (ROOT / "tools" / "pytest.ini").read_text()
    folder.joinpath("pytest.ini").write_text(
        ini.replace("packages tests-integration", "tests")
    )
    lines = [
        "[mutmut]",
        "source_paths = src",
        "only_mutate =",
        *(f"    src/{module}" for module in target.modules),
        "also_copy =",
        "    pytest.ini",
        "pytest_add_cli_args =",
        "    -p",
        "    no:cacheprovider",
        "",
    ]
    folder.joinpath("setup.cfg").write_text("\n".join(lines))
    return folder


def score(folder: Path) -> bool:
    """Print the result of each mutant that is not killed, and the score."""
    found = subprocess.run(
        [*MUTMUT, "results", "--all", "true"],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    counts: collections.Counter[str] = collections.Counter()
    for line in found.stdout.splitlines():
        mutant, _, result = line.strip().rpartition(": ")
        counts[result] += 1
        if result == "survived":
            print(f"survived: {mutant}")
    # One that never ends is noticed as well.
    noticed = counts["killed"] + counts["timeout"]
    total = counts.total()
    print(f"{noticed} of {total} mutants noticed", dict(counts))
    print(f"See one: cd {folder.relative_to(ROOT)}; mutmut show NAME")
    return counts["not checked"] == 0


def main() -> int:
    """Run what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", choices=sorted(TARGETS))
    parser.add_argument("--anew", action="store_true", help="start over")
    parser.add_argument(
        "--score", action="store_true", help="only print the results"
    )
    options = parser.parse_args()
    folder = PLACE / options.target
    if options.anew:
        shutil.rmtree(folder, ignore_errors=True)
    if not options.score:
        prepare(options.target)
        children = str(os.cpu_count() or 1)
        subprocess.run(
            [*MUTMUT, "run", "--max-children", children],
            cwd=folder,
            check=True,
        )
    return 0 if score(folder) else 1


if __name__ == "__main__":
    sys.exit(main())
