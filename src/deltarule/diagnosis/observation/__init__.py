"""A learner's program is observed: recorded, its forward pass differentiated, and the two compared.

Reading order: seen (data), telling (the text), record (both), summary (what a program was read as),
first_weights, advice (what would help), observation; kernel, wall, scratch, reply, apart (the process
around it).
"""

from deltarule.diagnosis.faults.fault import Fault
from deltarule.diagnosis.observation.apart import observe_apart
from deltarule.diagnosis.observation.observation import observe
from deltarule.diagnosis.observation.record import Diagnosis

__all__ = ["Diagnosis", "Fault", "observe", "observe_apart"]
