"""
What a source is made of, each behind one protocol: ``Provider``.

A provider is asked for what it has now (``load``) and whether that may have
changed (``stamp``). What it has is one of two kinds, each of which has data,
a look-up and an origin:

- a tree, found by the path of a value: ``Layer``. Dicts, TOML files and
  users' ``Values`` are trees. They are merged in their order when the source
  is read.
- texts, found by the name of a field, or by its path: ``Lookup``. The secrets
  folder, the environment, overrides and users' ``Texts`` are that. Which name
  means which field, and whether a text is a table, is known only when a class
  is loaded, so they are asked then and put over its tree, in their order.

So every ``Lookup`` wins over every ``Layer``.
"""
