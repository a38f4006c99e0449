"""What users pass, checked and made arrays: dense, sparse or scaled while it is used.

Reading order: types, memory, sparse, checks, conversion, scaled.
"""

from __future__ import annotations

from deltarule.arrays.checks import (
    TINY,
    check_fields,
    check_finite,
    check_limits,
    check_number,
    check_whole,
    is_finite,
)
from deltarule.arrays.conversion import (
    as_inputs,
    as_matrix,
    as_numbers,
    as_sample_weight,
    check_unmasked,
    class_codes,
    narrowed,
)
from deltarule.arrays.memory import LINE, aligned_zeros, keep_freed_memory
from deltarule.arrays.scaled import Scaled, as_batch, in_row_order
from deltarule.arrays.sparse import Sparse
from deltarule.arrays.types import Array, Csr

__all__ = [
    "LINE",
    "TINY",
    "Array",
    "Csr",
    "Scaled",
    "Sparse",
    "aligned_zeros",
    "as_batch",
    "as_inputs",
    "as_matrix",
    "as_numbers",
    "as_sample_weight",
    "check_fields",
    "check_finite",
    "check_limits",
    "check_number",
    "check_unmasked",
    "check_whole",
    "class_codes",
    "in_row_order",
    "is_finite",
    "keep_freed_memory",
    "narrowed",
]
