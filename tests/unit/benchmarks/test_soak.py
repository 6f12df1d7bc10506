"""The soak's judgement: rounding passes, another revision's answer does not."""

from typing import Any, cast

from benchmarks.lora.soak_answers import Answers, Server

# What each revision thinks of its next token, whatever came before: two of `a`'s tokens are nearly as likely.
LIKELY = {"a": {1: -0.70, 2: -0.75, 3: -5.0}, "b": {1: -5.0, 2: -6.0, 3: -0.1}}


class Fake:
    """Answers as LIKELY says."""

    async def ask(self, **body: Any) -> dict[str, Any]:
        likely = LIKELY[body["model"]]
        best = max(likely, key=lambda token: likely[token])
        choice: dict[str, Any] = {"token_ids": [best] * 3, "prompt_token_ids": [9, 9]}
        if isinstance(body["prompt"], list):
            choice["prompt_logprobs"] = [
                {str(token): {"logprob": likely.get(token, -9.0)}, str(best): {"logprob": likely[best]}}
                for token in body["prompt"]
            ]
        return {"choices": [choice]}


async def test_an_answer_is_right_as_it_was_alone_or_to_rounding_and_wrong_as_another_revisions() -> None:
    answers = Answers(cast(Server, Fake()), ["x"])
    await answers.take(["a", "b"])
    answers.note("a", 0, (1, 1, 1))
    answers.note("a", 0, (1,))
    answers.note("a", 0, (1, 2, 1))
    answers.note("a", 0, (1, 2))
    answers.note("a", 0, (3, 3))
    answers.note("b", 0, (3, 1, 3))
    judged = await answers.judge()
    assert (judged["greedy"], judged["same"], judged["rounding"], judged["wrong"]) == (6, 2, 2, 2)
    assert judged["told_apart"] == 1.0
    assert judged["mixed_up_seen"] == 1.0
