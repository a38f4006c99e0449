"""``python -m deltarule.training.workers.helper``: a process that computes shards for its parent."""

from __future__ import annotations

import mmap
import os
import pickle
import sys
import threading
import time
from typing import Any, BinaryIO

from deltarule.nn.engines.shards import ShardedBatch, ShardSums
from deltarule.training.workers.helpers import Board, HelperJob, whole_lines
from deltarule.training.workers.team import BEAT


def main(number: int, board_file: int, data_file: int) -> None:
    """Compute what is asked on standard input, until that ends."""
    questions, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what anything prints is no answer
    text, lengths = pickle.load(questions)
    memory, at, arrays = memoryview(mmap.mmap(data_file, 0)), 0, []
    for length in lengths:
        arrays.append(memory[at : at + length])
        at += whole_lines(length)
    shape, job = pickle.loads(text, buffers=arrays)
    board = Board(board_file, *shape)
    threading.Thread(target=_beat, args=(board, number), daemon=True).start()
    try:
        _serve(number, board, job, questions, answers)
    except EOFError:
        return
    except Exception as error:
        pickle.dump(f"{type(error).__name__}: {error}"[:300], answers)
        answers.flush()


def _beat(board: Board, number: int) -> None:
    while True:
        board.beats[number] += 1
        time.sleep(BEAT)


def _serve(number: int, board: Board, job: HelperJob, questions: BinaryIO, answers: BinaryIO) -> None:
    theta: Any = job.net.parameters
    with ShardSums.of(*job) as sums:
        while True:
            n_rows, t, key, cut = pickle.load(questions)
            theta[:] = board.theta
            batch = ShardedBatch(board.rows[:n_rows], t, key)
            costs = [sums.sum(batch, low, high, board.parts[number, i]) for i, (low, high) in enumerate(cut)]
            pickle.dump(costs, answers)
            answers.flush()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
