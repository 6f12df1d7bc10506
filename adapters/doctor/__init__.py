"""`python -m adapters doctor`: what this machine is, what each method needs of it, and what to do with it."""
