"""The autograder: strangers' notebooks in, points with reasons out.

intake ─▶ rebuild ─▶ conduct: student kernel │ judge │ cloud ─▶ result ─▶ gradebook, autograded/, feedback/
(a folder) (source    (walls around each)                       (JSON)
            + answers)
"""
