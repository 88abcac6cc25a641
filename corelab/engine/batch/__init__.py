"""Batch transform's way with one object: bytes in, predictions out, never the whole in memory.

    source ─▶ records: blocks up to the payload limit ─▶ rows: InputFilter ─▶ invoke (several at a time)
    sink   ◀─ assemble, in the input's order ◀─ rows: JoinSource, OutputFilter ◀──────┘

Pure: a readable and a writable file and a function that asks a model; jobs, objects' names and states belong to
the caller.
"""
