"""shortly: a URL shortener."""
