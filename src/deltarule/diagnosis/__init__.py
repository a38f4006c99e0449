"""Diagnosis of somebody else's backpropagation: is it right, and if not, which mistake is it?

Reading order: backprop, catalogue, mistakes, matching (what can be wrong, and which of it gives just these
numbers). Of a program as it is: recording, driving, reading, faults, naming (what the catalogue calls it),
observation; one_case (just numbers), check; programs, grading (a whole course); notebook. Beside a
framework: watching, quantities, model_step, compare.
"""

from deltarule.diagnosis.catalogue.entry import Mistake
from deltarule.diagnosis.check import assert_backprop_correct, check
from deltarule.diagnosis.compare import StepComparison, compare
from deltarule.diagnosis.grading import CheckedProgram, check_folder
from deltarule.diagnosis.mistakes import MISTAKES
from deltarule.diagnosis.observation import Diagnosis

__all__ = [
    "MISTAKES",
    "CheckedProgram",
    "Diagnosis",
    "Mistake",
    "StepComparison",
    "assert_backprop_correct",
    "check",
    "check_folder",
    "compare",
]
