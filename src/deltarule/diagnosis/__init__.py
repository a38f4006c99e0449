"""Diagnosis of somebody else's backpropagation: is it right, and if not, which mistake is it?"""

from deltarule.diagnosis.diagnose import assert_backprop_correct, diagnose
from deltarule.diagnosis.mistakes import MISTAKES, Mistake
from deltarule.diagnosis.report import Diagnosis

__all__ = ["MISTAKES", "Diagnosis", "Mistake", "assert_backprop_correct", "check", "diagnose"]

#: As the command is called.
check = diagnose
