"""What is known in the course of one trial: what was called, made, passed and computed so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from deltarule.diagnosis.recording.tape import Operation
from deltarule.diagnosis.recording.traced import Traced


@dataclass(eq=False, repr=False)
class CallState:
    """What was called, made, passed and computed in one trial."""

    #: What functions returned, by the names of their return statements; and what each returned last.
    pool: dict[str, Any] = field(default_factory=dict)
    results: dict[str, Any] = field(default_factory=dict)
    #: The functions that are running, and the classes of which an object is being made.
    calling: set[str] = field(default_factory=set)
    making: set[str] = field(default_factory=set)
    #: The activation that is chosen, by parameter, and those that may be.
    chosen: dict[str, Any] = field(default_factory=dict)
    choices: dict[str, list[Any]] = field(default_factory=dict)
    #: Whether data are passed that the program defines.
    has_own_data: bool = False
    #: Where a loss is called: it, an input of it, and the derivative by that.
    derived: tuple[()] | tuple[Traced, Operation, Traced] | None = None
    #: The methods that were called to put a network together, and the classes that objects were made of.
    assembled: set[str] = field(default_factory=set)
    made: set[str] = field(default_factory=set)
    #: Whether the inputs have gradients, as those of a layer have; whether a loss may be called; and
    #: whether the method that is called was given the derivative by what was computed.
    learns_inputs: bool = False
    is_loss: bool = False
    was_sent: bool = False
    #: Whether another method follows the one that is called.
    is_ahead: bool = False
    #: What a layer computed; and the derivative by it that it was given.
    computed: Any = None
    sent: Any = None
    #: The operation before which the parameters were there; what was called last.
    began: int = 0
    last: str = ""
    #: The arrays that the forward pass returned, in their order, and those of one step after the other.
    offered: list[Any] = field(default_factory=list)
    steps: list[Any] = field(default_factory=list)
    #: Objects that parameters share, by name.
    shared: dict[str, Any] = field(default_factory=dict)
    #: The data that were passed to methods, by what they are; by shape, what such were passed as first.
    passed: dict[Any, Any] = field(default_factory=dict)
    #: What arguments that asked were, by where they stand.
    answered: dict[tuple[Any, ...], Any] = field(default_factory=dict)
    holders: dict[tuple[int, ...], tuple[Any, ...]] = field(default_factory=dict)
    #: What functions returned first to one that needs no arguments.
    within: dict[str, Any] = field(default_factory=dict)
    #: Whether what is made is a layer of a network, and whether it is the first.
    first_layer: bool = False
    in_layer: bool = False
