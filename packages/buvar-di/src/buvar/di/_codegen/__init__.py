"""Compiled code: a schedule of a plan, written down and compiled."""
