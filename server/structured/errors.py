"""What is wrong with a structured output, in a sentence that names the keyword and holds nothing of the request."""


class Unusable(Exception):
    """`sentence`: for the caller, to be put behind the name of the field."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
