"""Batches of rows of the first stage, made while the model is trained."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from corpus.units import load_packs
from rows.base.token_rows import RowBuilder


class RowSource:
    """Batches of rows (ids, kinds of token), each [rows, length + 1]; made in this process, or ahead of time by `workers` forked ones."""

    def __init__(self, units: Path, tokenizer: Path, held_out: bool, seed: int, workers: int = 0):
        os.environ["TOKENIZERS_PARALLELISM"] = "false"
        self.packs = load_packs(units, held_out)
        self.tokenizer = Tokenizer.from_file(str(tokenizer / "tokenizer.json"))
        self.seed, self.workers = seed, workers
        self.builder = RowBuilder(self.packs, self.tokenizer, seed)

    @staticmethod
    def make(builder: RowBuilder, count: int, length: int, evict: float) -> tuple[np.ndarray, np.ndarray]:
        rows = [builder.sample(length, evict) for _ in range(count)]
        return np.array([ids for ids, _ in rows], np.int16), np.array([kinds for _, kinds in rows], np.uint8)

    def batches(self, count: int, length: int, evict: float) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        if self.workers == 0:
            while True:
                yield self.make(self.builder, count, length, evict)
        context = multiprocessing.get_context("fork")
        queue = context.Queue(2 * self.workers)

        def work(seed: int) -> None:
            builder = RowBuilder(self.packs, self.tokenizer, seed)
            while True:
                queue.put(self.make(builder, count, length, evict))

        processes = [
            context.Process(target=work, args=(self.seed * 1000 + length + 7 * worker,), daemon=True) for worker in range(self.workers)
        ]
        for process in processes:
            process.start()
        try:
            while True:
                yield queue.get()
        finally:
            for process in processes:
                process.terminate()
