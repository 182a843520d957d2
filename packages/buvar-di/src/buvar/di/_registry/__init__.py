"""What is registered: adapters, decorators, and their conditions."""
