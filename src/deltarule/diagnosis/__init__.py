"""Diagnosis of somebody else's backpropagation: is it right, and if not, which mistake is it?

Reading order: backprop, catalogue, mistakes (what can be wrong); cases, conventions, arguments, functions,
objects, subjects (what a learner brings); runner, running, trials (it is run); matching, search, masks,
dropout, weights, predictions (what explains it); verdict,
report, diagnose; one_case (just numbers). Of a program as it is: recording, driving, reading, faults,
naming (what the catalogue calls it), observation.
"""

from deltarule.diagnosis.catalogue.entry import Mistake
from deltarule.diagnosis.diagnose import assert_backprop_correct, diagnose
from deltarule.diagnosis.mistakes import MISTAKES
from deltarule.diagnosis.report import Diagnosis

__all__ = ["MISTAKES", "Diagnosis", "Mistake", "assert_backprop_correct", "check", "diagnose"]

#: As the command is called.
check = diagnose
