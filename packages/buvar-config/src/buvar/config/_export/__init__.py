"""Say what can be configured: samples, variables, schemas, plain data."""
