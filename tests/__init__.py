"""The tests written in Python, and what they share with the benches; imported from the project's root."""
