"""The recognition's graph, changed before OpenVINO compiles it: less to compute, and less to copy out."""

from typing import Any

import numpy as np

from ocr_frontend.ocr.script import Columns


def likeliest(model: Any, watched: Columns, kept: Columns | None = None) -> Any:
    """The model [lines, 3, 48, width] -> [lines, steps, characters] with its likeliest character and the probabilities
    of the watched ones as its outputs."""
    import openvino
    from openvino import opset8

    probabilities = model.get_results()[0].input_value(0)
    if kept is not None:
        probabilities = _of(probabilities, kept)
    best = opset8.topk(probabilities, np.int64(1), axis=2, mode="max", sort="none")
    number = best.output(1)
    if kept is not None:
        number = opset8.gather(opset8.constant(kept.astype(np.int32)), number, np.int64(0)).output(0)
    places = watched if kept is None else np.searchsorted(kept, watched)
    seen = opset8.gather(probabilities, places, np.int64(2)).output(0)
    return openvino.Model([best.output(0), number, seen], model.get_parameters())


def _of(probabilities: Any, kept: Columns) -> Any:
    """The probabilities among these columns alone, and only these are computed where the last layer is a product."""
    from openvino import opset8

    softmax = probabilities.get_node()
    if softmax.get_type_name() != "Softmax":
        return opset8.gather(probabilities, kept, np.int64(2)).output(0)
    total = _past_identities(softmax)
    product = _past_identities(total) if total.get_type_name() == "Add" else total
    if total is product or product.get_type_name() != "MatMul":
        scores = opset8.gather(softmax.input_value(0), kept, np.int64(2))
    else:
        weights = opset8.gather(product.input_value(1), kept, np.int64(1))
        bias = opset8.gather(total.input_value(1), kept, np.int64(0))
        scores = opset8.add(opset8.matmul(product.input_value(0), weights, False, False), bias)
    return opset8.softmax(scores, 2).output(0)


def _past_identities(node: Any) -> Any:
    """What makes a node's first input."""
    node = node.input_value(0).get_node()
    while node.get_type_name() == "Identity":
        node = node.input_value(0).get_node()
    return node
