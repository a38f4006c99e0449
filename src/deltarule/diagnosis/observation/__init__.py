"""A learner's program is observed: recorded, its forward pass differentiated, and the two compared.

Reading order: record (what is told), observation, apart (the process around it).
"""

from deltarule.diagnosis.faults.fault import Fault
from deltarule.diagnosis.observation.apart import observe_apart
from deltarule.diagnosis.observation.observation import observe
from deltarule.diagnosis.observation.record import Observation

__all__ = ["Fault", "Observation", "observe", "observe_apart"]
