"""How vLLM turns a constraint into a grammar: the same functions, so that what we try is what it will do."""

from typing import Any


def from_regex(grammars: Any, pattern: str) -> Any:
    """`grammars`: xgrammar's class. Raises whatever says that the pattern cannot be obeyed, or not in time."""
    from vllm.v1.structured_output.utils import compile_regex_with_timeout

    return compile_regex_with_timeout(grammars.from_regex, pattern)


def from_grammar(grammars: Any, text: str) -> Any:
    """In EBNF, or in Lark where the text looks like it. Raises whatever says that it is neither."""
    from vllm.v1.structured_output.utils import grammar_is_likely_lark

    return grammars.from_lark(text) if grammar_is_likely_lark(text) else grammars.from_ebnf(text)
