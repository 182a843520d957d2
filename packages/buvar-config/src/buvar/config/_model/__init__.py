"""What a class says of its fields: keys, types, what is secret."""
