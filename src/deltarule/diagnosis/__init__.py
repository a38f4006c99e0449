"""Diagnosis of somebody else's backpropagation: is it right, and if not, which mistake is it?

Reading order: backprop, catalogue, mistakes (what can be wrong); cases, conventions, arguments, functions,
objects, subjects (what a learner brings); runner, running, trials (it is run); matching, search, masks,
dropout, weights, predictions (what explains it); verdict,
report, diagnose; one_case (just numbers). Of a program as it is: recording, driving, reading, faults,
naming (what the catalogue calls it), observation; programs, grading (a whole course); notebook. Beside a
framework: watching, quantities, model_step, compare.
"""

from deltarule.diagnosis.catalogue.entry import Mistake
from deltarule.diagnosis.compare import StepComparison, compare
from deltarule.diagnosis.diagnose import assert_backprop_correct, diagnose
from deltarule.diagnosis.grading import CheckedProgram, check_folder
from deltarule.diagnosis.mistakes import MISTAKES
from deltarule.diagnosis.report import Diagnosis

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
    "diagnose",
]

#: As the command is called.
check = diagnose
