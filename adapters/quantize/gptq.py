"""GPTQ: Frantar et al. 2022, arXiv 2210.17323, algorithm 1, with groups.

Columns are rounded one after the other; each one's error is taken back by the columns that are still to come, as far as
the inputs' second moments allow. Written out here because no release of llm-compressor goes with the version of
compressed-tensors that vLLM needs (docs/decisions/0009).
"""

import torch
from compressed_tensors.quantization import QuantizationArgs

from adapters.quantize.rounding import scales_of, to_grid

_DAMPING = 0.01  # of the mean diagonal, as in the paper
_BLOCK = 128


def gptq(weight: torch.Tensor, hessian: torch.Tensor, args: QuantizationArgs) -> tuple[torch.Tensor, torch.Tensor]:
    """(weight on its grid, scales). `weight` (out, in); `hessian` (in, in), the inputs' x xᵀ summed; both float32."""
    left = weight.clone()
    columns = left.shape[1]
    group = args.group_size or columns
    width = group * max(1, _BLOCK // group)  # whole groups, so that a group's scale is known where it begins
    factor = _inverse_factor(hessian, left)
    scales = torch.empty(left.shape[0], columns // group)
    done = torch.empty_like(left)
    for start in range(0, columns, width):
        end = min(start + width, columns)
        block, errors = left[:, start:end], torch.empty(left.shape[0], end - start)
        for at in range(end - start):
            if at % group == 0:
                scale = scales_of(block[:, at : at + group], args)
                scales[:, [(start + at) // group]] = scale.float()
            row = factor[start + at, start + at : end]
            column = block[:, [at]]
            rounded = to_grid(column, scale.float(), args)
            error = (column - rounded) / row[0]
            done[:, [start + at]] = rounded
            errors[:, [at]] = error
            block[:, at:] -= error * row
        left[:, end:] -= errors @ factor[start:end, end:]
    return done, scales.to(scale.dtype)


def _inverse_factor(hessian: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """The upper Cholesky factor of the damped inverse. Inputs that are never there get weight 0, in place."""
    damped = hessian.clone()
    dead = damped.diagonal() == 0
    weight[:, dead] = 0
    damped.diagonal()[dead] = 1
    damped.diagonal().add_(_DAMPING * damped.diagonal().mean())
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(damped))
    factor: torch.Tensor = torch.linalg.cholesky(inverse, upper=True)
    return factor
