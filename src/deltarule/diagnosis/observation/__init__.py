"""A learner's program is observed: recorded, its forward pass differentiated, and the two compared.

Reading order: tape, operations, traced, functions, substitutes, missing (what records);
source, recording (what runs); updates, steps, targets, comparison, analysis (what is read from it);
location, wording, untrained, factors, verdict (where it is wrong); plausible, returned, driving (what trains
nothing by itself); record, observation (what is told); apart (the process around it).
"""

from deltarule.diagnosis.observation.apart import observe_apart
from deltarule.diagnosis.observation.observation import observe
from deltarule.diagnosis.observation.record import Observation
from deltarule.diagnosis.observation.verdict import Fault

__all__ = ["Fault", "Observation", "observe", "observe_apart"]
