"""Schemas, grammars and patterns that callers send: checked before the engine has to obey them."""
