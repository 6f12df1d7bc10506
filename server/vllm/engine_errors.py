"""vLLM's refusals in a caller's words: its own texts quote what was sent, and speak of its insides."""

import re
from typing import Any

_UNKNOWN = "The engine does not take this request as it is"
# What its text begins with or holds, and what we say; numbers of the text may be used, its words never.
_SAID: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"maximum (?:model|context) length|longer than the maximum|exceeds model's maximum|max_model_len"),
        "The prompt and the answer (max_tokens) together are longer than the model's context of {most} tokens.",
    ),
    (re.compile(r"n must be 1 when using greedy"), "Send a temperature above 0 to get several answers (n)."),
    (re.compile(r"\bn must be"), "n: must be at least 1."),
    (re.compile(r"stop (?:cannot|must)|stop string"), "stop: must be a text, or a list of texts, that are not empty."),
    (re.compile(r"suffix"), "suffix: is not supported by this model."),
    (re.compile(r"max_tokens must be"), "max_tokens: must be at least 1."),
    (re.compile(r"logit_bias"), "logit_bias: its keys must be ids of the model's tokens, its values numbers."),
    (re.compile(r"allowed_token_ids"), "allowed_token_ids: must be ids of the model's tokens, and not none."),
    (re.compile(r"bad_words"), "bad_words: must be words that are not empty."),
    (re.compile(r"prompt_logprobs"), "prompt_logprobs: asks for more than this server gives."),
    (re.compile(r"logprobs"), "logprobs: asks for more alternatives than this server gives."),
    (re.compile(r"priority"), "priority: this server answers all requests alike; leave it out."),
    (re.compile(r"stop_token_ids"), "stop_token_ids: must be ids of the model's tokens."),
    (re.compile(r"temperature"), "temperature: must be between 0 and 2."),
    (re.compile(r"top_p"), "top_p: must be above 0 and at most 1."),
    (re.compile(r"top_k"), "top_k: must be 0 or more."),
    (re.compile(r"min_p"), "min_p: must be between 0 and 1."),
    (
        re.compile(r"_penalty"),
        "presence_penalty, frequency_penalty: must be between -2 and 2; repetition_penalty above 0.",
    ),
    (re.compile(r"min_tokens"), "min_tokens: must be 0 or more, and at most max_tokens."),
    (re.compile(r"seed"), "seed: must be a whole number of 64 bits."),
    (
        re.compile(r"[Cc]hat template|chat_template"),
        "The model's chat template does not take these messages.",
    ),
    (re.compile(r"tool_choice|tool call|tools"), "tools, tool_choice: this server does not take them as sent."),
    (
        re.compile(r"grammar|schema|regex|structur|xgrammar|choice"),
        "The structured output's schema or grammar cannot be used.",
    ),
    (re.compile(r"out of vocabulary|Token id"), "prompt: holds ids that are none of the model's tokens."),
    (re.compile(r"empty|at least one"), "The prompt is empty."),
    (re.compile(r"beam"), "use_beam_search: is not available with these options."),
)
_OURS = frozenset({said for _, said in _SAID} | {f"{_UNKNOWN}."})
_TOO_LONG = re.compile(re.escape(_SAID[0][1]).replace(re.escape("{most}"), r"[\w ]{1,12}"))
_NUMBER = re.compile(r"context length (?:is|of) (\d{2,8})|max_model_len[^\d]{0,10}(\d{2,8})|length \((\d{2,8})\)")
_NAME = re.compile(r"^[a-z][a-z0-9_]{1,40}$")


def plain_sentence(error: BaseException | str, context: int = 0) -> str:
    """One sentence for the caller, with nothing of the request in it. `context`: the model's, in tokens."""
    text = error if isinstance(error, str) else str(error)
    if text in _OURS or _TOO_LONG.fullmatch(text):
        return text  # said already, nearer to the engine
    for pattern, said in _SAID:
        if pattern.search(text):
            return said.format(most=context or _most(text))
    parameter: Any = getattr(error, "parameter", None)
    if isinstance(parameter, str) and _NAME.match(parameter):
        return f"{parameter}: is not valid."
    return f"{_UNKNOWN}."


def _most(text: str) -> str:
    found = _NUMBER.search(text)
    return next((group for group in found.groups() if group), "so many") if found else "so many"
