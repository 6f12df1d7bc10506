"""The allow list: every route that this server answers, and the scope it takes. What is not here is closed."""

import re
from dataclasses import dataclass
from typing import Literal

from server.auth.keys import Scope

Access = Scope | Literal["open"]


@dataclass(frozen=True)
class Rule:
    """One route. `generates`: it runs the model, so the key's limits count it."""

    method: str
    path: str
    access: Access
    generates: bool = False

    def matches(self, path: str) -> bool:
        """Whether a request's path is this route's."""
        return re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", self.path), path) is not None


RULES = (
    Rule("GET", "/health", "open"),
    Rule("GET", "/ready", "open"),
    Rule("GET", "/version", "open"),
    Rule("GET", "/metrics", "metrics"),
    Rule("GET", "/v1/models", "inference"),
    Rule("GET", "/v1/models/{model}", "inference"),
    Rule("POST", "/v1/completions", "inference", generates=True),
    Rule("POST", "/v1/chat/completions", "inference", generates=True),
    Rule("POST", "/v1/feedback", "feedback"),
    Rule("GET", "/v1/adapters", "admin"),
    Rule("GET", "/v1/adapters/{name}", "admin"),
    Rule("PUT", "/v1/adapters/{name}", "admin"),
    Rule("DELETE", "/v1/adapters/{name}", "admin"),
    Rule("POST", "/v1/adapters/{name}/revisions", "admin"),
    Rule("DELETE", "/v1/adapters/{name}/revisions/{revision}", "admin"),
    Rule("POST", "/v1/adapters/{name}/rollback", "admin"),
    Rule("PUT", "/v1/adapters/{name}/pin", "admin"),
    Rule("DELETE", "/v1/adapters/{name}/pin", "admin"),
)


def find_rule(method: str, path: str) -> Rule | list[str]:
    """The rule of a request, or the methods that its path takes (none: the path is closed)."""
    matching = [rule for rule in RULES if rule.matches(path)]
    # HEAD is a GET without a body.
    wanted = "GET" if method == "HEAD" else method
    return next((rule for rule in matching if rule.method == wanted), [rule.method for rule in matching])
