"""Annotations: read, taken apart, and compared."""
