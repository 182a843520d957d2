"""What is told of a registry: errors and hints, a check, a graph."""
